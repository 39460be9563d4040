import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { openSandbox, type TestSandbox } from "../../support/sandbox";
import { TestCa } from "../../support/test-ca";

const ROOT = resolve(__dirname, "../../..");

/**
 * Microsoft's service SDKs, unmodified, in a process that has only the sandbox's environment. They
 * use port 443 of the host name in the connection string; the preload leads them on.
 */
describe("a process with the sandbox's environment", () => {
  let sandbox: TestSandbox;

  before(async () => {
    sandbox = await openSandbox();
    const group = `/subscriptions/${sandbox.subscriptionId}/resourcegroups/rg`;
    await sandbox.arm("PUT", group, { body: { location: "westus" } });
    for (const type of ["IotHubs/hub", "provisioningServices/dps"]) {
      const { iotHubs } = sandbox.endpoints();
      const linked = iotHubs.map(({ connectionString }) => ({
        connectionString,
        location: "westus",
      }));
      const answer = await sandbox.arm("PUT", `${group}/providers/Microsoft.Devices/${type}`, {
        body: {
          location: "westus",
          sku: { name: "S1", capacity: 1 },
          properties: type === "IotHubs/hub" ? {} : { iotHubs: linked },
        },
      });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      const done = await sandbox.arm("GET", String(answer.headers["azure-asyncoperation"]));
      assert.equal(done.body.status, "Succeeded", JSON.stringify(done.body));
    }
  });

  after(() => sandbox.close());

  it("uses the enrollment API with a connection string", async () => {
    const leaf = await TestCa.selfSigned("device-1");
    const result = await run(
      `
      const { ProvisioningServiceClient } = require("azure-iot-provisioning-service");
      const client = ProvisioningServiceClient.fromConnectionString(process.env.DPS);
      const certificate = process.env.CERTIFICATE;
      await client.createOrUpdateIndividualEnrollment({
        registrationId: "device-1",
        attestation: { type: "x509", x509: { clientCertificates: { primary: { certificate } } } },
      });
      const { responseBody } = await client.getIndividualEnrollment("device-1");
      return responseBody.attestation.x509.clientCertificates.primary.info.sha256Thumbprint;
    `,
      {
        DPS: sandbox.endpoints().provisioningServices[0]!.connectionString,
        CERTIFICATE: leaf.pem,
      },
    );
    assert.equal(result, leaf.thumbprint);
  });

  it("uses both service APIs with a token of the sandbox", async () => {
    const { provisioningServices, iotHubs } = sandbox.endpoints();
    const result = await run(
      `
      const { ClientSecretCredential } = require("@azure/identity");
      const { ProvisioningServiceClient } = require("azure-iot-provisioning-service");
      const { Registry } = require("azure-iothub");
      const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET } = process.env;
      const credential = new ClientSecretCredential(
        AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, { disableInstanceDiscovery: true });
      const dps = ProvisioningServiceClient.fromTokenCredential(process.env.DPS_HOST, credential);
      const hub = Registry.fromTokenCredential(process.env.HUB_HOST, credential);
      const found = await dps.getIndividualEnrollment("device-1");
      await hub.create({ deviceId: "by-token" });
      const read = await hub.get("by-token");
      return [found.responseBody.registrationId, read.responseBody.deviceId];
    `,
      {
        DPS_HOST: provisioningServices[0]!.serviceHostName,
        HUB_HOST: iotHubs[0]!.hostName,
      },
    );
    assert.deepEqual(result, ["device-1", "by-token"]);
  });

  it("uses the registry of a hub with a connection string, on kept-alive connections", async () => {
    const result = await run(
      `
      const { Registry } = require("azure-iothub");
      const registry = Registry.fromConnectionString(process.env.HUB);
      await registry.create({ deviceId: "device-2" });
      const { responseBody } = await registry.get("device-2");
      const missing = await registry.get("device-3").catch((error) => error.name);
      return [responseBody.deviceId, missing];
    `,
      { HUB: sandbox.endpoints().iotHubs[0]!.connectionString },
    );
    assert.deepEqual(result, ["device-2", "DeviceNotFoundError"]);
  });

  it("forgets what a service stored when the service is deleted", async () => {
    const group = `/subscriptions/${sandbox.subscriptionId}/resourcegroups/rg`;
    const stored = () => [
      sandbox.sandbox.collection("dps-individual-enrollments").list().length,
      sandbox.sandbox.collection("hub-devices").list().length,
    ];
    assert.deepEqual(stored(), [1, 2]);
    const deleted = await sandbox.arm("DELETE", group, { apiVersion: "2024-03-01" });
    assert.equal((await sandbox.arm("GET", String(deleted.headers["location"]))).status, 200);
    assert.deepEqual(stored(), [0, 0]);
  });

  function run(body: string, variables: Record<string, string>): Promise<unknown> {
    const script = `(async () => { ${body} })().then(
      (value) => { console.log(JSON.stringify(value)); process.exit(0); },
      (error) => { console.error(error); process.exit(1); });`;
    const child = spawn(process.execPath, ["-e", script], {
      cwd: ROOT,
      env: { ...process.env, ...sandbox.environment({}), ...variables },
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (err += data.toString()));
    return new Promise((ok, no) => {
      child.on("error", no);
      child.on("close", (code) => (code === 0 ? ok(JSON.parse(out)) : no(new Error(err))));
    });
  }
});
