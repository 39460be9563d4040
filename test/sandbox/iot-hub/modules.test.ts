import assert from "node:assert/strict";
import type { Module } from "azure-iothub/dist/module";
import { smallHub, VERSION, type SmallHub } from "./small-hub";

/** Microsoft's service SDK against the modules and the scopes of the sandbox's hub. */
describe("modules and Edge devices in the sandbox's IoT hub", () => {
  let hub: SmallHub;

  beforeEach(async () => {
    hub = await smallHub();
    await hub.registry.create({ deviceId: "d-1" });
  });
  afterEach(() => hub.close());

  const modules = async (deviceId: string) =>
    (await hub.registry.getModulesOnDevice(deviceId)).responseBody;
  /** The SDK's promise form of it fails before it asks anything. */
  const remove = (module: Module): Promise<void> =>
    new Promise((resolve, reject) =>
      hub.registry.removeModule(module, (error) => (error ? reject(error) : resolve())),
    );
  const identity = async (deviceId: string): Promise<Record<string, unknown>> =>
    (await hub.registry.get(deviceId)).responseBody as unknown as Record<string, unknown>;

  it("creates, reads, updates and deletes a module with the etag that was read", async () => {
    await hub.registry.addModule({ deviceId: "d-1", moduleId: "camera" });
    const created = (await hub.registry.getModule("d-1", "camera")).responseBody;
    assert.equal(created.managedBy, null);
    assert.equal((created.authentication as { type?: string }).type, "sas");
    assert.match(String(created.authentication?.symmetricKey?.primaryKey), /^[A-Za-z0-9+/]{43}=$/);
    assert.deepEqual(
      (await modules("d-1")).map(({ moduleId }) => moduleId),
      ["camera"],
    );

    const answer = await hub.http("PUT", `/devices/d-1/modules/camera?${VERSION}`, {
      body: { ...created, managedBy: "ops", authentication: { type: "none" } },
      headers: { "if-match": `"${created.etag}"` },
    });
    assert.deepEqual([answer.status, answer.body["managedBy"]], [200, "ops"]);
    assert.equal(answer.body["generationId"], created.generationId);
    await assert.rejects(remove(created), { name: "InvalidEtagError" });
    await remove((await hub.registry.getModule("d-1", "camera")).responseBody);
    await assert.rejects(hub.registry.getModule("d-1", "camera"), {
      responseBody: /^\{"Message":"ErrorCode:ModuleNotFound;/,
    });
  });

  it("answers 409 to a second creation, 404 where there is no device, 400 to another ID", async () => {
    await hub.registry.addModule({ deviceId: "d-1", moduleId: "camera" });
    const put = (path: string, body: object) =>
      hub
        .http("PUT", `${path}?${VERSION}`, { body })
        .then(({ status, body: { Message } }) => [status, String(Message).split(";")[0]]);
    assert.deepEqual(await put("/devices/d-1/modules/camera", {}), [
      409,
      "ErrorCode:ModuleAlreadyExistsOnDevice",
    ]);
    assert.deepEqual(await put("/devices/d-2/modules/camera", {}), [
      404,
      "ErrorCode:DeviceNotFound",
    ]);
    assert.deepEqual(await put("/devices/d-1/modules/door", { moduleId: "gate" }), [
      400,
      "ErrorCode:ArgumentInvalid",
    ]);
  });

  it("has at most 50 modules a device", async () => {
    for (let count = 1; count <= 50; count += 1) {
      await hub.registry.addModule({ deviceId: "d-1", moduleId: `m-${count}` });
    }
    await assert.rejects(hub.registry.addModule({ deviceId: "d-1", moduleId: "m-51" }), {
      name: "TooManyDevicesError",
    });
  });

  it("patches and replaces a module's twin, with its own etag", async () => {
    await hub.registry.addModule({ deviceId: "d-1", moduleId: "camera" });
    const first = (await hub.registry.getModuleTwin("d-1", "camera")).responseBody;
    assert.equal(first.etag, "AAAAAAAAAAE=");
    const patch = { tags: { wall: "north" }, properties: { desired: { fps: 5, zoom: 2 } } };
    await hub.registry.updateModuleTwin("d-1", "camera", patch, first.etag);
    const stale = hub.registry.updateModuleTwin("d-1", "camera", patch, first.etag);
    await assert.rejects(stale, { name: "InvalidEtagError" });
    const replaced = await hub.http("PUT", `/twins/d-1/modules/camera?${VERSION}`, {
      body: { tags: {}, properties: { desired: { fps: 7 } } },
    });
    assert.equal(replaced.status, 200);
    const twin = (await hub.registry.getModuleTwin("d-1", "camera")).responseBody;
    assert.equal(twin.moduleId, "camera");
    const { fps, zoom } = twin.properties.desired as Record<string, unknown>;
    assert.deepEqual([fps, zoom, twin.tags], [7, undefined, {}]);
    // The device's own twin is another one.
    assert.equal((await hub.registry.getTwin("d-1")).responseBody.etag, "AAAAAAAAAAE=");
  });

  it("deletes the modules with their device", async () => {
    await hub.registry.addModule({ deviceId: "d-1", moduleId: "camera" });
    await hub.registry.delete("d-1");
    await hub.registry.create({ deviceId: "d-1" });
    assert.deepEqual(await modules("d-1"), []);
  });

  it("gives an Edge device its scope and its system modules, and a child its parent", async () => {
    const edge = { deviceId: "gate", capabilities: { iotEdge: true } };
    await hub.registry.create(edge);
    const gate = await identity("gate");
    const scope = `ms-azure-iot-edge://gate-${String(gate["generationId"])}`;
    assert.equal(gate["deviceScope"], scope);
    assert.deepEqual(
      (await modules("gate")).map(({ moduleId, managedBy }) => [moduleId, managedBy]),
      [
        ["$edgeAgent", "iotEdge"],
        ["$edgeHub", "iotEdge"],
      ],
    );
    await hub.registry.create({ deviceId: "leaf", deviceScope: scope });
    assert.deepEqual((await identity("leaf"))["parentScopes"], [scope]);
    const child = { deviceId: "inner", capabilities: { iotEdge: true }, parentScopes: [scope] };
    await hub.registry.create(child);
    const inner = await identity("inner");
    assert.deepEqual(inner["parentScopes"], [scope]);
    assert.match(String(inner["deviceScope"]), /^ms-azure-iot-edge:\/\/inner-\d+$/);
    await hub.registry.update({ deviceId: "leaf" });
    assert.equal((await identity("leaf"))["parentScopes"], undefined);
    await hub.registry.update(edge);
    assert.equal((await identity("gate"))["deviceScope"], scope);
  });
});
