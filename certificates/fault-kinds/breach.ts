/** Compromised and denied, and what must not stand in the way of a breach: 070-089. */
import type { FaultKind } from "./fault-kind";

export const BREACH = {
  "DPS-CERT-070": {
    title: "compromised key in a slot of an enabled entry",
    severity: "refusal",
    explanation:
      "Compromised means the key: renewals, cross-signed twins and everything issued below a compromised CA count.",
  },
  "DPS-CERT-071": {
    title: "compromised CA that groups still refer to",
    severity: "refusal",
    explanation: "The groups are pointed at another CA, or disabled, in the same change.",
  },
  "DPS-CERT-072": {
    title: "replacement with the compromised key",
    severity: "refusal",
    explanation:
      "A new certificate for a key that has leaked helps nobody. Make a new key, then a new certificate.",
  },
  "DPS-CERT-073": {
    title: "compromised certificate comes back",
    severity: "waivable",
    explanation:
      "What was once declared compromised does not return by removing the declaration. Re-admission is a waiver with a reason.",
  },
  "DPS-CERT-074": {
    title: "compromised thumbprint that no declared certificate has",
    severity: "refusal",
    explanation:
      "Without the certificate its key is not known, so groups that admit it by the name of a CA, renewals and certificates issued below it would not be found.",
  },
  "DPS-CERT-075": {
    title: "denied registration ID with an enabled enrollment",
    severity: "refusal",
    explanation: "One registration ID is one enrollment: either it is denied or it is enrolled.",
  },
  "DPS-CERT-076": {
    title: "denied certificate in a slot of an enabled entry",
    severity: "refusal",
    explanation: "A denied certificate is not admitted by the same configuration.",
  },
  "DPS-CERT-077": {
    title: "compromised CA that is still declared",
    severity: "warning",
    explanation:
      "No enabled group admits it, but DPS still holds it as verified. Removing it from caCertificates deletes it.",
  },
  "DPS-CERT-078": {
    title: "CA certificate in DPS that may have the compromised key",
    severity: "warning",
    explanation:
      "The resource manager tells subject and thumbprint, and not always the certificate itself. One with the subject of a compromised CA and another thumbprint may be a renewal with the same key, or a CA of the same name with another one.",
  },
  "DPS-CERT-079": {
    title: "compromised CA in a linked hub's own list",
    severity: "warning",
    explanation:
      "An IoT hub has CA certificates of its own. Devices of the authentication type certificateAuthority get in with a chain to one of them, and DPS is not asked. Nothing here deletes them: another one may be needed there first.",
  },
  "DPS-CERT-080": {
    title: "no free CA entry",
    severity: "refusal",
    explanation:
      "A DPS instance holds 25 CA certificates, and an update deletes last. In a breach the order is disable, delete, upload: two changes.",
  },
  "DPS-CERT-081": {
    title: "waiver that has ended",
    severity: "warning",
    explanation:
      "It waives nothing any more: what it waived stands again where a change meets it. It stops nothing by itself, so that it does not stand in the way of a breach.",
  },
  "DPS-CERT-082": {
    title: "group above a compromised CA altered in the same change",
    severity: "refusal",
    explanation:
      "The writes of an update come in no order, and deletions last. Until the group is written, a thief's chain could fall through to it. While it stays as it is, a disabled group shuts that CA out before anything else.",
  },
  "DPS-CERT-086": {
    title: "registration ID denied without its certificate",
    severity: "warning",
    explanation:
      "A disabled individual enrollment without a certificate denies it. Whether DPS matches a disabled enrollment by its registration ID, or only by the certificates in it, is not known; where the certificate is at hand, deny that.",
  },
} as const satisfies Record<string, FaultKind>;
