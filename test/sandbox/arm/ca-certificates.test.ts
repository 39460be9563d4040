import assert from "node:assert/strict";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { OffsetClock } from "../../../sandbox/common/clock";
import { Enrollments } from "../../../sandbox/dps-service/enrollments";
import { Directory } from "../../../sandbox/dps-service/records";
import { ARM_ONLY, openSandbox, type ArmRequest, type TestSandbox } from "../../support/sandbox";
import { TestCa } from "../../support/test-ca";

const DAY_MS = 24 * 60 * 60 * 1000;

describe("CA certificates of a DPS instance", () => {
  const clock = new OffsetClock();
  let sandbox: TestSandbox;
  let client: IotDpsClient;
  let ca: TestCa;

  before(async () => {
    sandbox = await openSandbox({ fronts: ARM_ONLY, clock });
    client = new IotDpsClient(sandbox.credential, sandbox.subscriptionId, sandbox.clientOptions);
    const group = `/subscriptions/${sandbox.subscriptionId}/resourcegroups/rg`;
    await sandbox.arm("PUT", group, { body: { location: "westus" } });
    for (const name of ["dps", "full"]) {
      await client.iotDpsResource.beginCreateOrUpdateAndWait("rg", name, {
        location: "westus",
        sku: { name: "S1", capacity: 1 },
        properties: {},
      });
    }
    ca = await TestCa.root("Root A");
  });

  after(() => sandbox.close());

  it("uploads PEM or DER, and shows the common name, the thumbprint and the dates", async () => {
    const pem = await upload("pem", Buffer.from(ca.pem));
    const der = await upload("der", ca.der);
    assert.equal(pem.properties?.subject, "Root A");
    assert.match(pem.properties?.thumbprint ?? "", /^[0-9A-F]{40}$/);
    assert.equal(pem.properties?.thumbprint, der.properties?.thumbprint);
    assert.equal(pem.properties?.isVerified, false);
    assert.equal(pem.type, "Microsoft.Devices/provisioningServices/Certificates");
    assert.match(Buffer.from(pem.etag ?? "", "base64").toString(), /^"[0-9a-f-]{36}"$/);
    const raw = await certificate("GET", "pem");
    assert.equal(raw.body.properties["created"], "Mon, 01 Jan 0001 00:00:00 GMT");
    assert.match(
      String(raw.body.properties["expiry"]),
      /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/,
    );
    const listed = await client.dpsCertificate.list("rg", "dps");
    assert.deepEqual(
      listed.value?.map((one) => one.name),
      ["der", "pem"],
    );
  });

  it("is deleted while a group refers to it, unless the switch says otherwise", async () => {
    const service = `/subscriptions/@/resourceGroups/rg/providers/Microsoft.Devices/provisioningServices/dps`;
    for (const referencedCaDelete of ["accepted", "refused"] as const) {
      const own = await openSandbox({ fronts: ARM_ONLY, switches: { referencedCaDelete } });
      try {
        const path = service.replace("@", own.subscriptionId);
        await own.arm("PUT", `/subscriptions/${own.subscriptionId}/resourcegroups/rg`, {
          body: { location: "westus" },
        });
        await own.arm("PUT", path, {
          body: { location: "westus", sku: { name: "S1", capacity: 1 }, properties: {} },
        });
        await own.arm("PUT", `${path}/certificates/root`, {
          body: { properties: { certificate: ca.der.toString("base64") } },
        });
        const directory = new Directory(own.sandbox, own.sandbox.services.get("dps")!);
        const enrollments = new Enrollments(directory, own.sandbox.switches, new Date());
        const x509 = { caReferences: { secondary: "ROOT", primary: "root" } };
        const body = { enrollmentGroupId: "trucks", attestation: { type: "x509", x509 } };
        enrollments.put("group", "trucks", body, undefined);
        const remove = () =>
          own.arm("DELETE", `${path}/certificates/root`, { headers: { "if-match": "*" } });
        if (referencedCaDelete === "refused") {
          const refused = await remove();
          assert.equal(refused.status, 409);
          assert.match(refused.body.message, /enrollment group 'trucks'/);
          enrollments.delete("group", "trucks", undefined);
        }
        assert.equal((await remove()).status, 200);
      } finally {
        await own.close();
      }
    }
  });

  it("takes the flat body up to 2021-10-15 and the nested one since 2022-02-05", async () => {
    const text = Buffer.from(ca.pem).toString("base64");
    for (const apiVersion of ["2020-03-01", "2021-10-15"]) {
      const body = { certificate: text };
      const answer = await certificate("PUT", `flat-${apiVersion}`, { apiVersion, body });
      assert.equal(answer.status, 200);
      assert.equal(answer.body.properties["certificate"], null);
    }
    for (const apiVersion of ["2022-02-05", "2023-03-01-preview", "2026-11-01"]) {
      const body = { properties: { certificate: text } };
      const answer = await certificate("PUT", `nested-${apiVersion}`, { apiVersion, body });
      assert.equal(answer.status, 200);
      assert.equal(answer.body.properties["certificate"], ca.der.toString("base64"));
    }
    const wrong = await certificate("PUT", "wrong", { body: { certificate: text } });
    assert.equal(wrong.status, 400);
  });

  it("refuses what is not one certificate", async () => {
    const twice = Buffer.from(ca.pem + ca.pem).toString("base64");
    const withKey = Buffer.from(ca.certificate.key + ca.pem).toString("base64");
    const rows: [unknown, RegExp][] = [
      [undefined, /it is missing/],
      ["", /it is missing/],
      ["%%%", /neither base64 nor PEM/],
      ["aGVsbG8=", /cannot be parsed/],
      [twice, /holds 2 certificates/],
      [withKey, /holds a private key/],
    ];
    for (const [value, message] of rows) {
      const body = { properties: { certificate: value } };
      const answer = await certificate("PUT", "not-one", { body });
      assert.equal(answer.status, 400);
      assert.match(answer.body.message, message);
      assert.doesNotMatch(answer.body.message, /BEGIN/);
    }
    assert.equal((await certificate("GET", "not-one")).status, 404);
  });

  it("answers 404 in the provider's own form when there is no such certificate", async () => {
    const { status, body } = await certificate("GET", "none");
    assert.equal(status, 404);
    assert.equal(body.code, 404015);
    assert.match(body.message, /^Certificate 'none' not found\. If you contact .*IH404015\.$/);
  });

  it("updates only with the newest etag, and a missing or stale one is 412", async () => {
    const first = await upload("etag", ca.der);
    const body = { properties: { certificate: ca.der.toString("base64") } };
    for (const headers of [{}, { "if-match": "" }, { "if-match": "c3RhbGU=" }]) {
      const answer = await certificate("PUT", "etag", { body, headers });
      assert.equal(answer.status, 412);
      assert.equal(answer.body.code, 412001);
    }
    const second = await upload("etag", ca.der, { ifMatch: first.etag! });
    assert.notEqual(second.etag, first.etag);
    await assert.rejects(upload("etag", ca.der, { ifMatch: first.etag! }), { statusCode: 412 });
    await upload("etag", ca.der, { ifMatch: "*" });
  });

  it("tolerates an empty If-Match when it creates and reads", async () => {
    const body = { properties: { certificate: ca.der.toString("base64") } };
    const headers = { "if-match": "" };
    assert.equal((await certificate("PUT", "empty-etag", { body, headers })).status, 200);
    assert.equal((await certificate("GET", "empty-etag", { headers })).status, 200);
  });

  it("deletes only with the newest etag; what is not there is 204", async () => {
    const { etag } = await upload("deleted", ca.der);
    assert.equal((await certificate("DELETE", "deleted")).status, 412);
    await client.dpsCertificate.delete("rg", etag!, "dps", "deleted");
    assert.equal((await certificate("DELETE", "deleted")).status, 204);
  });

  it("verifies a CA whose key signed the code, and only then", async () => {
    const uploaded = await upload("proved", ca.der);
    const coded = await generate("proved", uploaded.etag!);
    const code = coded.properties?.verificationCode ?? "";
    assert.match(code, /^[0-9A-F]{48}$/);
    assert.notEqual(coded.etag, uploaded.etag);
    await assert.rejects(verify("proved", uploaded.etag!, ca, code), { statusCode: 412 });

    const other = await TestCa.root("Root A");
    await assert.rejects(verify("proved", coded.etag!, other, code), /not signed by this CA/);
    await assert.rejects(verify("proved", coded.etag!, ca, "0".repeat(48)), /not the verification/);
    const past = { notBefore: days(-9), notAfter: days(-8) };
    await assert.rejects(verify("proved", coded.etag!, ca, code, past), /not valid at this time/);
    assert.equal(
      (await client.dpsCertificate.get("proved", "rg", "dps")).properties?.isVerified,
      false,
    );

    const verified = await verify("proved", coded.etag!, ca, code);
    assert.equal(verified.properties?.isVerified, true);
    await assert.rejects(verify("proved", verified.etag!, ca, code), /no verification code/);
  });

  it("judges the verification certificate by the sandbox's clock", async () => {
    const uploaded = await upload("clock", ca.der);
    const coded = await generate("clock", uploaded.etag!);
    const code = coded.properties?.verificationCode ?? "";
    clock.advance(100 * DAY_MS);
    try {
      await assert.rejects(verify("clock", coded.etag!, ca, code), /not valid at this time/);
      const then = { notBefore: days(99), notAfter: days(101) };
      const verified = await verify("clock", coded.etag!, ca, code, then);
      assert.equal(verified.properties?.isVerified, true);
    } finally {
      clock.advance(-100 * DAY_MS);
    }
  });

  it("believes isVerified on a PUT, and forgets it at an update without", async () => {
    const properties = { certificate: ca.der, isVerified: true };
    const options = { properties };
    const attested = await client.dpsCertificate.createOrUpdate("rg", "dps", "attested", options);
    assert.equal(attested.properties?.isVerified, true);
    const updated = await upload("attested", ca.der, { ifMatch: attested.etag! });
    assert.equal(updated.properties?.isVerified, false);
  });

  it("stores one certificate under two names, and an expired one", async () => {
    const old = await TestCa.root("Old", { notBefore: days(-20), notAfter: days(-10) });
    await upload("old-1", old.der);
    const twin = await upload("old-2", old.der);
    assert.equal(twin.properties?.subject, "Old");
  });

  it("has room for 25 certificates", async () => {
    const body = { properties: { certificate: ca.der.toString("base64") } };
    for (let number = 1; number <= 25; number++) {
      assert.equal((await certificate("PUT", `ca-${number}`, { body }, "full")).status, 200);
    }
    assert.equal((await certificate("PUT", "ca-26", { body }, "full")).status, 403);
    const headers = { "if-match": "*" };
    assert.equal((await certificate("PUT", "ca-25", { body, headers }, "full")).status, 200);
  });

  function days(count: number): Date {
    return new Date(Date.now() + count * DAY_MS);
  }

  function upload(name: string, bytes: Buffer, options: { ifMatch?: string } = {}) {
    const description = { properties: { certificate: bytes } };
    return client.dpsCertificate.createOrUpdate("rg", "dps", name, description, options);
  }

  function generate(name: string, etag: string) {
    return client.dpsCertificate.generateVerificationCode(name, etag, "rg", "dps");
  }

  async function verify(
    name: string,
    etag: string,
    signer: TestCa,
    code: string,
    dates: { notBefore?: Date; notAfter?: Date } = {},
  ) {
    const proof = await signer.leaf(code, dates);
    const text = Buffer.from(proof.pem).toString("base64");
    return client.dpsCertificate.verifyCertificate(name, etag, "rg", "dps", { certificate: text });
  }

  function certificate(method: string, name: string, options: ArmRequest = {}, service = "dps") {
    const path = `/subscriptions/${sandbox.subscriptionId}/resourceGroups/rg/providers/Microsoft.Devices/provisioningServices/${service}/certificates/${name}`;
    return sandbox.arm(method, path, options);
  }
});
