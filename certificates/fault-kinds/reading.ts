/** Reading certificates: 001-019. */
import type { FaultKind } from "./fault-kind";

export const READING = {
  "DPS-CERT-001": {
    title: "not a PEM certificate",
    severity: "refusal",
    explanation:
      "A certificate is given as PEM text (RFC 7468): one block between BEGIN CERTIFICATE and END CERTIFICATE.",
  },
  "DPS-CERT-002": {
    title: "private key where a certificate is expected",
    severity: "refusal",
    explanation:
      "Keys stay with the device or the CA. The content of a block that may be a key is never repeated in a message.",
  },
  "DPS-CERT-003": {
    title: "DER where PEM is expected",
    severity: "refusal",
    explanation: "The file holds the binary form of a certificate. Convert it with openssl.",
  },
  "DPS-CERT-004": {
    title: "PKCS#7 or PKCS#12 container",
    severity: "refusal",
    explanation: "A container holds several things; a slot takes exactly one certificate.",
  },
  "DPS-CERT-005": {
    title: "certificate signing request",
    severity: "refusal",
    explanation: "A request has not been signed by a CA yet, so DPS cannot use it.",
  },
  "DPS-CERT-006": {
    title: "public key where a certificate is expected",
    severity: "refusal",
    explanation: "A bare public key has no subject, issuer or dates.",
  },
  "DPS-CERT-007": {
    title: "text outside of the certificate block",
    severity: "refusal",
    explanation:
      "Text before or after a block is often the rest of another file. It is refused so that what is reviewed is what is used.",
  },
  "DPS-CERT-008": {
    title: "more than one block where one certificate is expected",
    severity: "refusal",
    explanation:
      "Readers differ in which block of a chain they take. A slot or a CA entry names exactly one certificate.",
  },
  "DPS-CERT-009": {
    title: "no certificate",
    severity: "refusal",
    explanation: "The text or file is empty.",
  },
  "DPS-CERT-010": {
    title: "damaged certificate block",
    severity: "refusal",
    explanation:
      "The block has no matching END line, is not base64, or does not decode to an X.509 certificate.",
  },
  "DPS-CERT-011": {
    title: "another kind of PEM block",
    severity: "refusal",
    explanation: "Only CERTIFICATE blocks are taken; OpenSSL's TRUSTED CERTIFICATE is not one.",
  },
  "DPS-CERT-012": {
    title: "certificate file cannot be read",
    severity: "refusal",
    explanation: "Paths of files are relative to the folder of the Pulumi program.",
  },
} as const satisfies Record<string, FaultKind>;
