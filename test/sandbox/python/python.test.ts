import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { LoggedRequest } from "../../../sandbox/common/request-log";
import { type Issued, TestCa } from "../../support/test-ca";
import { openPlant, type Plant } from "../openssl/plant";
import { NoPython, pythonWithPackages } from "./environment";

type Json = Record<string, unknown>;

/**
 * Contract cases on Microsoft's Python packages, unmodified, in the versions of requirements.txt, at a
 * sandbox with standard ports: the device SDK knows no others. Each case says where the expected answer
 * comes from: the SDK's own code (what it accepts, what it shows), a page, a recording, or "not known".
 */
describe("Microsoft's Python packages", function () {
  this.timeout(300_000);
  let python: string;
  let plant: Plant;
  const requests: LoggedRequest[] = [];

  before(async function () {
    try {
      python = await pythonWithPackages();
    } catch (error) {
      if (error instanceof NoPython) {
        console.log(`    skipped: ${error.message}`);
        this.skip();
      }
      throw error;
    }
    plant = await openPlant({ standardPorts: true });
    plant.sandbox.sandbox.log.on("request", (request) => requests.push(request));
  });
  after(async () => plant?.close());

  /** What the script printed. */
  async function run(script: string, args: Json): Promise<Json> {
    const child = spawn(python, [join(__dirname, script), JSON.stringify(args)], {
      env: { ...process.env, REQUESTS_CA_BUNDLE: plant.sandbox.endpoints().caFile },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    const code = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Json;
  }

  function files(registrationId: string, credential: Pick<Issued, "chainPem" | "key">): Json {
    return {
      server_ca: plant.sandbox.endpoints().caFile,
      cert: plant.file(`${registrationId}.pem`, credential.chainPem),
      key: plant.file(`${registrationId}.key`, credential.key),
    };
  }

  async function device(
    registrationId: string,
    credential: Pick<Issued, "chainPem" | "key">,
    websockets = false,
  ): Promise<Json> {
    const [host, port] = plant.service.device.mqtt.split(":");
    assert.equal(port, "8883", "the SDK knows no other port");
    return run("device.py", {
      ...files(registrationId, credential),
      provisioning_host: host,
      id_scope: plant.service.idScope,
      registration_id: registrationId,
      telemetry: `hello from ${registrationId}`,
      websockets,
    });
  }

  describe("azure-iot-device", () => {
    // Page: concepts-x509-attestation (a chain to a verified CA). What is written to the hub: Azure CLI
    // extension's live test test_iot_device_registration_individual_int.
    it("registers through a chain, connects to the hub, sends telemetry and uses its twin", async () => {
      const leaf = await (await plant.root.intermediate("site")).leaf("python-1");
      assert.deepEqual(await device("python-1", leaf), {
        status: "assigned",
        hub: plant.hub.hostName,
        device: "python-1",
        reported: "hello from python-1",
      });
      const telemetry = requests.filter(
        ({ service, method, path }) =>
          service === "iot-hub-device" &&
          method === "PUBLISH" &&
          path.startsWith("devices/python-1/messages/events/"),
      );
      assert.equal(telemetry.length, 1);
      const identity = await plant.identity("python-1");
      const { x509Thumbprint } = identity!["authentication"] as Record<
        string,
        Record<string, string>
      >;
      assert.equal(x509Thumbprint!["primaryThumbprint"], leaf.thumbprint);
    });

    // Page: iot-mqtt-connect-to-iot-hub, "MQTT over WebSockets" (443, /$iothub/websocket).
    it("does the same over WebSockets", async function () {
      if (![plant.service.serviceEndpoint, plant.hub.endpoint].every(isStandard)) {
        console.log("      skipped: port 443 is not permitted here, and the SDK knows no other");
        this.skip();
      }
      const leaf = await (await plant.root.intermediate("site")).leaf("python-ws");
      const { status, reported } = await device("python-ws", leaf, true);
      assert.deepEqual([status, reported], ["assigned", "hello from python-ws"]);
    });

    // Page: concepts-x509-attestation (a self-signed leaf needs no CA in an individual enrollment).
    it("registers by an individual enrollment", async () => {
      const leaf = await TestCa.selfSigned("python-2");
      await plant.enroll("python-2", leaf.pem);
      assert.equal((await device("python-2", leaf))["status"], "assigned");
    });

    // Seen: azure-iot-sdk-c#1900 (connected, and 401 as the answer to the registration).
    it("is refused with a certificate that nobody vouches for", async () => {
      const stranger = await (await TestCa.root("stranger")).leaf("python-3");
      const { refused } = await device("python-3", stranger);
      assert.match(String(refused), /ServiceError.*401/);
      assert.equal(await plant.identity("python-3"), undefined);
    });
  });

  describe("azure-iot-hub", () => {
    let answers: Record<"registry" | "bulk" | "method", Json>;

    before(async () => {
      const leaf = await plant.root.leaf("python-hub");
      assert.equal((await device("python-hub", leaf))["status"], "assigned");
      const { host } = new URL(plant.hub.endpoint);
      answers = (await run("hub.py", {
        ...files("python-hub", leaf),
        hub_host: plant.hub.hostName,
        device_id: "python-hub",
        connection_string: plant.hub.connectionString.replace(/HostName=[^;]+/, `HostName=${host}`),
      })) as typeof answers;
    });

    // Codes: azure-iot-sdk-csharp, ErrorCode.cs (409001, 412001, 404001); that keys are made where
    // none are sent: azure-iothub's client expects them.
    it("creates, reads, updates and deletes identities, with their etags", () => {
      assert.deepEqual(answers.registry, {
        authentication: "selfSigned",
        thumbprints: "A1".repeat(32),
        again: [409, "ErrorCode:DeviceAlreadyExists"],
        statuses: ["enabled", "disabled", "disabled"],
        stale: [412, "ErrorCode:PreconditionFailed"],
        keys: [44, 44],
        missing: [404, "ErrorCode:DeviceNotFound"],
      });
    });

    // Page: iot-hub-devguide-query-language; headers: the SDK's own query_iot_hub.
    it("creates and deletes in bulk, and queries page by page", () => {
      assert.deepEqual(answers.bulk, {
        made: true,
        pages: [["bulk-0", "bulk-1"], ["bulk-2"]],
        last: null,
        gone: true,
        left: [],
      });
    });

    // Pages: iot-hub-devguide-direct-methods (404103 for a device that is not online), -jobs.
    it("calls a direct method, also by a job", () => {
      assert.deepEqual(answers.method, {
        answer: [201, { got: { n: 1 } }],
        job: "completed",
        offline: [404, 404103],
      });
    });
  });

  // Recorded: Azure CLI, test_dps_lifecycle and test_dps_certificate_lifecycle; azure-sdk-for-net,
  // DpsCertificateOperations. not known, assumed: 412 to a verification with an etag that is not the newest.
  it("azure-mgmt-iothubprovisioningservices: a DPS and its CA certificate, with proof of possession", async () => {
    const root = await TestCa.root("Python root");
    const { arm } = plant.sandbox.endpoints();
    const { scope, ...rest } = await run("management.py", {
      tenant: arm.tenantId,
      client: arm.clientId,
      secret: arm.clientSecret,
      authority: arm.authorityHost,
      subscription: arm.subscriptionId,
      endpoint: arm.endpoint,
      group: "plant",
      ca_pem: root.pem,
      ca_key: root.certificate.key,
    });
    assert.match(String(scope), /^0ne[0-9A-F]{8}$/);
    assert.deepEqual(rest, {
      made: ["py-dps", "Active", "Hashed"],
      keys: ["provisioningserviceowner"],
      same: true,
      certificate: {
        made: ["Python root", false],
        unguarded: 412,
        code: 48,
        newEtags: 3,
        stale: 412,
        verified: true,
        listed: ["py-root"],
        gone: 404,
      },
      tags: { by: "python" },
      names: ["plant-dps", "py-dps"],
      gone: 404,
    });
  });
});

function isStandard(url: string): boolean {
  return new URL(url).port === "";
}
