/** The configuration: 020-039. */
import type { FaultKind } from "./fault-kind";

export const CONFIGURATION = {
  "DPS-CERT-020": {
    title: "unknown property",
    severity: "refusal",
    explanation: "Nothing in a configuration is ignored; a misspelt property would be.",
  },
  "DPS-CERT-021": {
    title: "missing property",
    severity: "refusal",
    explanation: "The property is required; see configuration/schema.json.",
  },
  "DPS-CERT-022": {
    title: "value not allowed",
    severity: "refusal",
    explanation: "The value's type, range or spelling is not in configuration/schema.json.",
  },
  "DPS-CERT-023": {
    title: "name not allowed",
    severity: "refusal",
    explanation:
      "Certificates and CAs: 1 to 64 letters, digits, '-', '.', '_'. Registration IDs and group IDs: 1 to 128 letters, digits, '-', '.', '_', ':', and the last character a letter, a digit or '-' (DPS service concepts).",
  },
  "DPS-CERT-024": {
    title: "dev certificate for a real target",
    severity: "refusal",
    explanation:
      "The key of a dev certificate lies in the stack's state. That is for the sandbox only.",
  },
  "DPS-CERT-025": {
    title: "dev certificate with an unusable issuer",
    severity: "refusal",
    explanation:
      "The issuer of a dev certificate is another dev certificate that is a CA, and issuers do not go round in a circle.",
  },
  "DPS-CERT-026": {
    title: "registration IDs equal but for case",
    severity: "refusal",
    explanation: "DPS compares registration IDs without case, so both name one enrollment.",
  },
  "DPS-CERT-027": {
    title: "unknown certificate name",
    severity: "refusal",
    explanation: "A certificate is named in `certificates` before it is used.",
  },
  "DPS-CERT-028": {
    title: "unknown CA name",
    severity: "refusal",
    explanation:
      "A group names a CA of `caCertificates`. DPS does not refuse a group with a dangling reference; its devices would be.",
  },
  "DPS-CERT-029": {
    title: "proof of possession missing",
    severity: "refusal",
    explanation:
      "DPS trusts a CA certificate when possession of its key was proven. Only the key of a dev CA is at hand without being told.",
  },
  "DPS-CERT-030": {
    title: "waiver that cannot be applied",
    severity: "refusal",
    explanation: "Only waivable faults are waived, and only until the day that the waiver names.",
  },
  "DPS-CERT-031": {
    title: "waiver that meets no fault",
    severity: "warning",
    explanation: "A waiver that is left behind would hide the next fault of its kind.",
  },
} as const satisfies Record<string, FaultKind>;
