import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { HOST, smallHub, type SmallHub } from "./small-hub";

const OTHER = "F".repeat(64);

describe("what the sandbox's IoT hub does for a DPS that links it", () => {
  let hub: SmallHub;

  beforeEach(async () => {
    hub = await smallHub();
  });
  afterEach(async () => {
    await hub.close();
  });

  const get = async (deviceId: string): Promise<Record<string, unknown>> =>
    (await hub.registry.get(deviceId)).responseBody as unknown as Record<string, unknown>;

  const assign = (thumbprint: string, more: object = {}, reset = false): void =>
    hub.linkedHubs.assign(
      {
        hubHostName: HOST,
        deviceId: "d-1",
        authentication: { type: "selfSigned", thumbprint },
        ...more,
      },
      reset,
    );

  it("opens for its own connection strings with the right to write identities", () => {
    const accepts = (text: string): boolean => hub.linkedHubs.accepts(text);
    assert.equal(accepts(hub.connectionString()), true);
    assert.equal(accepts(hub.connectionString("registryReadWrite")), true);
    assert.equal(accepts(hub.connectionString("registryRead")), false);
    assert.equal(accepts(hub.connectionString().replace(/Key=.*/, "Key=wrong")), false);
    assert.equal(accepts(hub.connectionString().replace(HOST, "beta.example")), false);
    assert.equal(accepts("nonsense"), false);
  });

  it("creates the identity with the initial twin, the thumbprint in both slots", async () => {
    const initialTwin = { tags: { site: "north" }, properties: { desired: { rate: 5 } } };
    assign(OTHER.toLowerCase(), { initialTwin, capabilities: { iotEdge: true } });
    const identity = await get("d-1");
    assert.deepEqual((identity["authentication"] as Record<string, unknown>)["x509Thumbprint"], {
      primaryThumbprint: OTHER,
      secondaryThumbprint: OTHER,
    });
    assert.deepEqual(identity["capabilities"], { iotEdge: true });
    assert.deepEqual(hub.linkedHubs.twin(HOST, "d-1"), initialTwin);
  });

  it("writes the keys of a device that proved itself by one, and lets it in by them", async () => {
    const [primaryKey, secondaryKey] = [randomBytes(64), randomBytes(64)].map((one) =>
      one.toString("base64"),
    ) as [string, string];
    assign(OTHER);
    const authentication = { type: "sas", primaryKey, secondaryKey } as const;
    hub.linkedHubs.assign({ hubHostName: HOST, deviceId: "d-1", authentication }, false);
    const written = (await get("d-1"))["authentication"] as Record<string, unknown>;
    assert.equal(written["type"], "sas");
    assert.deepEqual(written["symmetricKey"], { primaryKey, secondaryKey });
    for (const key of [primaryKey, secondaryKey]) {
      const device = await hub.deviceWithKey("d-1", key);
      await device.open();
      await device.close();
    }
  });

  it("rewrites the thumbprint and nothing else, with a new etag, and stays disabled", async () => {
    assign(OTHER, { initialTwin: { tags: { site: "north" } } });
    const before = await get("d-1");
    await hub.registry.update({ deviceId: "d-1", status: "disabled" });
    assign("A".repeat(64), { initialTwin: { tags: { site: "south" } } });
    const after = await get("d-1");
    assert.equal(after["status"], "disabled");
    assert.equal(after["generationId"], before["generationId"]);
    assert.notEqual(after["etag"], before["etag"]);
    assert.deepEqual(hub.linkedHubs.twin(HOST, "d-1")?.tags, { site: "north" });
  });

  it("sets the twin back on a reset", async () => {
    assign(OTHER, { initialTwin: { tags: { a: 1 }, properties: { desired: { b: 2 } } } });
    await hub.registry.updateTwin("d-1", { tags: { x: 1 } }, "*");
    assign(OTHER, { initialTwin: { properties: { desired: { c: 3 } } } }, true);
    assert.deepEqual(hub.linkedHubs.twin(HOST, "d-1"), {
      tags: {},
      properties: { desired: { c: 3 } },
    });
  });

  it("refuses, as the hub does, what is not there", () => {
    assert.equal(hub.linkedHubs.has(HOST, "d-1"), false);
    assert.equal(hub.linkedHubs.twin(HOST, "d-1"), undefined);
    assert.throws(() => hub.linkedHubs.remove(HOST, "d-1"), { name: "HttpError", status: 404 });
    assert.throws(
      () =>
        hub.linkedHubs.assign(
          {
            hubHostName: "x",
            deviceId: "d",
            authentication: { type: "selfSigned", thumbprint: OTHER },
          },
          false,
        ),
      { name: "HttpError", status: 401 },
    );
  });
});
