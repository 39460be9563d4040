import assert from "node:assert/strict";
import { join } from "node:path";
import type { LoggedRequest } from "../../../sandbox/common/request-log";
import { type Issued, TestCa } from "../../support/test-ca";
import { openPlant, type Plant, run } from "../openssl/plant";
import { NoPython, pythonWith } from "./environment";

const PACKAGE = "azure-iot-device";
const VERSION = "2.14.0";

describe(`a device on Microsoft's Python SDK (${PACKAGE} ${VERSION}), at a sandbox with standard ports`, function () {
  this.timeout(240_000);
  let python: string;
  let plant: Plant;
  const requests: LoggedRequest[] = [];

  before(async function () {
    try {
      python = await pythonWith(PACKAGE, VERSION);
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

  async function device(
    registrationId: string,
    credential: Pick<Issued, "chainPem" | "key">,
  ): Promise<Record<string, unknown>> {
    const [host, port] = plant.service.device.mqtt.split(":");
    assert.equal(port, "8883", "the SDK knows no other port");
    const { exitCode, stdout, stderr } = await run(python, [
      join(__dirname, "device.py"),
      JSON.stringify({
        server_ca: plant.sandbox.endpoints().caFile,
        cert: plant.file(`${registrationId}.pem`, credential.chainPem),
        key: plant.file(`${registrationId}.key`, credential.key),
        provisioning_host: host,
        id_scope: plant.service.idScope,
        registration_id: registrationId,
        telemetry: `hello from ${registrationId}`,
      }),
    ]);
    assert.equal(exitCode, 0, stderr);
    return JSON.parse(stdout.toString("utf8")) as Record<string, unknown>;
  }

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

  it("registers by an individual enrollment", async () => {
    const leaf = await TestCa.selfSigned("python-2");
    await plant.enroll("python-2", leaf.pem);
    assert.equal((await device("python-2", leaf))["status"], "assigned");
  });

  it("is refused with a certificate that nobody vouches for", async () => {
    const stranger = await (await TestCa.root("stranger")).leaf("python-3");
    const { refused } = await device("python-3", stranger);
    assert.match(String(refused), /ServiceError.*401/);
    assert.equal(await plant.identity("python-3"), undefined);
  });
});
