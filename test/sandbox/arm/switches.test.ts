import assert from "node:assert/strict";
import type { Switches } from "../../../sandbox/common/switches";
import { ARM_ONLY, type HttpAnswer, openSandbox, type TestSandbox } from "../../support/sandbox";
import { TestCa } from "../../support/test-ca";

/** What is not known about CA certificates in the resource manager, with each setting. */
describe("CA certificates of DPS with each setting of what is not known", () => {
  let sandbox: TestSandbox;
  let ca: TestCa;

  before(async () => {
    ca = await TestCa.root("Root");
  });
  afterEach(() => sandbox.close());

  const service = () =>
    `/subscriptions/${sandbox.subscriptionId}/resourceGroups/rg/providers/Microsoft.Devices/provisioningServices/dps`;
  async function set(switches: Partial<Switches>): Promise<void> {
    sandbox = await openSandbox({ fronts: ARM_ONLY, switches });
    const group = `/subscriptions/${sandbox.subscriptionId}/resourcegroups/rg`;
    await sandbox.arm("PUT", group, { body: { location: "westus" } });
    const body = { location: "westus", sku: { name: "S1", capacity: 1 }, properties: {} };
    const { headers } = await sandbox.arm("PUT", service(), { body });
    await sandbox.arm("GET", String(headers["azure-asyncoperation"]));
  }
  const call = (method: string, path: string, body?: object, etag?: string) =>
    sandbox.arm(method, `${service()}/certificates/root${path}`, {
      ...(body === undefined ? {} : { body }),
      headers: etag === undefined ? {} : { "if-match": etag },
    });
  const upload = (pem: string, more: object = {}, etag?: string) =>
    call(
      "PUT",
      "",
      { properties: { certificate: Buffer.from(pem).toString("base64"), ...more } },
      etag,
    );
  const isVerified = ({ body }: HttpAnswer) => body.properties["isVerified"];

  it("caMustBeCa=false: a device's certificate is taken as a CA certificate", async () => {
    await set({ caMustBeCa: false });
    assert.equal((await upload((await TestCa.selfSigned("pump-1")).pem)).status, 200);
  });
  it("caMustBeCa=true: a device's certificate is refused, a CA's is taken", async () => {
    await set({ caMustBeCa: true });
    const { status, body } = await upload((await TestCa.selfSigned("pump-1")).pem);
    assert.equal(status, 400);
    assert.match(body.message, /is not a CA certificate/);
    assert.equal((await upload(ca.pem)).status, 200);
  });

  it("caDeleteNeedsIfMatch=true: without the header 412, and the certificate stays", async () => {
    await set({ caDeleteNeedsIfMatch: true });
    await upload(ca.pem);
    assert.equal((await call("DELETE", "")).status, 412);
    assert.equal((await call("GET", "")).status, 200);
  });
  it("caDeleteNeedsIfMatch=false: deleted without the header, with an old one 412", async () => {
    await set({ caDeleteNeedsIfMatch: false });
    await upload(ca.pem);
    assert.equal((await call("DELETE", "", undefined, "c3RhbGU=")).status, 412);
    assert.equal((await call("DELETE", "")).status, 200);
    assert.equal((await call("GET", "")).status, 404);
  });

  it("severalCertificatesRefused=true: PEM text with two certificates is refused", async () => {
    await set({ severalCertificatesRefused: true });
    const { status, body } = await upload(ca.pem + (await TestCa.root("Other")).pem);
    assert.equal(status, 400);
    assert.match(body.message, /it holds 2 certificates/);
  });
  it("severalCertificatesRefused=false: the first of two certificates is taken", async () => {
    await set({ severalCertificatesRefused: false });
    const { status, body } = await upload(ca.pem + (await TestCa.root("Other")).pem);
    assert.equal(status, 200);
    assert.equal(body.properties["subject"], "Root");
  });

  it("verifiedSurvivesUpdate=false: a verified CA is not verified after an update", async () => {
    await set({ verifiedSurvivesUpdate: false });
    const { body } = await upload(ca.pem, { isVerified: true });
    assert.equal(isVerified(await upload(ca.pem, {}, body.etag)), false);
  });
  it("verifiedSurvivesUpdate=true: it is, unless the update says otherwise", async () => {
    await set({ verifiedSurvivesUpdate: true });
    const first = await upload(ca.pem, { isVerified: true });
    const second = await upload(ca.pem, {}, first.body.etag);
    assert.equal(isVerified(second), true);
    assert.equal(isVerified(await upload(ca.pem, { isVerified: false }, second.body.etag)), false);
  });

  it("newCodeEndsEarlierOnes=true: proof by a code that was followed by another fails", async () => {
    await set({ newCodeEndsEarlierOnes: true });
    assert.equal((await proofByTheFirstOfTwoCodes()).status, 400);
  });
  it("newCodeEndsEarlierOnes=false: proof by a code that was followed by another holds", async () => {
    await set({ newCodeEndsEarlierOnes: false });
    assert.equal(isVerified(await proofByTheFirstOfTwoCodes()), true);
  });

  async function proofByTheFirstOfTwoCodes(): Promise<HttpAnswer> {
    let { etag } = (await upload(ca.pem)).body;
    const codes: string[] = [];
    for (let times = 0; times < 2; times++) {
      const { body } = await call("POST", "/generateVerificationCode", undefined, etag);
      etag = body.etag;
      codes.push(String(body.properties["verificationCode"]));
    }
    const proof = (await ca.leaf(codes[0]!)).pem;
    return call("POST", "/verify", { certificate: Buffer.from(proof).toString("base64") }, etag);
  }
});
