import assert from "node:assert/strict";
import type { ProvisioningServiceClient } from "azure-iot-provisioning-service";
import mqtt from "mqtt";
import { Throttles } from "../../../sandbox/common/throttles";
import { startProvisioningFront } from "../../../sandbox/dps-service/front";
import { TestCa } from "../../support/test-ca";
import { fixture, ID, withGroup, type Fixture } from "../dps-device/fixture";
import { fails, serve, type Json, type Served } from "./service-client";
import { GOOD_TOKEN } from "../sandbox-parts";
import { ID_SCOPE, request, SERVICE, smallSandbox } from "./small-sandbox";

/** Rates: MicrosoftDocs/azure-docs includes/iot-dps-limits.md. Code and text of the 429: not known. */
describe("the rates of a provisioning service", () => {
  let ms: number;
  const throttles = () => new Throttles({ now: () => ms });
  beforeEach(() => (ms = 0));

  describe("of its service API", () => {
    let served: Served;
    let client: ProvisioningServiceClient;
    beforeEach(async () => {
      served = await serve(throttles());
      ({ client } = served);
    });
    afterEach(() => served.close());

    const entries = (count: number) =>
      Array.from({ length: count }, (_, at) => ({
        registrationId: `device-${at}`,
        attestation: { type: "symmetricKey" },
      })) as never;
    const create = (count: number) =>
      new Promise<Json>((resolve, reject) =>
        client.runBulkEnrollmentOperation(
          { enrollments: entries(count), mode: "create" },
          (error, result) => (error ? reject(error) : resolve(result as unknown as Json)),
        ),
      );

    it("are 1,000 operations a minute, where a bulk operation counts as its entries", async () => {
      assert.equal((await create(10))["isSuccessful"], true);
      // 10 of 1,000 are gone; the rest is used up without a thousand requests.
      assert.equal(
        served.small.sandbox.throttles.take(
          { name: "dps-operations", count: 1000, seconds: 60 },
          served.small.service().name,
          985,
        ),
        undefined,
      );
      const refused = (await create(10).catch((error: unknown) => error)) as {
        name: string;
        response: { statusCode: number; headers: Json };
      };
      assert.equal(refused.name, "ThrottlingError");
      assert.equal(refused.response.statusCode, 429);
      assert.equal(refused.response.headers["retry-after"], "1");
      await client.getIndividualEnrollment("device-9");
      for (let at = 0; at < 4; at++) {
        await client.getIndividualEnrollment("device-1");
      }
      await fails(client.getIndividualEnrollment("device-1"), 429, 429000);
      ms += 60;
      await client.getIndividualEnrollment("device-1");
    });
  });

  it("count a bulk operation once where they are set to", async () => {
    const f = await fixture({ bulkCounts: "per-call" }, throttles());
    const { small, port } = f;
    try {
      const send = () =>
        request(small, port, {
          method: "POST",
          path: "/enrollments?api-version=2021-10-01",
          headers: { authorization: `Bearer ${GOOD_TOKEN}` },
          body: {
            mode: "delete",
            enrollments: Array.from({ length: 10 }, (_, at) => ({ registrationId: `d-${at}` })),
          },
        });
      const limit = { name: "dps-operations", count: 1000, seconds: 60 };
      small.sandbox.throttles.take(limit, small.service().name, 998);
      const statuses = [];
      for (let at = 0; at < 3; at++) {
        statuses.push((await send()).status);
      }
      assert.deepEqual(statuses, [200, 200, 429]);
    } finally {
      await f.close();
    }
  });

  it("leave who is not let in uncounted", async () => {
    const f = await fixture({}, throttles());
    const { small, port } = f;
    try {
      for (let at = 0; at < 3; at++) {
        await request(small, port, { path: "/enrollments/a?api-version=2021-10-01" });
      }
      const limit = { name: "dps-operations", count: 1000, seconds: 60 };
      assert.equal(small.sandbox.throttles.take(limit, small.service().name, 1000), undefined);
    } finally {
      await f.close();
    }
  });

  it("are told to devices over MQTT with the time to wait", async () => {
    const small = await smallSandbox(throttles());
    const listen = { address: "127.0.0.1", httpsPort: 0, mqttPort: 0 };
    const front = await startProvisioningFront(small.sandbox, SERVICE, listen);
    const leaf = await TestCa.selfSigned(ID);
    const client = await mqtt.connectAsync(`mqtts://localhost:${front.mqttPort}`, {
      protocolVersion: 4,
      clientId: ID,
      username: `${ID_SCOPE}/registrations/${ID}/api-version=2019-03-31`,
      ca: small.tlsRoot,
      cert: leaf.chainPem,
      key: leaf.key,
      reconnectPeriod: 0,
    });
    try {
      const limit = { name: "dps-registrations", count: 1000, seconds: 60 };
      small.sandbox.throttles.take(limit, SERVICE, 1000);
      await client.subscribeAsync("$dps/registrations/res/#", { qos: 1 });
      const answer = new Promise<string>((resolve) =>
        client.once("message", (topic) => resolve(topic)),
      );
      await client.publishAsync("$dps/registrations/PUT/iotdps-register/?$rid=1", "{}", { qos: 1 });
      assert.equal(await answer, "$dps/registrations/res/429/?$rid=1&retry-after=1");
    } finally {
      await client.endAsync();
      await front.close();
      await small.close();
    }
  });

  describe("for devices", () => {
    let f: Fixture;
    beforeEach(async () => {
      f = await fixture({ pollsWhileAssigning: 9 }, throttles());
    });
    afterEach(() => f.close());

    it("are five polls in ten seconds for each", async () => {
      const { ca, leaf } = await withGroup(f);
      const started = await f.device(leaf, "PUT", `${ID}/register`, { registrationId: ID });
      const path = `${ID}/operations/${String(started.body["operationId"])}`;
      for (let at = 0; at < 5; at++) {
        assert.equal((await f.device(leaf, "GET", path)).status, 202);
      }
      const refused = await f.device(leaf, "GET", path);
      assert.deepEqual([refused.status, refused.headers["retry-after"]], [429, "2"]);
      const other = await f.register(await ca.leaf("truck-8"), "truck-8");
      assert.equal(other.status, 202);
      ms += 2_000;
      assert.equal((await f.device(leaf, "GET", path)).status, 202);
    });

    it("are 1,000 registrations a minute, counted apart from the service API", async () => {
      const { leaf } = await withGroup(f);
      const limit = { name: "dps-registrations", count: 1000, seconds: 60 };
      f.small.sandbox.throttles.take(limit, f.small.service().name, 1000);
      const register = () => f.device(leaf, "PUT", `${ID}/register`, { registrationId: ID });
      const refused = await register();
      assert.deepEqual([refused.status, refused.body["errorCode"]], [429, 429000]);
      assert.equal((await f.service("GET", "/enrollmentGroups/trucks")).status, 200);
      ms += 60;
      assert.equal((await register()).status, 202);
    });
  });
});
