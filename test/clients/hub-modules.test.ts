import assert from "node:assert/strict";
import { Registry } from "azure-iothub";
import { HubModules } from "../../clients/hub-modules";
import { HubRegistry, isClosedByUs, nobodysThumbprint } from "../../clients/hub-registry";
import { type AttachedSandbox, openAttached } from "./attached-sandbox";

const THUMBPRINT = "AB".repeat(32);
const [FIRST, SECOND] = ["11".repeat(32), "22".repeat(32)];

describe("many devices of a linked hub, their modules and their place among Edge devices", () => {
  let sandbox: AttachedSandbox;
  let sdk: Registry;
  let registry: HubRegistry;
  let modules: HubModules;

  before(async () => {
    sandbox = await openAttached();
    sdk = Registry.fromConnectionString(sandbox.endpoints().iotHubs[0]?.connectionString ?? "");
    registry = new HubRegistry(sandbox.connection, sandbox.hub);
    modules = new HubModules(sandbox.connection, sandbox.hub);
  });

  after(() => sandbox.close());

  const create = (deviceId: string, more: object = {}): Promise<unknown> =>
    sdk.create({
      deviceId,
      authentication: {
        type: "selfSigned",
        x509Thumbprint: { primaryThumbprint: THUMBPRINT, secondaryThumbprint: THUMBPRINT },
      } as never,
      ...more,
    });
  const read = async (deviceId: string) => (await registry.getIdentity(deviceId))!;

  it("writes more identities than one call takes, each with its own etag and outcome", async () => {
    const ids = Array.from({ length: 130 }, (_, index) => `many-${index}`);
    await Promise.all(ids.map((id) => create(id)));
    const identities = await Promise.all(ids.map(read));
    await sdk.update({ deviceId: "many-7", authentication: { symmetricKey: {} } as never });
    await sdk.delete("many-120");
    const outcomes = await registry.disableAll(identities);
    assert.equal(outcomes.get("many-7"), "overtaken");
    assert.equal(outcomes.get("many-120"), "gone");
    assert.equal([...outcomes.values()].filter((one) => one === "written").length, 128);
    const found = await registry.findDevices([...ids, "nobody"]);
    assert.equal(found.length, 129);
    assert.deepEqual(
      found.filter(({ status }) => status === "enabled").map(({ deviceId }) => deviceId),
      ["many-7"],
    );
    const disabled = await read("many-1");
    assert.ok(isClosedByUs(disabled));
    const again = await Promise.all(found.map(({ deviceId }) => read(deviceId)));
    const removed = await registry.removeAll(again);
    assert.deepEqual([...new Set(removed.values())], ["written"]);
    assert.deepEqual(await registry.findDevices(ids), []);
  });

  it("rekeys an identity: the old leaf is out, twin and the rest stay, and then it is enabled", async () => {
    await create("kept");
    const twin = (await registry.getTwin("kept"))!;
    await sdk.updateTwin("kept", { tags: { site: "north" } }, twin.etag);
    const outcomes = await registry.rekeyAll([await read("kept")], () => [FIRST, SECOND]);
    assert.equal(outcomes.get("kept"), "written");
    const closed = await read("kept");
    assert.deepEqual([closed.thumbprints, isClosedByUs(closed)], [[FIRST, SECOND], true]);
    await registry.enableAll([closed]);
    const open = await read("kept");
    assert.deepEqual(
      [open.status, open.statusReason, open.thumbprints.length],
      ["enabled", undefined, 2],
    );
    assert.deepEqual((await registry.getTwin("kept"))?.tags, { site: "north" });
  });

  it("leaves a person's reason on an identity that was disabled before", async () => {
    await create("shut", { status: "disabled", statusReason: "lost in the field" });
    await registry.rekeyAll([await read("shut")], ({ deviceId }) => [nobodysThumbprint(deviceId)]);
    const { status, statusReason, thumbprints } = await read("shut");
    assert.deepEqual([status, statusReason], ["disabled", "lost in the field"]);
    assert.deepEqual(thumbprints, Array(2).fill(nobodysThumbprint("shut")));
  });

  it("saves modules without credentials, and makes them again with new ones", async () => {
    await create("m-1");
    await sdk.addModule({ deviceId: "m-1", moduleId: "camera", managedBy: "ops" });
    await sdk.addModule({
      deviceId: "m-1",
      moduleId: "door",
      authentication: { type: "selfSigned", x509Thumbprint: { primaryThumbprint: THUMBPRINT } },
    } as never);
    const twin = (await modules.getTwin("m-1", "camera"))!;
    const patch = { tags: { wall: "north" }, properties: { desired: { fps: 5 } } };
    await sdk.updateModuleTwin("m-1", "camera", patch, twin.etag);
    const saved = await modules.save("m-1");
    assert.deepEqual(saved, [
      {
        moduleId: "camera",
        managedBy: "ops",
        authenticationType: "sas",
        tags: { wall: "north" },
        desired: { fps: 5 },
      },
      { moduleId: "door", authenticationType: "selfSigned", tags: {}, desired: {} },
    ]);
    await registry.remove(await read("m-1"));
    await create("m-1");
    for (const module of saved) await modules.restore("m-1", module);
    // The second time nothing is written.
    const etag = (await modules.getTwin("m-1", "camera"))?.etag;
    await modules.restore("m-1", saved[0]!);
    assert.equal((await modules.getTwin("m-1", "camera"))?.etag, etag);
    assert.deepEqual(await modules.save("m-1"), saved);
    const door = (await sdk.getModule("m-1", "door")).responseBody;
    assert.equal(door.authentication?.x509Thumbprint?.primaryThumbprint, nobodysThumbprint("m-1"));
  });

  it("renews what modules prove themselves with", async () => {
    await create("m-2");
    await sdk.addModule({ deviceId: "m-2", moduleId: "camera" });
    await sdk.addModule({
      deviceId: "m-2",
      moduleId: "door",
      authentication: { type: "selfSigned", x509Thumbprint: { primaryThumbprint: THUMBPRINT } },
    } as never);
    const auth = async (id: string) => (await sdk.getModule("m-2", id)).responseBody.authentication;
    const key = (await auth("camera"))?.symmetricKey;
    await modules.renewCredentials("m-2");
    const renewed = (await auth("camera"))?.symmetricKey;
    assert.notEqual(renewed?.primaryKey, key?.primaryKey);
    assert.notEqual(renewed?.secondaryKey, key?.secondaryKey);
    assert.equal((await auth("door"))?.x509Thumbprint?.primaryThumbprint, nobodysThumbprint("m-2"));
  });

  it("makes an Edge device, gives children their parent, and finds them", async () => {
    for (const id of ["gate", "leaf", "inner"]) await create(id);
    await registry.place(await read("gate"), { isEdge: true });
    await registry.place(await read("inner"), { isEdge: true });
    const { deviceScope, isEdge } = await read("gate");
    assert.equal(isEdge, true);
    for (const id of ["leaf", "inner"]) {
      await registry.place(await read(id), { parentScope: deviceScope! });
    }
    assert.deepEqual((await registry.childrenOf(deviceScope!)).sort(), ["inner", "leaf"]);
    assert.deepEqual((await read("leaf")).parentScopes, [deviceScope]);
    assert.deepEqual((await read("leaf")).thumbprints, [THUMBPRINT, THUMBPRINT]);
  });
});
