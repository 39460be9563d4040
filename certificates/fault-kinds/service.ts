/** What is live in DPS and at the hubs, and what is done there: 100-149. */
import type { FaultKind } from "./fault-kind";

export const SERVICE = {
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
