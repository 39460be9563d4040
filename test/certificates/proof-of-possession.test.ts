import "reflect-metadata";
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign, webcrypto } from "node:crypto";
import {
  Name,
  Pkcs10CertificateRequest,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { issues } from "../../certificates/chain";
import { parsePem } from "../../certificates/pem";
import {
  codeOf,
  faultOfProof,
  issueProofOfPossession,
  keySigner,
  requestProofOfPossession,
  type Signer,
} from "../../certificates/proof-of-possession";
import { describe as words, summarize } from "../../certificates/summary";
import { TestCa } from "../support/test-ca";

const CODE = "0A1B2C3D4E5F".repeat(4);

/** A self-signed certificate of a key of this kind, and the key. */
async function authority(
  kind: "rsa" | "P-384" | "P-521",
): Promise<{ pem: string; key: KeyObject }> {
  const { privateKey, publicKey } =
    kind === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: kind });
  const algorithm =
    kind === "rsa"
      ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
      : { name: "ECDSA", namedCurve: kind, hash: kind === "P-384" ? "SHA-384" : "SHA-512" };
  const keys = {
    privateKey: await webcrypto.subtle.importKey(
      "pkcs8",
      privateKey.export({ type: "pkcs8", format: "der" }),
      algorithm,
      true,
      ["sign"],
    ),
    publicKey: await webcrypto.subtle.importKey(
      "spki",
      publicKey.export({ type: "spki", format: "der" }),
      algorithm,
      true,
      ["verify"],
    ),
  };
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=Root ${kind}`,
    keys,
    signingAlgorithm: algorithm,
  });
  return { pem: `${certificate.toString("pem")}\n`, key: privateKey };
}

describe("the proof of possession", () => {
  let root: TestCa;
  let other: TestCa;

  before(async () => {
    root = await TestCa.root("Root A");
    other = await TestCa.root("Root A");
  });

  const proofBy = (ca: TestCa): Promise<string> =>
    issueProofOfPossession(CODE, ca.pem, keySigner(ca.pem, ca.certificate.key));

  it("has the verification code as its name and the CA's signature and dates", async () => {
    const proof = await proofBy(root);
    assert.ok(!("code" in parsePem(proof, "proof")));
    assert.equal(issues(root.pem, proof), true);
    const { subject, isCa, notBefore, notAfter } = summarize(proof);
    const of = summarize(root.pem);
    assert.deepEqual(
      [subject, isCa, notBefore, notAfter],
      [`CN=${CODE}`, false, of.notBefore, of.notAfter],
    );
    assert.equal(codeOf(proof), CODE);
    assert.equal(faultOfProof(proof, root.pem), undefined);
  });

  it("names its issuer in the very bytes of the CA's subject", async () => {
    // A PrintableString, as many tools write names. Written anew as UTF8String it is another name to some.
    const keys = root.certificate.keys;
    const name = new Name([{ CN: [{ printableString: "Root P" }] }]);
    const ca = await X509CertificateGenerator.createSelfSigned({ name, keys });
    const proof = await issueProofOfPossession(
      CODE,
      ca.toString("pem"),
      keySigner(ca.toString("pem"), root.certificate.key),
    );
    const der = (one: Name): string => Buffer.from(one.toArrayBuffer()).toString("hex");
    assert.equal(der(new X509Certificate(proof).issuerName), der(name));
    assert.match(der(name), /06035504031306/);
  });

  for (const kind of ["rsa", "P-384", "P-521"] as const) {
    it(`is signed with a key of the kind ${kind}, as bytes or base64, in either encoding`, async () => {
      const { pem, key } = await authority(kind);
      const encodings = kind === "rsa" ? (["der"] as const) : (["der", "ieee-p1363"] as const);
      for (const dsaEncoding of encodings) {
        const bytes: Signer = async ({ bytes, hash }) => sign(hash, bytes, { key, dsaEncoding });
        const base64: Signer = async (toBeSigned) =>
          Buffer.from(`${(await bytes(toBeSigned)).toString("base64")}\n`);
        const base64url: Signer = async (toBeSigned) =>
          Buffer.from((await bytes(toBeSigned)).toString("base64url"));
        for (const signer of [bytes, base64, base64url]) {
          const proof = await issueProofOfPossession(CODE, pem, signer);
          assert.equal(faultOfProof(proof, pem), undefined);
          assert.equal(codeOf(proof), CODE);
        }
      }
      const own = keySigner(pem, key.export({ type: "pkcs8", format: "pem" }).toString());
      assert.equal(faultOfProof(await issueProofOfPossession(CODE, pem, own), pem), undefined);
    });
  }

  it("is not made of what is no signature with the CA's key", async () => {
    const stranger = keySigner(other.pem, other.certificate.key);
    const nothing: Signer = async () => Buffer.alloc(0);
    const rubbish: Signer = async () => Buffer.from("signed, honestly");
    for (const [signer, length] of [
      [nothing, /^0 bytes/],
      [rubbish, /^16 bytes/],
      [stranger, /^7\d bytes/],
    ] as const) {
      await assert.rejects(issueProofOfPossession(CODE, root.pem, signer), ({ message }: Error) => {
        assert.match(message, length);
        assert.match(message, /not a signature with the CA's key \(ECDSA with SHA-256\)$/);
        return true;
      });
    }
  });

  it("is asked for with the code as the name of a request", async () => {
    const request = new Pkcs10CertificateRequest(await requestProofOfPossession(CODE));
    assert.equal(request.subject, `CN=${CODE}`);
    assert.ok(await request.verify());
  });

  it("takes no key but the CA's own, not encrypted, and shows none", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const passphrase = "correct horse";
    const encrypted = { format: "pem", cipher: "aes-256-cbc", passphrase } as const;
    const rows: [string, string][] = [
      [other.certificate.key, "a private key that does not belong to the CA certificate"],
      [
        privateKey.export({ type: "pkcs8", ...encrypted }).toString(),
        "a private key that is encrypted",
      ],
      [
        privateKey.export({ type: "sec1", ...encrypted }).toString(),
        "a private key that is encrypted",
      ],
      ["secret text", "something that is not a private key in PEM (its content is not shown)"],
      [root.pem, "something that is not a private key in PEM (its content is not shown)"],
    ];
    for (const [key, message] of rows) {
      assert.throws(() => keySigner(root.pem, key), { message });
    }
  });

  it("proves nothing when the CA's key has not signed it", async () => {
    const elsewhere = await proofBy(other);
    assert.equal(
      faultOfProof(elsewhere, root.pem),
      `a certificate that the CA's key has not signed: ${words(summarize(elsewhere))}`,
    );
    assert.match(faultOfProof(root.pem, root.pem) ?? "", /^the CA certificate itself, Root A \(/);
    const renamed = await TestCa.root("Root B", { keys: root.certificate.keys });
    assert.match(
      faultOfProof(await proofBy(renamed), root.pem) ?? "",
      /^a certificate whose issuer is not the subject of the CA certificate: /,
    );
  });
});
