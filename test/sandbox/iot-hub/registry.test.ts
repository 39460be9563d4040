import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { Registry } from "azure-iothub";
import { HOST, smallHub, VERSION, type HttpAnswer, type SmallHub } from "./small-hub";

const THUMBPRINT = "0123456789ABCDEF0123456789ABCDEF01234567";

describe("the identity registry of the sandbox's IoT hub", () => {
  let hub: SmallHub;

  beforeEach(async () => {
    hub = await smallHub();
  });
  afterEach(async () => {
    await hub.close();
  });

  const device = (deviceId: string, more: object = {}): Registry.DeviceDescription => ({
    deviceId,
    authentication: {
      type: "selfSigned",
      x509Thumbprint: { primaryThumbprint: THUMBPRINT, secondaryThumbprint: THUMBPRINT },
    } as never,
    ...more,
  });

  const get = async (deviceId: string): Promise<Record<string, unknown>> =>
    (await hub.registry.get(deviceId)).responseBody as unknown as Record<string, unknown>;

  const put = (deviceId: string, ifMatch: string | undefined, body: object): Promise<HttpAnswer> =>
    hub.http("PUT", `/devices/${deviceId}?${VERSION}`, {
      body: { deviceId, ...body },
      headers: ifMatch === undefined ? {} : { "if-match": ifMatch },
    });

  it("creates, reads, replaces and deletes an identity", async () => {
    await hub.registry.create(device("d-1", { status: "disabled", statusReason: "new" }));
    const created = await get("d-1");
    assert.equal(created["status"], "disabled");
    assert.equal(created["statusReason"], "new");
    assert.equal(created["connectionState"], "Disconnected");
    assert.deepEqual(created["authentication"], {
      symmetricKey: { primaryKey: null, secondaryKey: null },
      x509Thumbprint: { primaryThumbprint: THUMBPRINT, secondaryThumbprint: THUMBPRINT },
      type: "selfSigned",
    });
    await hub.registry.update(device("d-1"));
    const updated = await get("d-1");
    assert.equal(updated["status"], "enabled");
    assert.equal(updated["statusReason"], null);
    assert.equal(updated["generationId"], created["generationId"]);
    assert.notEqual(updated["etag"], created["etag"]);
    await hub.registry.delete("d-1");
    await assert.rejects(hub.registry.get("d-1"), { name: "DeviceNotFoundError" });
  });

  it("answers 409 to a second creation and 404 to an update of nothing", async () => {
    await hub.registry.create(device("d-1"));
    await assert.rejects(hub.registry.create(device("d-1")), {
      name: "DeviceAlreadyExistsError",
      responseBody:
        /^\{"Message":"ErrorCode:DeviceAlreadyExists;Conflict","ExceptionMessage":"Track/,
    });
    await assert.rejects(hub.registry.update(device("d-2")), { name: "DeviceNotFoundError" });
    await assert.rejects(hub.registry.delete("d-2"), { name: "DeviceNotFoundError" });
  });

  it("takes the etag with and without quotes, and refuses an old one with 412", async () => {
    await hub.registry.create(device("d-1"));
    const etag = String((await get("d-1"))["etag"]);
    const second = await put("d-1", `"${etag}"`, device("d-1"));
    assert.equal(second.status, 200);
    assert.equal(second.headers["etag"], `"${String(second.body["etag"])}"`);
    assert.equal((await put("d-1", String(second.body["etag"]), device("d-1"))).status, 200);
    const stale = await put("d-1", `"${etag}"`, device("d-1"));
    assert.equal(stale.status, 412);
    assert.equal(stale.headers["iothub-errorcode"], "PreconditionFailed");
    const path = `/devices/d-1?${VERSION}`;
    assert.equal((await hub.http("DELETE", path, { headers: { "if-match": etag } })).status, 412);
    assert.equal((await hub.http("DELETE", path, { headers: { "if-match": "*" } })).status, 204);
  });

  it("makes the keys of a sas device, and keeps those that it is given", async () => {
    const made = (await hub.registry.create({ deviceId: "d-1" })).responseBody.authentication;
    assert.equal(Buffer.from(made?.symmetricKey?.primaryKey ?? "", "base64").length, 32);
    const symmetricKey = {
      primaryKey: Buffer.alloc(32, 1).toString("base64"),
      secondaryKey: Buffer.alloc(32, 2).toString("base64"),
    };
    await hub.registry.update({ deviceId: "d-1", authentication: { symmetricKey } });
    const kept = (await get("d-1"))["authentication"] as Record<string, unknown>;
    assert.deepEqual(kept["symmetricKey"], symmetricKey);
    assert.equal(kept["type"], "sas");
  });

  for (const [fault, body] of [
    ["a status that does not exist", { status: "asleep" }],
    ["a thumbprint of another length", withThumbprint("ABCD")],
    ["a thumbprint with other characters", withThumbprint("G".repeat(40))],
    ["selfSigned without a thumbprint", { authentication: { type: "selfSigned" } }],
    ["a type that does not exist", { authentication: { type: "password" } }],
    ["a key that is too short", { authentication: { symmetricKey: { primaryKey: "YWJj" } } }],
    ["capabilities that are no object", { capabilities: "edge" }],
    ["another device ID", { deviceId: "d-2" }],
  ] as [string, object][]) {
    it(`refuses ${fault} with 400 and creates nothing`, async () => {
      const answer = await put("d-1", undefined, body);
      assert.equal(answer.status, 400);
      assert.match(String(answer.body["Message"]), /^ErrorCode:ArgumentInvalid;/);
      assert.equal((await hub.http("GET", `/devices/d-1?${VERSION}`)).status, 404);
    });
  }

  it("lists identities up to `top`, tells device IDs apart by capitals, and counts", async () => {
    for (const deviceId of ["b", "a", "B"]) {
      await hub.registry.create(
        device(deviceId, { status: deviceId === "b" ? "disabled" : "enabled" }),
      );
    }
    const all = await hub.http("GET", `/devices?${VERSION}`);
    assert.deepEqual(ids(all.body).sort(), ["B", "a", "b"]);
    const some = await hub.http("GET", `/devices/?top=2&${VERSION}`);
    assert.deepEqual(ids(some.body), ids(all.body).slice(0, 2));
    const { responseBody } = await hub.registry.getRegistryStatistics();
    assert.deepEqual(responseBody, {
      totalDeviceCount: 3,
      enabledDeviceCount: 2,
      disabledDeviceCount: 1,
    });
  });

  it("answers 501 by name to what is not written", async () => {
    await hub.registry.create(device("d-1"));
    for (const [method, path] of [["POST", "/jobs/create"]] as const) {
      const answer = await hub.http(method, `${path}?${VERSION}`, { body: {} });
      assert.equal(answer.status, 501);
      assert.ok(String(answer.body["Message"]).endsWith(`${method} ${path}`));
    }
  });

  it("wants an api-version, and a body that is JSON", async () => {
    const without = await hub.http("GET", "/devices/d-1");
    assert.equal(without.status, 400);
    assert.match(String(without.body["Message"]), /^ErrorCode:InvalidProtocolVersion;/);
    const broken = await hub.http("PUT", `/devices/d-1?${VERSION}`, {
      body: "{",
      headers: { "content-type": "application/json" },
    });
    assert.equal(broken.status, 400);
    assert.match(String(broken.body["Message"]), /^ErrorCode:IotHubFormatError;/);
  });

  describe("who may do what", () => {
    const refusal = { name: "UnauthorizedError" };

    it("lets a policy do only what its rights say", async () => {
      await hub.registry.create(device("d-1"));
      const readOnly = hub.registryAs("registryRead");
      await readOnly.get("d-1");
      await assert.rejects(readOnly.create(device("d-2")), refusal);
      await assert.rejects(readOnly.getTwin("d-1"), refusal);
      await hub.registryAs("registryReadWrite").update(device("d-1"));
      const service = hub.registryAs("service");
      await service.getTwin("d-1");
      await assert.rejects(service.get("d-1"), refusal);
      await assert.rejects(hub.registryAs("device").get("d-1"), refusal);
    });

    it("takes an access token, and no other", async () => {
      const path = `/devices?${VERSION}`;
      assert.equal((await hub.http("GET", path)).status, 200);
      for (const authorization of ["Bearer another", "", "SharedAccessSignature nonsense"]) {
        const answer = await hub.http("GET", path, { headers: { authorization } });
        assert.equal(answer.status, 401);
        assert.match(String(answer.body["Message"]), /^ErrorCode:IotHubUnauthorizedAccess;/);
      }
    });

    it("refuses a signature for another hub or made with an old key", async () => {
      const now = Math.floor(Date.now() / 1000) + 60;
      const hubRecord = hub.sandbox.hubs.list()[0]!;
      const sign = (host: string, key: string): string => {
        const signature = createHmac("sha256", Buffer.from(key, "base64"))
          .update(`${host}\n${now}`)
          .digest("base64");
        const sig = encodeURIComponent(signature);
        return `SharedAccessSignature sr=${host}&sig=${sig}&se=${now}&skn=iothubowner`;
      };
      const key = hubRecord.authorizationPolicies[0]!.primaryKey;
      const ask = async (authorization: string): Promise<number> =>
        (await hub.http("GET", `/devices?${VERSION}`, { headers: { authorization } })).status;
      assert.equal(await ask(sign(HOST, key)), 200);
      assert.equal(await ask(sign("beta.azure-devices.sandbox.test", key)), 401);
      assert.equal(await ask(sign(HOST, Buffer.alloc(32).toString("base64"))), 401);
    });
  });

  describe("bulk operations", () => {
    const bulk = (items: object[]): Promise<HttpAnswer> =>
      hub.http("POST", `/devices?${VERSION}`, { body: items });
    const errorsOf = (answer: HttpAnswer): unknown[] => answer.body["errors"] as unknown[];

    it("creates, updates with the right etag only, and deletes, through the SDK", async () => {
      const created = await hub.registry.addDevices([device("d-1"), device("d-2")] as never);
      assert.deepEqual(created.responseBody, { isSuccessful: true, errors: [], warnings: [] });
      const eTag = String((await get("d-1"))["etag"]);
      await hub.registry.updateDevices([device("d-1", { eTag, status: "disabled" })], false);
      assert.equal((await get("d-1"))["status"], "disabled");
      await assert.rejects(hub.registry.updateDevices([device("d-1", { eTag })], false), {
        name: "ArgumentError",
        responseBody: /"errorCode":412001/,
      });
      assert.equal((await get("d-1"))["status"], "disabled");
      await hub.registry.updateDevices([device("d-1", { eTag })], true);
      assert.equal((await get("d-1"))["status"], "enabled");
      const current = String((await get("d-1"))["etag"]);
      await assert.rejects(hub.registry.removeDevices([{ deviceId: "d-1", eTag }], false));
      await hub.registry.removeDevices([{ deviceId: "d-1", eTag: current }], false);
      await hub.registry.removeDevices([{ deviceId: "d-2" }], true);
      assert.deepEqual((await hub.http("GET", `/devices?${VERSION}`)).body, []);
    });

    it("does what it can and reports each failure with its device", async () => {
      await hub.registry.create(device("d-1"));
      const answer = await bulk([
        { id: "d-1", importMode: "CREATE" },
        { id: "d-2", importMode: "create", tags: { site: "north" } },
        { id: "d-3", importMode: "update" },
        { id: "d-4", importMode: "deleteIfMatchETag", eTag: "x" },
        { id: "d-5", importMode: "explode" },
        { id: "d-6", importMode: "createOrUpdate" },
        { id: "d-1", importMode: "delete" },
      ]);
      assert.equal(answer.status, 400);
      assert.equal(answer.body["isSuccessful"], false);
      assert.deepEqual(
        (errorsOf(answer) as { deviceId: string; errorCode: number }[]).map((one) => [
          one.deviceId,
          one.errorCode,
        ]),
        [
          ["d-1", 400011],
          ["d-3", 404001],
          ["d-4", 404001],
          ["d-5", 400004],
          ["d-1", 400011],
        ],
      );
      assert.deepEqual(ids((await hub.http("GET", `/devices?${VERSION}`)).body), [
        "d-1",
        "d-2",
        "d-6",
      ]);
      const { responseBody } = await hub.registry.getTwin("d-2");
      assert.deepEqual(responseBody.tags, { site: "north" });
    });

    it("takes 1 to 100 devices", async () => {
      assert.equal((await bulk([])).status, 400);
      const items = Array.from({ length: 101 }, (_, index) => ({
        id: `d-${index}`,
        importMode: "create",
      }));
      assert.equal((await bulk(items)).status, 400);
      assert.equal((await bulk(items.slice(0, 100))).status, 200);
    });

    it("updates twins, with the right etag of the twin only", async () => {
      await bulk([{ id: "d-1", importMode: "create", tags: { floor: 1, site: "north" } }]);
      const update = (importMode: string, more: object) =>
        bulk([{ id: "d-1", importMode, tags: { floor: 2 }, ...more }]);
      assert.equal((await update("updateTwin", {})).status, 200);
      const { responseBody: twin } = await hub.registry.getTwin("d-1");
      assert.deepEqual(twin.tags, { floor: 2, site: "north" });
      const late = await update("updateTwinIfMatchETag", { twinETag: "AAAAAAAAAAE=" });
      assert.equal((late.body["errors"] as { errorCode: number }[])[0]?.errorCode, 412001);
      const right = { twinETag: twin.etag, properties: { desired: { rate: 5 } } };
      assert.equal((await update("updateTwinIfMatchETag", right)).status, 200);
      const missing = await update("updateTwinIfMatchETag", {});
      assert.equal((missing.body["errors"] as { errorCode: number }[])[0]?.errorCode, 400004);
    });
  });
});

function withThumbprint(primaryThumbprint: string): object {
  return { authentication: { type: "selfSigned", x509Thumbprint: { primaryThumbprint } } };
}

function ids(body: unknown): string[] {
  return (body as { deviceId: string }[]).map(({ deviceId }) => deviceId);
}
