import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { describe as describeCertificate, summarize } from "../../certificates/summary";
import { displayName } from "../../certificates/text";
import { below, leaf, openssl, root } from "./fixtures";

describe("the summary of a certificate", () => {
  it("says what DPS and the hub say of it, and is plain JSON", async () => {
    const ca = await root("Root A");
    const issued = await leaf(ca, "device-1", { subject: "CN=device-1, O=Contoso" });
    const summary = summarize(issued.pem);
    const certificate = new X509Certificate(issued.pem);
    const key = certificate.publicKey.export({ type: "spki", format: "der" });
    assert.deepEqual(summary, {
      subjectCommonName: "device-1",
      subject: "CN=device-1, O=Contoso",
      issuerCommonName: "Root A",
      issuer: "CN=Root A",
      sha1Thumbprint: certificate.fingerprint.replaceAll(":", ""),
      sha256Thumbprint: issued.thumbprint,
      publicKeySha256: createHash("sha256").update(key).digest("hex").toUpperCase(),
      notBefore: "2026-01-01T00:00:00Z",
      notAfter: "2026-12-31T00:00:00Z",
      serialNumber: certificate.serialNumber,
      isCa: false,
      selfSigned: false,
      keyType: "EC P-256",
      signatureAlgorithm: "ECDSA SHA-256",
    });
    assert.deepEqual(JSON.parse(JSON.stringify(summary)), summary);
    assert.equal(
      describeCertificate(summary),
      `device-1 (SHA-256 ${issued.thumbprint.slice(0, 8)}…, issued by Root A, valid 2026-01-01 to 2026-12-31)`,
    );
  });

  it("tells roots, intermediates and leaves apart", async () => {
    const ca = await root("Root A");
    const kinds = [ca, await below(ca, "Intermediate A"), await leaf(ca, "device-1")].map(
      (each) => {
        const { isCa, selfSigned } = summarize(each.pem);
        return { isCa, selfSigned };
      },
    );
    assert.deepEqual(kinds, [
      { isCa: true, selfSigned: true },
      { isCa: true, selfSigned: false },
      { isCa: false, selfSigned: false },
    ]);
  });

  it("gives a renewal with the same key the same key digest", async () => {
    const ca = await root("Root A");
    const renewed = await root("Root A renewed", { keys: ca.certificate.keys });
    const [old, next] = [summarize(ca.pem), summarize(renewed.pem)];
    assert.equal(next.publicKeySha256, old.publicKeySha256);
    assert.notEqual(next.sha256Thumbprint, old.sha256Thumbprint);
  });

  it("reads RSA and Ed25519 certificates of openssl", () => {
    const expected = {
      rsa: ["RSA 2048", "RSA SHA-256"],
      ed25519: ["Ed25519", "Ed25519"],
    };
    const keys = {
      rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
      ed25519: generateKeyPairSync("ed25519").privateKey,
    };
    for (const kind of ["rsa", "ed25519"] as const) {
      const key = keys[kind].export({ type: "pkcs8", format: "pem" });
      const pem = openssl(["req", "-x509", "-key", "FILE", "-subj", "/CN=device-1"], key);
      const { keyType, signatureAlgorithm, isCa } = summarize(pem);
      assert.deepEqual([keyType, signatureAlgorithm], expected[kind]);
      assert.equal(isCa, true, "openssl req -x509 makes CA certificates");
    }
  });

  it("joins several common names, so that they equal no registration ID", async () => {
    const ca = await root("Root A");
    const issued = await leaf(ca, "", { subject: "CN=device-1, CN=device-2" });
    assert.equal(summarize(issued.pem).subjectCommonName, "device-1 + device-2");
  });

  it("does not let a name forge lines, order or markup", async () => {
    const ca = await root("Root A");
    const issued = await leaf(ca, "", { subject: "CN=a\u202eb|<b>`x`" });
    assert.match(
      describeCertificate(summarize(issued.pem)),
      /^"a\\u\{202e\}b\\u\{7c\}\\u\{3c\}b\\u\{3e\}\\u\{60\}x\\u\{60\}" \(SHA-256 /,
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        assert.doesNotMatch(displayName(name), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}<>`|[\]]/u);
      }),
    );
  });
});
