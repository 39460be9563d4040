import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { type Issued, TestCa } from "../../support/test-ca";
import { aim } from "../aim";
import { NoPython, pythonWithPackages } from "./environment";
import { openPythonStage, type PythonStage } from "./stage";

type Json = Record<string, unknown>;

/**
 * Contract cases on Microsoft's Python packages, unmodified, in the versions of requirements.txt. A sandbox
 * needs standard ports for them: the device SDK knows no others. Each case says where the expected answer
 * comes from: the SDK's own code (what it accepts, what it shows), a page, a recording, or "not known".
 */
describe("Microsoft's Python packages", function () {
  this.timeout(aim === undefined ? 300_000 : 30 * 60_000);
  let python: string;
  let stage: PythonStage;

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
    stage = await openPythonStage();
  });
  after(async () => stage?.close());

  /** What the script printed. */
  async function run(script: string, args: Json): Promise<Json> {
    const child = spawn(python, [join(__dirname, script), JSON.stringify(args)], {
      env: stage.env,
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
      server_ca: stage.serverCa,
      cert: stage.file(`${registrationId}.pem`, credential.chainPem),
      key: stage.file(`${registrationId}.key`, credential.key),
    };
  }

  async function device(
    registrationId: string,
    credential: Pick<Issued, "chainPem" | "key">,
    websockets = false,
  ): Promise<Json> {
    return run("device.py", {
      ...files(registrationId, credential),
      provisioning_host: stage.service.deviceHost,
      id_scope: stage.service.idScope,
      registration_id: registrationId,
      telemetry: `hello from ${registrationId}`,
      websockets,
    });
  }

  describe("azure-iot-device", () => {
    // Page: concepts-x509-attestation (a chain to a verified CA). What is written to the hub: Azure CLI
    // extension's live test test_iot_device_registration_individual_int.
    it("registers through a chain, connects to the hub, sends telemetry and uses its twin", async () => {
      const leaf = await (await stage.root.intermediate("site")).leaf("python-1");
      assert.deepEqual(await device("python-1", leaf), {
        status: "assigned",
        hub: stage.hub.host,
        device: "python-1",
        reported: "hello from python-1",
      });
      // Only a sandbox of its own can show what has arrived.
      const telemetry = stage.requests?.filter(
        ({ service, method, path }) =>
          service === "iot-hub-device" &&
          method === "PUBLISH" &&
          path.startsWith("devices/python-1/messages/events/"),
      );
      assert.equal(telemetry?.length ?? 1, 1);
      const identity = await stage.identity("python-1");
      const { x509Thumbprint } = identity!["authentication"] as Record<
        string,
        Record<string, string>
      >;
      assert.equal(x509Thumbprint!["primaryThumbprint"], leaf.thumbprint);
    });

    // Page: iot-mqtt-connect-to-iot-hub, "MQTT over WebSockets" (443, /$iothub/websocket).
    it("does the same over WebSockets", async function () {
      if (!stage.hasPort443) {
        console.log("      skipped: port 443 is not permitted here, and the SDK knows no other");
        this.skip();
      }
      const leaf = await (await stage.root.intermediate("site")).leaf("python-ws");
      const { status, reported } = await device("python-ws", leaf, true);
      assert.deepEqual([status, reported], ["assigned", "hello from python-ws"]);
    });

    // Page: concepts-x509-attestation (a self-signed leaf needs no CA in an individual enrollment).
    it("registers by an individual enrollment", async () => {
      const leaf = await TestCa.selfSigned("python-2");
      await stage.enroll("python-2", leaf.pem);
      assert.equal((await device("python-2", leaf))["status"], "assigned");
    });

    // Seen: azure-iot-sdk-c#1900 (connected, and 401 as the answer to the registration).
    it("is refused with a certificate that nobody vouches for", async () => {
      const stranger = await (await TestCa.root("stranger")).leaf("python-3");
      const { refused } = await device("python-3", stranger);
      assert.match(String(refused), /ServiceError.*401/);
      assert.equal(await stage.identity("python-3"), undefined);
    });
  });

  describe("azure-iot-hub", () => {
    let answers: Record<"registry" | "bulk" | "method", Json>;

    before(async () => {
      const leaf = await stage.root.leaf("python-hub");
      assert.equal((await device("python-hub", leaf))["status"], "assigned");
      answers = (await run("hub.py", {
        ...files("python-hub", leaf),
        hub_host: stage.hub.host,
        device_id: "python-hub",
        connection_string: stage.hub.connectionString,
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
    const { services, ...manager } = stage.manager;
    const { scope, ...rest } = await run("management.py", {
      ...manager,
      name: services[1],
      ca_pem: root.pem,
      ca_key: root.certificate.key,
    });
    assert.match(String(scope), /^0ne[0-9A-F]{8}$/);
    assert.deepEqual(rest, {
      made: [services[1], "Active", "Hashed"],
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
      names: services,
      gone: 404,
    });
  });
});
