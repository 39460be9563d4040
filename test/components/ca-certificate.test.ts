import assert from "node:assert/strict";
import { TestCa } from "../support/test-ca";
import { Mocks, shown, valueOf } from "./mocks";
import { serviceArgs } from "./service";

describe("the CA certificate component", () => {
  let root: TestCa;
  let mocks: Mocks;
  let service: InstanceType<Mocks["modules"]["ProvisioningService"]>;

  before(async () => {
    root = await TestCa.root("Root A");
  });

  beforeEach(async () => {
    mocks = await Mocks.set(root.pem);
    service = new mocks.modules.ProvisioningService("service", serviceArgs());
  });

  it("proves a CA of the stack with its key, as a secret; another one needs a proof", async () => {
    const { CaCertificate, certificateFromPem, DevCertificate } = mocks.modules;
    const dev = { commonName: "Root", days: 2, key: "ecdsa-p256" as const, ca: true };
    const certificate = new DevCertificate("root", dev);
    const ca = new CaCertificate("root", { service, certificate });
    await mocks.settled(service, ca);
    const { inputs } = mocks.one("CaCertificate", "root");
    assert.doesNotMatch(JSON.stringify(shown(inputs, "hidden")), /key of root/);
    const { proof, name } = shown(inputs, "in clear") as Record<string, unknown>;
    assert.deepEqual([proof, name], [{ keyPem: "key of root, PKCS#8" }, "root"]);
    const file = certificateFromPem("file", root.pem);
    assert.throws(() => new CaCertificate("file", { service, certificate: file }), {
      message: /^DPS-CERT-029 at caCertificates\.file\.proof: found no proof of possession /,
    });
    const adopted = new CaCertificate("adopted", { service, certificate: file, adopt: true });
    await mocks.settled(service, adopted);
    const { inputs: taken } = mocks.one("CaCertificate", "adopted");
    assert.deepEqual([taken["proof"], taken["adopt"]], [undefined, true]);
  });

  it("gives out the code that waits for a CA's proof", async () => {
    const { CaCertificate, certificateFromPem } = mocks.modules;
    const certificate = certificateFromPem("root", root.pem);
    const proof = { offline: {} };
    const ca = new CaCertificate("root", { service, certificate, proof, reenable: "inspected" });
    await mocks.settled(service, ca);
    const { inputs } = mocks.one("CaCertificate", "root");
    assert.deepEqual([inputs["proof"], inputs["reenable"]], [proof, "inspected"]);
    assert.deepEqual(await valueOf(ca.pending), { code: "C0DE", etag: "1" });
  });
});
