/** What is live in DPS and at the hubs, and what is done there: 100-149. */
import type { FaultKind } from "./fault-kind";

export const SERVICE = {
  "DPS-CERT-100": {
    title: "manifest of issued leaves that cannot be used",
    severity: "refusal",
    explanation:
      "It decides which devices keep their access in a breach, so each row has to be complete, and no leaf may have two issuers. IoT hubs keep SHA-256 thumbprints; a SHA-1 in their place would never match and prove nothing.",
  },
  "DPS-CERT-101": {
    title: "issuer in the manifest of issued leaves that is not declared",
    severity: "warning",
    explanation:
      "Whether a compromised CA stands above it is not known, so its leaves count as neither good nor compromised.",
  },
  "DPS-CERT-102": {
    title: "removal by evidence, and nothing that could be evidence",
    severity: "warning",
    explanation:
      "DPS and the hub keep the thumbprint of a leaf, not its issuer. Without a manifest of issued leaves no device of a group can be proven to hold a leaf of the compromised CA, so none of them is removed.",
  },
  "DPS-CERT-103": {
    title: "settings of waves that no wave uses",
    severity: "refusal",
    explanation: "They would be ignored, and somebody believes that they hold.",
  },
  "DPS-CERT-104": {
    title: "size of a wave given in two ways",
    severity: "refusal",
    explanation: "A wave is either a number of devices or a share of them.",
  },
  "DPS-CERT-110": {
    title: "CA that waits for its proof of possession, in a slot",
    severity: "refusal",
    explanation:
      "DPS takes the CA as verified only when the signed verification certificate is there. Until then it refuses every device below it.",
  },
  "DPS-CERT-111": {
    title: "unknown placeholder in a signing command",
    severity: "refusal",
    explanation:
      "Only names in braces that have a meaning are replaced; a misspelt one would reach the command as it is written.",
  },
  "DPS-CERT-112": {
    title: "PIN or pass phrase in a signing command",
    severity: "refusal",
    explanation:
      "The command is in the configuration, in the stack's state and in the list of processes, where others read it.",
  },
  "DPS-CERT-113": {
    title: "verification certificate for a code that is not live",
    severity: "refusal",
    explanation:
      "DPS accepts only the code that it gave out last. A code ends when another one is generated, by whomever, and when the certificate is uploaded again.",
  },
  "DPS-CERT-114": {
    title: "verification certificate that proves nothing",
    severity: "refusal",
    explanation:
      "It has to be issued by the CA itself, with the verification code as its common name.",
  },
  "DPS-CERT-115": {
    title: "signing command that did not sign",
    severity: "refusal",
    explanation:
      "It has to end with exit code 0 within its time, and to print one certificate with the code, or one signature, made with the CA's key.",
  },
  "DPS-CERT-116": {
    title: "key that cannot sign the proof",
    severity: "refusal",
    explanation:
      "A key file holds the CA's own private key in PEM, not encrypted. A signing command reaches keys of any other kind.",
  },
  "DPS-CERT-117": {
    title: "CA certificate that is not as it was left",
    severity: "warning",
    explanation:
      "Somebody deleted or unverified it: that stays until reenable says otherwise. Somebody verified it, or gave its name to another certificate: `up` puts that right.",
  },
  "DPS-CERT-118": {
    title: "CA certificate that cannot be adopted",
    severity: "refusal",
    explanation:
      "What is adopted is there, is the declared certificate, and is verified or has a proof.",
  },
  "DPS-CERT-119": {
    title: "compromised CA certificate that stays in DPS",
    severity: "warning",
    explanation:
      "A compromised CA certificate that leaves the configuration is deleted, adopted or not. One stays while a group refers to it, when this stack never had it under that name, or when it is not declared compromised any more: DPS holds it as verified.",
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
  "DPS-CERT-122": {
    title: "reenable that is carried out",
    severity: "warning",
    explanation:
      "It acted once. Left behind it does nothing, and whoever closes the entry again later is not overruled by it.",
  },
  "DPS-CERT-123": {
    title: "less trust in DPS than is declared",
    severity: "warning",
    explanation:
      "Somebody disabled the entry, emptied a slot or deleted it. That may have had a good reason, so `up` does not undo it by the way: `reenable` does, with a reason.",
  },
  "DPS-CERT-124": {
    title: "something else in DPS than is declared",
    severity: "warning",
    explanation:
      "Somebody put another certificate in a slot, enabled the entry or changed a setting that the stack manages. `up` puts it right.",
  },
  "DPS-CERT-125": {
    title: "adoption of an entry that is not there",
    severity: "refusal",
    explanation: "Only what exists can be taken over. The ID may be misspelt.",
  },
  "DPS-CERT-126": {
    title: "adoption of an entry that differs from what is declared",
    severity: "refusal",
    explanation:
      "Taking an entry over shuts nobody out and lets nobody in. Only the beginning of a roll may be declared together with it.",
  },
  "DPS-CERT-127": {
    title: "hub that would not be linked",
    severity: "refusal",
    explanation:
      "Linking a hub is a change of the DPS instance, and an adopted instance is not changed.",
  },
  "DPS-CERT-128": {
    title: "entry that somebody else changed",
    severity: "refusal",
    explanation:
      "A write goes on from what this stack brought about, from what a refresh has shown, or from what admits less than that, and from nothing else.",
  },
  "DPS-CERT-129": {
    title: "entry that is in DPS already",
    severity: "refusal",
    explanation:
      "A stack overwrites nothing that it did not make. `adopt: true` takes an entry over without interrupting a device.",
  },
} as const satisfies Record<string, FaultKind>;
