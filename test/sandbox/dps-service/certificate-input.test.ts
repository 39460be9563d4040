import assert from "node:assert/strict";
import { readCertificateInput } from "../../../sandbox/dps-service/certificate-input";
import { TestCa } from "../../support/test-ca";

describe("reading a certificate as it is sent to DPS", () => {
  it("writes names with the most specific part first, and quotes what needs it", async () => {
    const subject = 'C=US, O="Trucks, Inc.", OU=Fleet, CN=truck-7';
    const { pem } = await TestCa.selfSigned("truck-7", { subject });
    const { info } = readCertificateInput(pem);
    assert.equal(info.subjectName, 'CN=truck-7, OU=Fleet, O="Trucks, Inc.", C=US');
    assert.equal(info.issuerName, info.subjectName);
    assert.equal(info.version, 3);
  });

  it("reads every form of one certificate to the same bytes", async () => {
    const { pem, der } = await TestCa.selfSigned("truck-7");
    const forms = [
      pem,
      `\r\n${pem.replaceAll("\n", "\r\n")}`,
      Buffer.from(pem).toString("base64"),
      der.toString("base64"),
    ];
    assert.deepEqual(
      forms.map((form) => readCertificateInput(form).der),
      forms.map(() => der.toString("base64")),
    );
  });

  it("refuses what is not exactly one certificate, and never repeats it", async () => {
    const { pem, der, key } = await TestCa.selfSigned("truck-7");
    const secret = key.split("\n")[1]!;
    for (const text of [
      "",
      "truck-7",
      key,
      pem + key,
      pem + pem,
      `${pem.slice(0, 200)}`,
      der.subarray(0, 100).toString("base64"),
      Buffer.concat([der, Buffer.from([0])]).toString("base64"),
      Buffer.from(key).toString("base64"),
    ]) {
      assert.throws(
        () => readCertificateInput(text),
        (error: Error) => error.name === "Error" && !error.message.includes(secret),
      );
    }
  });
});
