import assert from "node:assert/strict";
import { IotHubClient } from "@azure/arm-iothub";
import { hubCaCertificates } from "../../../clients/hub-ca-certificates";
import { type AttachedSandbox, openAttached } from "../../clients/attached-sandbox";
import { TestCa } from "../../support/test-ca";

describe("CA certificates of an IoT hub", () => {
  let sandbox: AttachedSandbox;
  let client: IotHubClient;
  let ca: TestCa;

  before(async () => {
    sandbox = await openAttached();
    const { credential, subscriptionId, clientOptions } = sandbox;
    client = new IotHubClient(credential, subscriptionId, clientOptions);
    ca = await TestCa.root("Hub root");
  });

  after(() => sandbox.close());

  // Shapes: Azure CLI's recording of test_certificate_lifecycle (2021-03-31).
  it("are uploaded, proved, listed by the product's client, and deleted with the etag", async () => {
    const { certificates } = client;
    const sent = { properties: { certificate: Buffer.from(ca.pem).toString("base64") } };
    const uploaded = await certificates.createOrUpdate("rg", "hub", "root", sent);
    assert.equal(uploaded.type, "Microsoft.Devices/IotHubs/Certificates");
    assert.equal(uploaded.properties?.isVerified, false);
    assert.equal(uploaded.properties?.created?.getUTCFullYear(), new Date().getUTCFullYear());
    const coded = await certificates.generateVerificationCode("rg", "hub", "root", uploaded.etag!);
    const code = coded.properties?.verificationCode ?? "";
    const certificate = Buffer.from((await ca.leaf(code)).pem).toString("base64");
    await certificates.verify("rg", "hub", "root", coded.etag!, { certificate });
    assert.deepEqual(
      (await hubCaCertificates(sandbox.connection, sandbox.hub)).map(({ name, isVerified }) => ({
        name,
        isVerified,
      })),
      [{ name: "root", isVerified: true }],
    );
    // DPS has a list of its own.
    assert.equal(sandbox.sandbox.caCertificates.list().length, 0);
    const stale = certificates.delete("rg", "hub", "root", uploaded.etag!);
    await assert.rejects(stale, { statusCode: 412 });
    const { etag } = await certificates.get("rg", "hub", "root");
    await certificates.delete("rg", "hub", "root", etag!);
    assert.deepEqual(await hubCaCertificates(sandbox.connection, sandbox.hub), []);
  });

  it("are none of a hub that is not there", async () => {
    await assert.rejects(client.certificates.listByIotHub("rg", "nowhere"), { statusCode: 404 });
  });
});
