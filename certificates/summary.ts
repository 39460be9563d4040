/** What people and states see of a certificate: plain JSON instead of PEM. */
import "reflect-metadata";
import { createHash, X509Certificate, type KeyObject } from "node:crypto";
import { BasicConstraintsExtension, X509Certificate as Asn1Certificate } from "@peculiar/x509";
import { displayName, printable } from "./text";

/** Plain JSON. Names have control characters escaped as `\u{hex}`. */
export interface CertificateSummary {
  /** Common name of the subject; empty when there is none, joined by ` + ` when there are more. */
  subjectCommonName: string;
  /** RFC 4514: `CN=device-1, O=Contoso`. */
  subject: string;
  issuerCommonName: string;
  issuer: string;
  /** SHA-1 of the DER, 40 upper-case hex digits: as DPS and the portal show it. */
  sha1Thumbprint: string;
  /** SHA-256 of the DER, 64 upper-case hex digits: as the hub stores it. */
  sha256Thumbprint: string;
  /** SHA-256 of the SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), upper-case hex: the key. */
  publicKeySha256: string;
  /** ISO 8601, UTC, whole seconds. */
  notBefore: string;
  /** ISO 8601, UTC, whole seconds; the last second in which it is valid. */
  notAfter: string;
  /** Upper-case hex. */
  serialNumber: string;
  /** basicConstraints says CA:TRUE (RFC 5280 section 4.2.1.9). */
  isCa: boolean;
  /** Signed with its own key. */
  selfSigned: boolean;
  /** `EC P-256`, `RSA 2048`, `Ed25519`. */
  keyType: string;
  /** `ECDSA SHA-256`, `RSA SHA-256`, or the OID. */
  signatureAlgorithm: string;
}

/** Summary of one certificate. Throws when `pem` is not a certificate: read it with `parsePem` first. */
export function summarize(pem: string | Buffer): CertificateSummary {
  const certificate = new X509Certificate(pem);
  const decoded = new Asn1Certificate(certificate.raw);
  return {
    subjectCommonName: commonName(decoded.subjectName.getField("CN")),
    subject: printable(decoded.subject),
    issuerCommonName: commonName(decoded.issuerName.getField("CN")),
    issuer: printable(decoded.issuer),
    sha1Thumbprint: digest("sha1", certificate.raw),
    sha256Thumbprint: digest("sha256", certificate.raw),
    publicKeySha256: digest("sha256", Buffer.from(decoded.publicKey.rawData)),
    notBefore: wholeSeconds(decoded.notBefore),
    notAfter: wholeSeconds(decoded.notAfter),
    serialNumber: certificate.serialNumber.toUpperCase(),
    isCa: decoded.getExtension(BasicConstraintsExtension)?.ca ?? false,
    selfSigned: verifiedBy(certificate, certificate.publicKey),
    keyType: keyType(certificate.publicKey),
    signatureAlgorithm: signatureAlgorithm(decoded.signatureAlgorithm),
  };
}

/** `device-1 (SHA-256 9A3F12CD…, issued by Root A, valid 2026-01-01 to 2026-12-31)`. */
export function describe(summary: CertificateSummary): string {
  const name = summary.subjectCommonName === "" ? summary.subject : summary.subjectCommonName;
  const issuer = summary.issuerCommonName === "" ? summary.issuer : summary.issuerCommonName;
  const issued = summary.selfSigned ? "self-signed" : `issued by ${displayName(issuer)}`;
  return (
    `${displayName(name)} (SHA-256 ${summary.sha256Thumbprint.slice(0, 8)}…, ${issued}, ` +
    `valid ${summary.notBefore.slice(0, 10)} to ${summary.notAfter.slice(0, 10)})`
  );
}

/** Whether the certificate's signature was made with this key; false for a key of another kind. */
export function verifiedBy(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.verify(key);
  } catch {
    // OpenSSL throws instead of answering no when the key cannot belong to the algorithm.
    return false;
  }
}

/* Readers differ in which of several common names they take, so several are never equal to one. */
function commonName(names: string[]): string {
  return printable(names.join(" + "));
}

function digest(algorithm: "sha1" | "sha256", bytes: Buffer): string {
  return createHash(algorithm).update(bytes).digest("hex").toUpperCase();
}

function wholeSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, "Z");
}

const CURVES: Record<string, string> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

function keyType(key: KeyObject): string {
  const { namedCurve = "unnamed curve", modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const type: string = key.asymmetricKeyType ?? "unknown";
  switch (type) {
    case "ec":
      return `EC ${CURVES[namedCurve] ?? namedCurve}`;
    case "rsa":
      return `RSA ${modulusLength}`;
    case "rsa-pss":
      return `RSA-PSS ${modulusLength}`;
    case "ed25519":
      return "Ed25519";
    case "ed448":
      return "Ed448";
    default:
      return type;
  }
}

/* Web Crypto's algorithm objects: a name, and for most a hash with a name. */
function signatureAlgorithm(algorithm: object): string {
  const name = nameIn(algorithm);
  const hash = "hash" in algorithm ? ` ${nameIn(algorithm.hash)}` : "";
  return `${name === "RSASSA-PKCS1-v1_5" ? "RSA" : name}${hash}`;
}

function nameIn(algorithm: unknown): string {
  const named = typeof algorithm === "object" && algorithm !== null && "name" in algorithm;
  return printable(String(named ? algorithm.name : algorithm));
}
