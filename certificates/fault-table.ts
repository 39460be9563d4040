/** The one table of all faults; `docs/reference/fault-codes.md` is generated from it. */

/**
 * - `refusal`: nothing is registered while it stands.
 * - `waivable`: as a refusal, unless the configuration waives this code at this path with a reason.
 * - `warning`: is reported and stops nothing.
 */
export type Severity = "refusal" | "waivable" | "warning";

interface FaultKind {
  title: string;
  severity: Severity;
  /** Why it is a fault, for the reference page: one or two sentences. */
  explanation: string;
}

/** Codes are never reused: 001-019 reading, 020-039 configuration, 040-069 slots, 070-089 breach, 090-099 not supported, 120-129 what is live in DPS. */
export const FAULTS = {
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
  "DPS-CERT-040": {
    title: "enabled entry with both slots empty",
    severity: "refusal",
    explanation: "No device could register through it.",
  },
  "DPS-CERT-041": {
    title: "same certificate in both slots",
    severity: "refusal",
    explanation: "The second slot is for the next certificate; the same one gives no overlap.",
  },
  "DPS-CERT-042": {
    title: "expired new certificate",
    severity: "refusal",
    explanation: "A certificate that is already expired cannot be rolled to.",
  },
  "DPS-CERT-043": {
    title: "leaf where a CA certificate is needed",
    severity: "refusal",
    explanation:
      "CA entries and the slots of a group hold certificates that issue others (basicConstraints CA:TRUE, RFC 5280 section 4.2.1.9).",
  },
  "DPS-CERT-044": {
    title: "CA certificate as an individual leaf",
    severity: "warning",
    explanation:
      "The key on the device could issue certificates. `openssl req -x509` makes such certificates unless told otherwise.",
  },
  "DPS-CERT-045": {
    title: "common name differs from the registration ID",
    severity: "refusal",
    explanation:
      "DPS takes the registration ID from the leaf's subject common name; another name would make another registration.",
  },
  "DPS-CERT-046": {
    title: "signing certificate that chains to no declared CA",
    severity: "refusal",
    explanation:
      "DPS accepts a group's intermediate only when the chain reaches a verified CA certificate of the service.",
  },
  "DPS-CERT-047": {
    title: "CA reference and signing certificate in one group",
    severity: "refusal",
    explanation:
      "An attestation holds either CA references or signing certificates, so both slots are of one kind.",
  },
  "DPS-CERT-048": {
    title: "only accepted certificate replaced without an overlap",
    severity: "waivable",
    explanation:
      "Until a device has the new certificate it cannot register. Put the new one in the empty slot first, and remove the old one in a later change.",
  },
  "DPS-CERT-049": {
    title: "certificate that is not valid yet",
    severity: "waivable",
    explanation: "Devices that present it before that day are refused.",
  },
  "DPS-CERT-050": {
    title: "expired certificate in a slot",
    severity: "warning",
    explanation: "It admits nobody and takes the slot that the next certificate needs.",
  },
  "DPS-CERT-051": {
    title: "CA removed while it is still referred to",
    severity: "refusal",
    explanation:
      "The group stops referring to a CA, by name or through the chain of a signing certificate, before the CA is deleted.",
  },
  "DPS-CERT-052": {
    title: "CA certificate swapped under its name while groups refer to it",
    severity: "refusal",
    explanation:
      "Groups refer to a CA by name, so a swap cuts off all devices below the old one at once. Declare the new CA under a new name.",
  },
  "DPS-CERT-053": {
    title: "self-attested CA",
    severity: "warning",
    explanation: "Nobody has proven to hold the key of this CA.",
  },
  "DPS-CERT-054": {
    title: "leaf that outlives its issuer",
    severity: "warning",
    explanation: "Its last days cannot be used: the chain ends earlier.",
  },
  "DPS-CERT-055": {
    title: "key used again at an expiration roll",
    severity: "warning",
    explanation: "A roll is the occasion for a new key; a renewal carries the old key's risk on.",
  },
  "DPS-CERT-056": {
    title: "two entries with one device ID",
    severity: "warning",
    explanation: "The device that registers last takes the hub identity over from the other.",
  },
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
    title: "compromised CA that a group higher up still admits",
    severity: "refusal",
    explanation:
      "Whoever holds the key issues leaves below it, and the chain leads on to the higher CA. DPS looks for groups from the leaf upwards, so a disabled group that holds the compromised certificate shuts its chain out.",
  },
  "DPS-CERT-090": {
    title: "not supported yet",
    severity: "refusal",
    explanation:
      "The property is part of the designed configuration, but this version does not carry it out. It is refused rather than ignored.",
  },
  "DPS-CERT-120": {
    title: "reenable of what is not declared",
    severity: "refusal",
    explanation:
      "Each path names an entry or a CA certificate of this configuration, once. A misspelt one would leave closed what somebody believes to be open.",
  },
  "DPS-CERT-121": {
    title: "reenable of an entry that is declared disabled",
    severity: "refusal",
    explanation: "What is opened again is opened as it is declared, and that is closed.",
  },
  "DPS-CERT-127": {
    title: "hub that would not be linked",
    severity: "refusal",
    explanation:
      "Linking a hub is a change of the DPS instance, and an adopted instance is not changed.",
  },
} as const satisfies Record<string, FaultKind>;
