import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Client, Message } from "azure-iot-device";
import { caCertificatesOf } from "../../../sandbox/arm/ca-certificates";
import { telemetryOf } from "../../../sandbox/iot-hub/telemetry";
import { TestCa, type Issued } from "../../support/test-ca";
import { HOST, HUB, smallHub, type SmallHub } from "./small-hub";

const DAY_MS = 24 * 60 * 60 * 1000;

describe("devices at the sandbox's IoT hub", () => {
  let hub: SmallHub;
  let root: TestCa;
  let leaf: Issued;
  let other: Issued;

  before(async () => {
    root = await TestCa.root("Root");
    leaf = await root.leaf("device-1");
    other = await root.leaf("device-1");
  });
  beforeEach(async () => {
    hub = await smallHub();
  });
  afterEach(async () => {
    await hub.close();
  });

  const assign = (deviceId: string, issued: Issued): void =>
    hub.linkedHubs.assign(
      {
        hubHostName: HOST,
        deviceId,
        authentication: { type: "selfSigned", thumbprint: issued.thumbprint },
      },
      false,
    );

  async function open(deviceId: string, issued: Issued): Promise<Client> {
    const device = await hub.device(deviceId, issued);
    await device.open();
    return device;
  }

  const state = async (deviceId: string): Promise<unknown> =>
    (await hub.registry.get(deviceId)).responseBody.connectionState;

  const isConnect = (deviceId: string) => (request: { method: string; note?: string }) =>
    request.method === "CONNECT" && request.note?.startsWith(`${deviceId}: `) === true;

  /** Expects a refusal; returns what the log says about it. */
  async function refused(deviceId: string, issued: Issued): Promise<string> {
    const logged = hub.logged(isConnect(deviceId));
    await assert.rejects(open(deviceId, issued), /Not authorized/);
    const { status, note } = await logged;
    assert.equal(status, 5);
    return note ?? "";
  }

  it("lets in a device whose certificate DPS has written, and shows it as connected", async () => {
    assign("device-1", leaf);
    assert.equal(await state("device-1"), "Disconnected");
    const device = await open("device-1", leaf);
    assert.equal(await state("device-1"), "Connected");
    const { responseBody: twin } = await hub.registry.getTwin("device-1");
    assert.equal((twin as unknown as Record<string, unknown>)["connectionState"], "Connected");
    await device.close();
    assert.equal(await eventually(() => state("device-1"), "Disconnected"), "Disconnected");
  });

  it("accepts a SHA-1 thumbprint, in the second slot alone", async () => {
    const sha1 = createHash("sha1").update(leaf.der).digest("hex");
    await hub.registry.create({
      deviceId: "device-1",
      authentication: { type: "selfSigned", x509Thumbprint: { secondaryThumbprint: sha1 } },
    });
    await open("device-1", leaf);
    assert.equal(await state("device-1"), "Connected");
  });

  it("refuses another certificate and says both thumbprints in the log", async () => {
    assign("device-1", leaf);
    const note = await refused("device-1", other);
    assert.match(note, /^device-1: 401003 Thumbprint does not match configuration: /);
    assert.ok(note.includes(`SHA2Hash=${other.thumbprint}`));
    assert.ok(note.includes(`PrimaryThumbprint=${leaf.thumbprint}`));
  });

  it("refuses a device that it does not have", async () => {
    const note = await refused("device-9", leaf);
    assert.match(note, /IotHub '.*' does not contain the specified device 'device-9'/);
  });

  it("tells device IDs apart by capitals", async () => {
    assign("device-1", leaf);
    assert.match(await refused("Device-1", leaf), /does not contain/);
  });

  it("refuses an expired certificate by the sandbox's clock, and one that is not valid yet", async () => {
    assign("device-1", leaf);
    hub.clock.advance(31 * DAY_MS);
    assert.match(await refused("device-1", leaf), /renew token or certificate.*expired on/);
    hub.clock.advance(-40 * DAY_MS);
    assert.match(await refused("device-1", leaf), /not valid before/);
  });

  it("lets an open connection live when its certificate expires", async () => {
    assign("device-1", leaf);
    const device = await open("device-1", leaf);
    hub.clock.advance(31 * DAY_MS);
    await device.sendEvent(new Message("still here"));
    assert.equal(telemetryOf(hub.sandbox, HUB, "device-1").count, 1);
  });

  describe("of the authentication type certificateAuthority", () => {
    const hasCa = (ca: TestCa, isVerified: boolean): void => {
      caCertificatesOf(hub.sandbox, "iot-hub").put(`${HUB}/plant`, {
        service: HUB,
        name: "plant",
        certificate: ca.der.toString("base64"),
        isVerified,
        etag: "",
        created: hub.clock.now().toISOString(),
        updated: hub.clock.now().toISOString(),
      });
    };

    beforeEach(async () => {
      const authentication = { type: "certificateAuthority" } as const;
      await hub.registry.create({ deviceId: "device-1", authentication });
    });

    it("are let in with any leaf of their name below a verified CA certificate of the hub", async () => {
      hasCa(root, true);
      const low = await root.intermediate("Plant 1");
      for (const issued of [leaf, other, await low.leaf("device-1")]) {
        await (await open("device-1", issued)).close();
      }
    });

    it("are refused without such a CA certificate, and with another name", async () => {
      assert.match(await refused("device-1", leaf), /no issuer of "CN=device-1" was presented/);
      hasCa(root, false);
      assert.match(await refused("device-1", leaf), /the CA certificate is not verified/);
      hasCa(root, true);
      const stranger = await root.leaf("Device-1");
      assert.match(
        await refused("device-1", stranger),
        /the common name is not the device ID: Device-1$/,
      );
      hub.clock.advance(31 * DAY_MS);
      assert.match(await refused("device-1", leaf), /expired at/);
    });
  });

  it("ends the connection of a device that is disabled, and refuses it until it is enabled", async () => {
    assign("device-1", leaf);
    const device = await open("device-1", leaf);
    const { responseBody: identity } = await hub.registry.get("device-1");
    await hub.registry.update({ ...identity, status: "disabled" });
    assert.equal(await state("device-1"), "Disconnected");
    // The client would use its connection if it still had one.
    await assert.rejects(device.sendEvent(new Message("too late")));
    assert.match(await refused("device-1", leaf), /is disabled/);
    await hub.registry.update({ ...identity, status: "enabled" });
    await open("device-1", leaf);
    assert.equal(await state("device-1"), "Connected");
  });

  it("ends the connection of a device that is deleted, and forgets its subscriptions", async () => {
    assign("device-1", leaf);
    const device = await open("device-1", leaf);
    device.onDeviceMethod("ping", (_request, response) => void response.send(200));
    await eventually(() => Promise.resolve(subscriptions(hub)), 1);
    const closed = hub.logged(isConnect("device-1"));
    hub.linkedHubs.remove(HOST, "device-1");
    // With a method listener the client comes back by itself at once.
    assert.match((await closed).note ?? "", /does not contain/);
    assert.equal(hub.linkedHubs.has(HOST, "device-1"), false);
  });

  it("keeps a live connection when the thumbprint is rewritten, and refuses the old leaf later", async () => {
    assign("device-1", leaf);
    const device = await open("device-1", leaf);
    assign("device-1", other);
    assert.equal(await state("device-1"), "Connected");
    await device.sendEvent(new Message("over the old connection"));
    await device.close();
    assert.match(await refused("device-1", leaf), /Thumbprint does not match/);
    await open("device-1", other);
  });

  it("gives the connection to the newer of two clients of one device", async () => {
    assign("device-1", leaf);
    const first = await open("device-1", leaf);
    const second = await open("device-1", leaf);
    await second.sendEvent(new Message("from the second"));
    assert.equal(await state("device-1"), "Connected");
    const { last } = telemetryOf(hub.sandbox, HUB, "device-1");
    assert.deepEqual(
      last.map(({ payload }) => Buffer.from(payload, "base64").toString()),
      ["from the second"],
    );
    const connects = (): number => hub.requests.filter(({ method }) => method === "CONNECT").length;
    assert.equal(connects(), 2);
    await first.sendEvent(new Message("the first has to connect again"));
    assert.equal(connects(), 3);
  });

  it("counts telemetry with its properties and keeps the last messages", async () => {
    assign("device-1", leaf);
    const device = await open("device-1", leaf);
    for (let index = 1; index <= 21; index += 1) {
      const message = new Message(`message ${index}`);
      message.properties.add("colour", "blue & green");
      await device.sendEvent(message);
    }
    const { count, last } = telemetryOf(hub.sandbox, HUB, "device-1");
    assert.equal(count, 21);
    assert.equal(last.length, 20);
    assert.equal(Buffer.from(last[19]?.payload ?? "", "base64").toString(), "message 21");
    assert.deepEqual(last[19]?.properties, { colour: "blue & green" });
  });

  it("lets in a device with its own SAS key and refuses another key", async () => {
    const { responseBody } = await hub.registry.create({ deviceId: "device-2" });
    const { primaryKey, secondaryKey } = responseBody.authentication?.symmetricKey ?? {};
    assert.ok(primaryKey && secondaryKey && primaryKey !== secondaryKey);
    await (await hub.deviceWithKey("device-2", secondaryKey)).open();
    assert.equal(await state("device-2"), "Connected");
    const wrong = Buffer.alloc(32, 7).toString("base64");
    const logged = hub.logged(isConnect("device-2"));
    await assert.rejects((await hub.deviceWithKey("device-2", wrong)).open(), /Not authorized/);
    assert.match((await logged).note ?? "", /made with another key/);
  });
});

function subscriptions(hub: SmallHub): number {
  return hub.requests.filter(({ method }) => method === "SUBSCRIBE").length;
}

/** Asks until the answer is the wanted one; the test's own time limit ends it. */
async function eventually<T>(ask: () => Promise<T>, wanted: T): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer === wanted) {
      return answer;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
