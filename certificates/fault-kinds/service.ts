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
