import assert from "node:assert/strict";
import type { Issued } from "../../support/test-ca";
import { TestCa } from "../../support/test-ca";
import { alone, chained, type Credential, curl, hubCode, registerByMqtt, sClient } from "./clients";
import { connackCode } from "./mqtt-packets";
import { openPlant, type Plant, run } from "./plant";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What a device holds, and what the facts say that DPS makes of it. */
interface Case {
  title: string;
  registrationId: string;
  credential: () => Promise<Credential>;
  status: number;
  /** DPS's error code, when it refuses. */
  errorCode?: number;
  /** Undefined: the text is not known, and any is good. */
  message?: RegExp;
}

describe("clients without an SDK: curl and openssl s_client", function () {
  this.timeout(60_000);
  let plant: Plant;
  let single: Issued;

  before(async function () {
    for (const program of ["curl", "openssl"]) {
      const { exitCode } = await run(program, [program === "curl" ? "--version" : "version"]);
      if (exitCode === undefined) {
        console.log(`    skipped: ${program} is not installed`);
        this.skip();
      }
    }
    plant = await openPlant();
    single = await TestCa.selfSigned("single");
    await plant.enroll("single", single.pem);
  });
  after(async () => plant?.close());

  const cases: Case[] = [
    {
      title: "a leaf below the group's verified root",
      registrationId: "fleet-1",
      credential: async () => chained(await plant.root.leaf("fleet-1")),
      status: 202,
    },
    {
      title: "a leaf below an intermediate that is presented",
      registrationId: "fleet-2",
      credential: async () =>
        chained(await (await plant.root.intermediate("site")).leaf("fleet-2")),
      status: 202,
    },
    {
      title: "the leaf of an individual enrollment",
      registrationId: "single",
      credential: async () => alone(single),
      status: 202,
    },
    {
      // azure-iot-sdk-python#177, -node#547
      title: "another leaf than that of the individual enrollment",
      registrationId: "single",
      credential: async () => alone(await TestCa.selfSigned("single")),
      status: 401,
      errorCode: 401002,
      message: /^Invalid certificate/,
    },
    {
      // azure-iot-sdk-c#1900, -java#203
      title: "a leaf whose intermediate is not presented",
      registrationId: "fleet-3",
      credential: async () => alone(await (await plant.root.intermediate("site")).leaf("fleet-3")),
      status: 401,
      errorCode: 401002,
      message: /^CA certificate not found/,
    },
    {
      title: "a leaf below a root that the service does not have",
      registrationId: "fleet-4",
      credential: async () => chained(await (await TestCa.root("stranger")).leaf("fleet-4")),
      status: 401,
      errorCode: 401002,
      message: /^CA certificate not found/,
    },
    {
      // The text of the real service is not known.
      title: "an expired leaf",
      registrationId: "fleet-5",
      credential: async () => {
        const now = Date.now();
        const notBefore = new Date(now - 3 * DAY_MS);
        const notAfter = new Date(now - DAY_MS);
        return chained(await plant.root.leaf("fleet-5", { notBefore, notAfter }));
      },
      status: 401,
      errorCode: 401002,
    },
    {
      // The text of the real service is not known.
      title: "a leaf with another common name than the registration ID",
      registrationId: "fleet-6",
      credential: async () => chained(await plant.root.leaf("somebody-else")),
      status: 401,
      errorCode: 401002,
    },
    {
      title: "no certificate",
      registrationId: "fleet-7",
      credential: async () => undefined,
      status: 401,
      errorCode: 401002,
    },
  ];

  describe("curl at the device API", () => {
    for (const one of cases) {
      it(`with ${one.title} gets ${one.status}${one.errorCode ? `, ${one.errorCode}` : ""}`, async () => {
        const { status, body } = await curl(
          plant,
          await one.credential(),
          "PUT",
          `${one.registrationId}/register`,
          { registrationId: one.registrationId },
        );
        assert.equal(status, one.status, JSON.stringify(body));
        assert.equal(body["errorCode"], one.errorCode);
        if (one.status === 202) {
          assert.equal(body["status"], "assigning");
          assert.match(body["operationId"] as string, /^5\.[0-9a-f]{16}\./);
        } else {
          assert.match(body["message"] as string, one.message ?? /./);
          assert.ok(body["trackingId"]);
        }
      });
    }

    it("ends with the hub, and with the presented leaf's SHA-256 in the hub's record", async () => {
      const leaf = await plant.root.leaf("fleet-8");
      const held = chained(leaf);
      const body = { registrationId: "fleet-8" };
      const started = await curl(plant, held, "PUT", "fleet-8/register", body);
      const operation = started.body["operationId"] as string;
      const finished = await curl(plant, held, "GET", `fleet-8/operations/${operation}`);
      const state = finished.body["registrationState"] as Record<string, unknown>;
      assert.equal(finished.body["status"], "assigned");
      assert.equal(state["assignedHub"], plant.hub.hostName);
      assert.equal(state["deviceId"], "fleet-8");
      const identity = await plant.identity("fleet-8");
      const { type, x509Thumbprint } = identity!["authentication"] as Record<string, unknown>;
      assert.equal(type, "selfSigned");
      assert.equal(
        (x509Thumbprint as Record<string, string>)["primaryThumbprint"],
        leaf.thumbprint,
      );
    });
  });

  describe("openssl s_client", () => {
    it("verifies the server by the sandbox's CA alone, in TLS 1.2 and 1.3, and is asked for a certificate", async () => {
      for (const version of ["-tls1_2", "-tls1_3"]) {
        const { stdout, stderr } = await sClient(plant, undefined, plant.service.device.mqtt, [
          version,
        ]);
        const text = `${stdout.toString("utf8")}${stderr}`;
        assert.match(text, /Verify return code: 0 \(ok\)|Verification: OK/, version);
        assert.match(text, /Requested Signature Algorithms/, version);
        assert.match(text, /No client certificate CA names sent/, version);
      }
    });

    it("cannot resume a session, which would lose the presented intermediates", async () => {
      const { stdout, stderr } = await sClient(plant, undefined, plant.service.device.mqtt, [
        "-tls1_2",
        "-reconnect",
      ]);
      const text = `${stdout.toString("utf8")}${stderr}`;
      assert.match(text, /New, TLSv1\.2/);
      assert.doesNotMatch(text, /Reused, /);
    });

    it("with a refused certificate connects to DPS by MQTT and gets the refusal as an answer", async () => {
      const stranger = await (await TestCa.root("stranger")).leaf("mqtt-1");
      const answer = await registerByMqtt(plant, chained(stranger), "mqtt-1");
      assert.equal(connackCode(answer), 0);
      assert.match(answer.toString("latin1"), /\$dps\/registrations\/res\/401\/\?\$rid=1/);
      assert.match(answer.toString("latin1"), /"errorCode":401002/);
    });

    it("registers by MQTT, connects to the hub, and is refused there with another certificate", async () => {
      const leaf = await plant.root.leaf("mqtt-2");
      const answer = await registerByMqtt(plant, chained(leaf), "mqtt-2");
      assert.match(
        answer.toString("latin1"),
        /\$dps\/registrations\/res\/202\/\?\$rid=1&retry-after=3/,
      );
      const operation = /"operationId":"([^"]+)"/.exec(answer.toString("latin1"))?.[1] ?? "";
      const finished = await curl(plant, chained(leaf), "GET", `mqtt-2/operations/${operation}`);
      assert.equal(finished.body["status"], "assigned");

      assert.equal(await hubCode(plant, chained(leaf), "mqtt-2"), 0);
      const other = await plant.root.leaf("mqtt-2");
      assert.equal(await hubCode(plant, chained(other), "mqtt-2"), 5);
      assert.equal(await hubCode(plant, undefined, "mqtt-2"), 5);
    });
  });
});
