import assert from "node:assert/strict";
import fc from "fast-check";
import { formatFault, isFault } from "../../certificates/faults";
import { parseChain, parsePem } from "../../certificates/pem";
import { TestCa, type Issued } from "../support/test-ca";
import { openssl } from "./fixtures";

const PATH = "certificates.device.file";

function message(text: string | Buffer): string {
  const read = parsePem(text, PATH);
  assert.ok(isFault(read), "expected a fault");
  return formatFault(read);
}

describe("reading PEM", () => {
  let leaf: Issued;
  let other: Issued;

  before(async () => {
    const ca = await TestCa.root("Root A");
    leaf = await ca.leaf("device-1");
    other = await ca.leaf("device-2");
  });

  const block = (label: string, body = "AAAA") =>
    `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;

  it("takes one certificate, and brings line ends and line lengths to one form", () => {
    const expected = { certificate: leaf.pem };
    assert.deepEqual(parsePem(leaf.pem, PATH), expected);
    assert.deepEqual(parsePem(leaf.pem.replaceAll("\n", "\r\n"), PATH), expected);
    assert.deepEqual(parsePem(`\uFEFF\n${leaf.pem}\n\n`, PATH), expected);
    assert.deepEqual(parsePem(block("CERTIFICATE", leaf.der.toString("base64")), PATH), expected);
  });

  it("takes a chain in the order of the text", () => {
    assert.deepEqual(parseChain(leaf.pem + other.pem, PATH), {
      certificates: [leaf.pem, other.pem],
    });
  });

  const rows: [name: string, text: () => string | Buffer, message: string][] = [
    [
      "nothing",
      () => " \n",
      "DPS-CERT-009 at certificates.device.file: found nothing; fix: give the certificate in PEM",
    ],
    [
      "a private key",
      () => leaf.key,
      "DPS-CERT-002 at certificates.device.file: found a private key (its content is not shown); fix: give only the certificate; if this key was shared or committed, treat it as compromised",
    ],
    [
      "a private key behind the certificate",
      () => leaf.pem + leaf.key,
      "DPS-CERT-002 at certificates.device.file: found a private key in block 2 of 2 (its content is not shown); fix: give only the certificate; if this key was shared or committed, treat it as compromised",
    ],
    [
      "a private key that is cut off",
      () => leaf.key.slice(0, 60),
      "DPS-CERT-002 at certificates.device.file: found a private key in block 1 (its content is not shown); fix: give only the certificate; if this key was shared or committed, treat it as compromised",
    ],
    [
      "an encrypted private key",
      () => block("ENCRYPTED PRIVATE KEY"),
      "DPS-CERT-002 at certificates.device.file: found a private key (its content is not shown); fix: give only the certificate; if this key was shared or committed, treat it as compromised",
    ],
    [
      "DER",
      () => leaf.der,
      "DPS-CERT-003 at certificates.device.file: found a certificate in DER; fix: convert it to PEM: openssl x509 -inform der -in FILE",
    ],
    [
      "binary that is no certificate",
      () => Buffer.from([0x30, 0x82, 0, 1, 2, 3]),
      "DPS-CERT-001 at certificates.device.file: found binary data that is not a certificate (its content is not shown); fix: give the certificate in PEM; from a PKCS#12 file: openssl pkcs12 -nokeys -clcerts -in FILE",
    ],
    [
      "PKCS#7",
      () => block("PKCS7"),
      "DPS-CERT-004 at certificates.device.file: found a PKCS#7 container; fix: take the certificate out: openssl pkcs7 -print_certs -in FILE",
    ],
    [
      "a certificate signing request",
      () => block("CERTIFICATE REQUEST"),
      "DPS-CERT-005 at certificates.device.file: found a certificate signing request; fix: have it signed by the CA and give the certificate that comes back",
    ],
    [
      "a public key",
      () => block("PUBLIC KEY"),
      "DPS-CERT-006 at certificates.device.file: found a public key; fix: give the certificate that was issued for this key",
    ],
    [
      "another kind of block",
      () => block("TRUSTED CERTIFICATE"),
      "DPS-CERT-011 at certificates.device.file: found a block of the kind TRUSTED CERTIFICATE; fix: give a block of the kind CERTIFICATE: openssl x509 -in FILE",
    ],
    [
      "text behind the block",
      () => `${leaf.pem}hello\n`,
      `DPS-CERT-007 at certificates.device.file: found text outside of the PEM block at line LINE; fix: keep only the lines from BEGIN CERTIFICATE to END CERTIFICATE`,
    ],
    [
      "two certificates",
      () => leaf.pem + other.pem,
      "DPS-CERT-008 at certificates.device.file: found 2 certificate blocks; fix: keep the one block that is meant, and give each other certificate a name of its own",
    ],
    [
      "no END line",
      () => leaf.pem.replace(/-----END.*\n/, ""),
      "DPS-CERT-010 at certificates.device.file: found block 1 (CERTIFICATE) has no END line; fix: export the certificate again from where it was issued",
    ],
    [
      "no BEGIN line",
      () => leaf.pem.replace(/-----BEGIN.*\n/, ""),
      "DPS-CERT-010 at certificates.device.file: found block 1 (CERTIFICATE) has no BEGIN line; fix: export the certificate again from where it was issued",
    ],
    [
      "an END line of another kind",
      () => leaf.pem.replace("END CERTIFICATE", "END PUBLIC KEY"),
      "DPS-CERT-010 at certificates.device.file: found block 1 (CERTIFICATE) ends as PUBLIC KEY; fix: export the certificate again from where it was issued",
    ],
    [
      "a block that is not base64",
      () => block("CERTIFICATE", "%%%"),
      "DPS-CERT-010 at certificates.device.file: found block 1 (CERTIFICATE) is not base64; fix: export the certificate again from where it was issued",
    ],
    [
      "base64 that is no certificate",
      () => block("CERTIFICATE"),
      "DPS-CERT-010 at certificates.device.file: found block 1 (CERTIFICATE) does not decode to an X.509 certificate; fix: export the certificate again from where it was issued",
    ],
    [
      "bytes behind the certificate",
      () => block("CERTIFICATE", Buffer.concat([leaf.der, Buffer.from("xyz")]).toString("base64")),
      "DPS-CERT-010 at certificates.device.file: found block 1 (CERTIFICATE) has bytes behind the certificate; fix: export the certificate again from where it was issued",
    ],
    [
      "base64 without BEGIN and END",
      () => leaf.der.toString("base64"),
      "DPS-CERT-001 at certificates.device.file: found a certificate in base64 without its BEGIN and END lines; fix: put it between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----",
    ],
    [
      "any other text",
      () => "../certs/device.pem",
      "DPS-CERT-001 at certificates.device.file: found text without a PEM block (its content is not shown); fix: give the certificate in PEM, from BEGIN CERTIFICATE to END CERTIFICATE",
    ],
  ];
  for (const [name, text, expected] of rows) {
    it(`refuses ${name}`, () => {
      const lines = String(text()).split("\n").length - 1;
      assert.equal(message(text()), expected.replace("LINE", String(lines)));
    });
  }

  it("recognises a PKCS#7 bundle and a request as openssl writes them", () => {
    const request = openssl(["req", "-new", "-key", "FILE", "-subj", "/CN=device-1"], leaf.key);
    assert.match(message(request), /^DPS-CERT-005 /);
    const bundle = openssl(["crl2pkcs7", "-nocrl", "-certfile", "FILE"], leaf.pem);
    assert.match(message(bundle), /^DPS-CERT-004 /);
  });

  it("never repeats the content of what may be a key, whatever surrounds it", () => {
    const body = leaf.key.split("\n").slice(1, -2);
    fc.assert(
      fc.property(
        fc.string({ maxLength: 40 }),
        fc.string({ maxLength: 40 }),
        fc.nat(leaf.key.length),
        (before, after, cut) => {
          const read = parsePem(
            `${before}\n${leaf.key.slice(0, leaf.key.length - cut)}${after}`,
            PATH,
          );
          const text = JSON.stringify(read);
          for (const line of body) assert.ok(!text.includes(line.slice(0, 16)), text);
        },
      ),
    );
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        (text) => {
          assert.ok(isFault(parsePem(text, PATH)));
        },
      ),
    );
  });
});
