import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import type { ServiceEndpoint } from "../../../sandbox/common/model";
import { startProvisioningFront } from "../../../sandbox/dps-service/front";
import { GOOD_TOKEN } from "../sandbox-parts";
import {
  ID_SCOPE,
  request,
  SERVICE,
  smallSandbox,
  type SmallSandbox,
} from "../dps-service/small-sandbox";
import { ID, type Json } from "./fixture";
import { refusalOf, registerWithMicrosoft, SANDBOX_HOST, type Job } from "./microsofts-device";

const HUB = "alpha.azure-devices.net";
/** The Azure CLI extension's live tests of device registrations. */
const newKey = () => randomBytes(64).toString("base64");
const derived = (key: string, id: string) =>
  createHmac("sha256", Buffer.from(key, "base64")).update(id).digest("base64");

describe("registration with symmetric keys", () => {
  let small: SmallSandbox;
  let front: ServiceEndpoint;
  const keys = { primaryKey: newKey(), secondaryKey: newKey() };

  beforeEach(async () => {
    small = await smallSandbox();
    small.change({ serviceHostName: SANDBOX_HOST });
    const listen = { address: "127.0.0.1", httpsPort: 0, mqttPort: 0 };
    front = await startProvisioningFront(small.sandbox, SERVICE, listen);
  });

  afterEach(async () => {
    await front.close();
    await small.close();
  });

  const service = async (method: string, path: string, body?: Json) => {
    const answer = await request(small, front.httpsPort, {
      method,
      path: `${path}?api-version=2021-10-01`,
      headers: { authorization: `Bearer ${GOOD_TOKEN}` },
      body,
    });
    return answer;
  };
  const enroll = async (path: string, more: Json = {}) => {
    const property = path.startsWith("/enrollments/") ? "registrationId" : "enrollmentGroupId";
    const attestation = { type: "symmetricKey", symmetricKey: keys };
    const body = { [property]: path.split("/")[2], attestation, ...more };
    assert.equal((await service("PUT", path, body)).status, 200);
  };

  /** A signature as Microsoft's client makes it, with whatever is wrong with it on demand. */
  const signature = (
    key: string,
    { audience = `${ID_SCOPE}/registrations/${ID}`, seconds = 60 } = {},
  ) => {
    const sr = encodeURIComponent(audience);
    const se = Math.floor(Date.now() / 1000) + seconds;
    const sig = createHmac("sha256", Buffer.from(key, "base64"))
      .update(`${sr}\n${se}`)
      .digest("base64");
    return `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(sig)}&se=${se}&skn=registration`;
  };
  const device = (token: string, method: string, path: string, body?: Json) =>
    request(small, front.httpsPort, {
      method,
      path: `/${ID_SCOPE}/registrations/${path}?api-version=2019-03-31`,
      headers: { authorization: token },
      body,
    });
  const register = async (token: string, id = ID) => {
    const started = await device(token, "PUT", `${id}/register`, { registrationId: id });
    return started.status === 202
      ? device(token, "GET", `${id}/operations/${String(started.body["operationId"])}`)
      : started;
  };
  const written = (deviceId: string) => small.hubs.devices.get(`${HUB}/${deviceId}`);

  it("assigns Microsoft's device client by its own key, over every transport", async () => {
    await enroll(`/enrollments/${ID}`, { deviceId: "seven" });
    const job = (transport: Job["transport"], symmetricKey: string): Job => ({
      transport,
      id: ID,
      symmetricKey,
    });
    const outcomes = await registerWithMicrosoft(small, front, [
      job("mqtt", keys.primaryKey),
      job("mqtt-ws", keys.secondaryKey),
      job("http", keys.primaryKey),
      job("mqtt", newKey()),
      job("http", newKey()),
    ]);
    for (const { result, error } of outcomes.slice(0, 3)) {
      assert.equal(error, undefined);
      assert.deepEqual([result!["assignedHub"], result!["deviceId"]], [HUB, "seven"]);
    }
    // Another key: UnauthorizedError in the CLI extension's tests.
    for (const refused of outcomes.slice(3)) {
      assert.equal(refused.error!.name, "UnauthorizedError");
      assert.equal(refusalOf(refused)["errorCode"], 401002);
    }
    // check_hub_device(..., "sas") in the CLI extension's tests.
    assert.deepEqual(written("seven")!.authentication, { type: "sas", ...keys });
  });

  it("assigns members of a group by derived keys, refuses the group's own key, and names who has none", async () => {
    const [own, other] = ["truck-8", "truck-9"];
    const mqtt = (id: string, symmetricKey: string): Job => ({
      transport: "mqtt",
      id,
      symmetricKey,
    });
    const none = await registerWithMicrosoft(small, front, [mqtt(own, keys.primaryKey)]);
    // Not found (the CLI extension's tests); 404201 (the C# SDK's).
    assert.equal(refusalOf(none[0]!)["errorCode"], 404201);

    await enroll("/enrollmentGroups/trucks");
    const [first, second, groupKey, foreign] = await registerWithMicrosoft(small, front, [
      mqtt(own, derived(keys.primaryKey, own)),
      mqtt(other, derived(keys.secondaryKey, other)),
      mqtt(own, keys.primaryKey),
      mqtt(own, derived(keys.primaryKey, other)),
    ]);
    assert.equal(first!.result!["deviceId"], own);
    assert.equal(second!.result!["deviceId"], other);
    assert.equal(groupKey!.error!.name, "UnauthorizedError");
    assert.equal(foreign!.error!.name, "UnauthorizedError");
    assert.deepEqual(written(own)!.authentication, {
      type: "sas",
      primaryKey: derived(keys.primaryKey, own),
      secondaryKey: derived(keys.secondaryKey, own),
    });
    const listed = await service("POST", "/registrations/trucks/query");
    assert.deepEqual(
      (listed.body as unknown as Json[]).map((one) => one["registrationId"]),
      [own, other],
    );
  });

  it("ends as disabled where the enrollment is, and leaves a record that says so", async () => {
    // The Azure CLI extension's test_dps_device_registration_disabled_enrollment.
    await enroll(`/enrollments/${ID}`, { provisioningStatus: "disabled" });
    const answer = await register(signature(keys.primaryKey));
    assert.deepEqual([answer.status, answer.body["status"]], [200, "disabled"]);
    const record = (await service("GET", `/registrations/${ID}`)).body;
    assert.equal(record["status"], "disabled");
    assert.ok(record["etag"] && record["lastUpdatedDateTimeUtc"]);
    assert.deepEqual(small.hubs.calls, []);

    await enroll("/enrollmentGroups/trucks", { provisioningStatus: "disabled" });
    const member = signature(derived(keys.primaryKey, "truck-8"), {
      audience: `${ID_SCOPE}/registrations/truck-8`,
    });
    assert.equal((await register(member, "truck-8")).body["status"], "disabled");
  });

  it("an individual enrollment decides alone, whatever group would fit (not known, assumed)", async () => {
    await enroll("/enrollmentGroups/trucks");
    await enroll(`/enrollments/${ID}`, {
      attestation: { type: "symmetricKey", symmetricKey: { primaryKey: newKey() } },
    });
    const answer = await register(signature(derived(keys.primaryKey, ID)));
    assert.deepEqual([answer.status, answer.body["errorCode"]], [401, 401002]);
  });

  it("refuses signatures that are over, for somebody else, or no signatures, and logs why without them", async () => {
    await enroll(`/enrollments/${ID}`);
    const refused: [string, RegExp][] = [
      [signature(keys.primaryKey, { seconds: -1 }), /expired/],
      [signature(keys.primaryKey, { audience: `${ID_SCOPE}/registrations/truck-8` }), /truck-8/],
      [signature(keys.primaryKey, { audience: `0ne0/registrations/${ID}` }), /is for 0ne0/],
      ["Bearer something", /not well-formed/],
    ];
    for (const [token, reason] of refused) {
      const answer = await register(token);
      assert.deepEqual([answer.status, answer.body["errorCode"]], [401, 401002]);
      assert.ok(!JSON.stringify(answer.body).match(reason));
      const { note } = small.requests.filter((one) => one.service === "dps-device").at(-1)!;
      assert.match(note!, reason);
    }
    // Seen: clients that send the audience in lower case.
    const audience = `${ID_SCOPE}/registrations/${ID}`.toLowerCase();
    assert.equal((await register(signature(keys.primaryKey, { audience }))).status, 200);
    const log = JSON.stringify(small.requests);
    for (const secret of [keys.primaryKey, encodeURIComponent(keys.primaryKey), "sig="]) {
      assert.ok(!log.includes(secret));
    }
  });

  it("tells how a registration went to holders of a key of the enrollment only (not known, assumed)", async () => {
    await enroll(`/enrollments/${ID}`);
    const token = signature(keys.primaryKey);
    const started = await device(token, "PUT", `${ID}/register`, { registrationId: ID });
    const path = `${ID}/operations/${String(started.body["operationId"])}`;
    assert.equal((await device(signature(newKey()), "GET", path)).status, 401);
    assert.equal((await device(signature(keys.secondaryKey), "GET", path)).status, 200);
    const looked = await device(token, "POST", ID, {});
    assert.deepEqual([looked.status, looked.body["assignedHub"]], [200, HUB]);
    assert.ok(!("x509" in looked.body));
  });
});
