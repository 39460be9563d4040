/** Reads the certificate in a request body, and says what ARM shows of a certificate. */
import { X509Certificate } from "node:crypto";
import { devicesError } from "../common/errors";
import { dateOf } from "../common/peer-chain";
import type { Switches } from "../common/switches";
import { CODE_BAD_REQUEST } from "./not-known";

/**
 * A certificate as clients send it: base64 of a PEM file or of DER, or the PEM text itself.
 * Throws 400 when it is none of these.
 */
export function readCertificate(value: unknown, now: Date, switches: Switches): X509Certificate {
  const refuse = (why: string): Error =>
    devicesError(400, CODE_BAD_REQUEST, `The certificate is not valid: ${why}.`, now);
  if (typeof value !== "string" || value.trim() === "") {
    throw refuse("it is missing");
  }
  const bytes = value.includes("-----BEGIN ") ? Buffer.from(value) : fromBase64(value);
  if (bytes === undefined) {
    throw refuse("it is neither base64 nor PEM");
  }
  const blocks = bytes.toString("latin1").match(/-----BEGIN [A-Z0-9 ]+-----/g) ?? [];
  if (blocks.some((block) => block.includes("PRIVATE KEY"))) {
    throw refuse("it holds a private key");
  }
  const certificates = blocks.filter((block) => block === "-----BEGIN CERTIFICATE-----");
  if (switches.severalCertificatesRefused && certificates.length > 1) {
    throw refuse(`it holds ${certificates.length} certificates`);
  }
  try {
    return new X509Certificate(bytes);
  } catch {
    throw refuse("it cannot be parsed as X.509");
  }
}

/** As `readCertificate`, for a certificate that is to be a CA certificate of the service. */
export function readCaCertificate(value: unknown, now: Date, switches: Switches): X509Certificate {
  const certificate = readCertificate(value, now, switches);
  if (switches.caMustBeCa && !certificate.ca) {
    const text = "The certificate is not valid: it is not a CA certificate.";
    throw devicesError(400, CODE_BAD_REQUEST, text, now);
  }
  return certificate;
}

function fromBase64(text: string): Buffer | undefined {
  const packed = text.replace(/\s/g, "");
  return /^[A-Za-z0-9+/]+={0,2}$/.test(packed) && packed.length % 4 === 0
    ? Buffer.from(packed, "base64")
    : undefined;
}

/** The common name of the subject, without "CN="; the whole subject when there is none. */
export function commonName(certificate: X509Certificate): string {
  const { CN } = certificate.toLegacyObject().subject as unknown as { CN?: string | string[] };
  return [CN].flat()[0] ?? certificate.subject;
}

/** What ARM computes from a certificate. Dates in the form of RFC 1123. */
export function shownFields(certificate: X509Certificate) {
  return {
    subject: commonName(certificate),
    expiry: dateOf(certificate.validTo).toUTCString(),
    thumbprint: certificate.fingerprint.replaceAll(":", ""),
  };
}

/**
 * Judges a proof of possession: a certificate whose subject's common name is one of the codes, signed with
 * the CA's key. Returns what is wrong, or undefined.
 * Source: learn.microsoft.com/azure/iot-dps/how-to-verify-certificates.
 */
export function faultOfProof(
  proof: X509Certificate,
  ca: X509Certificate,
  codes: readonly string[],
  now: Date,
): string | undefined {
  if (!codes.includes(commonName(proof))) {
    return "the subject of the verification certificate is not the verification code";
  }
  if (proof.issuer !== ca.subject || !signedBy(proof, ca)) {
    return "the verification certificate was not signed by this CA certificate";
  }
  if (now < dateOf(proof.validFrom) || now > dateOf(proof.validTo)) {
    return "the verification certificate is not valid at this time";
  }
  return undefined;
}

function signedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // The key cannot have made such a signature, for instance EC against RSA.
    return false;
  }
}
