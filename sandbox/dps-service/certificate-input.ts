/** Certificates as they are sent to DPS: PEM text, base64 of PEM text, or base64 of DER. */
import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { X509Certificate as ParsedCertificate } from "@peculiar/x509";
import type { CertificateInfo, StoredCertificate } from "../common/model";

const PEM = /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What was sent is not one certificate. The text never holds what was sent: it might be a key. */
export class CertificateInputError extends Error {}

/**
 * Reads one certificate. Throws `CertificateInputError`.
 * not known, assumed: PEM text with more than one block, or with a key, is refused. (The portal
 * refuses a full chain: Azure/iotedge#2738.)
 */
export function readCertificateInput(text: string): StoredCertificate {
  const trimmed = text.trim();
  const der = trimmed.startsWith("-----") ? fromPem(trimmed) : fromBase64(trimmed);
  try {
    const x509 = new X509Certificate(der);
    if (!x509.raw.equals(der)) {
      throw new Error("there is something after the certificate");
    }
    return { der: der.toString("base64"), info: certificateInfo(x509) };
  } catch (error) {
    throw new CertificateInputError("The certificate cannot be read.", { cause: error });
  }
}

function fromPem(text: string): Buffer {
  const found = PEM.exec(text);
  const content = found?.[1]?.replace(/\s/g, "") ?? "";
  if (content === "" || !BASE64.test(content)) {
    throw new CertificateInputError(
      "The certificate is not exactly one PEM block of a certificate.",
    );
  }
  return Buffer.from(content, "base64");
}

function fromBase64(text: string): Buffer {
  const content = text.replace(/\s/g, "");
  if (content === "" || !BASE64.test(content)) {
    throw new CertificateInputError("The certificate is not a valid base64 string value.");
  }
  const bytes = Buffer.from(content, "base64");
  return bytes.toString("latin1").trimStart().startsWith("-----")
    ? fromPem(bytes.toString("latin1").trim())
    : bytes;
}

/** What DPS shows of a stored certificate. */
export function certificateInfo(x509: X509Certificate): CertificateInfo {
  const parsed = new ParsedCertificate(x509.raw);
  return {
    subjectName: distinguishedName(parsed.subjectName.toJSON()),
    sha1Thumbprint: x509.fingerprint.replaceAll(":", ""),
    sha256Thumbprint: x509.fingerprint256.replaceAll(":", ""),
    issuerName: distinguishedName(parsed.issuerName.toJSON()),
    notBeforeUtc: wholeSeconds(parsed.notBefore),
    notAfterUtc: wholeSeconds(parsed.notAfter),
    serialNumber: x509.serialNumber.toUpperCase(),
    version: certificateVersion(x509.raw),
  };
}

/**
 * A name as .NET writes it: the most specific part first, which is the reverse of the encoding
 * (seen in the C# SDK's samples: "CN=..., OU=..., O=..., C=US").
 */
function distinguishedName(parts: Record<string, string[]>[]): string {
  return [...parts]
    .reverse()
    .map((part) =>
      Object.entries(part)
        .flatMap(([type, values]) => values.map((value) => `${type}=${quoted(value)}`))
        .join(" + "),
    )
    .join(", ");
}

function quoted(value: string): string {
  return /[,+="\n<>#;]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

function wholeSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** `[0] EXPLICIT INTEGER` at the start of TBSCertificate; absent in version 1. RFC 5280 4.1. */
function certificateVersion(der: Buffer): number {
  const certificate = content(der, 0);
  const tbs = content(der, certificate);
  return der[tbs] === 0xa0 ? der[tbs + 4]! + 1 : 1;
}

/** Where the content of the ASN.1 element at `at` starts. */
function content(der: Buffer, at: number): number {
  const length = der[at + 1]!;
  return at + 2 + (length & 0x80 ? length & 0x7f : 0);
}
