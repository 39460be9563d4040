/** What DPS and its hubs hold already: 160-169. */
import type { FaultKind } from "./fault-kind";

export const LIVE_SERVICE = {
  "DPS-CERT-160": {
    title: "CA certificate with other content in DPS",
    severity: "refusal",
    explanation:
      "Groups refer to a CA certificate by its name. A name that holds what this stack did not put there is neither overwritten nor deleted.",
  },
  "DPS-CERT-161": {
    title: "CA certificate that groups in DPS refer to",
    severity: "refusal",
    explanation:
      "Without it they would admit no device any more. They may be groups that this stack does not know.",
  },
  "DPS-CERT-162": {
    title: "hub taken away with devices in it",
    severity: "refusal",
    explanation:
      "Devices that are in the hub lose their identity with it, or are assigned to another hub at their next registration. An empty hub may go.",
  },
} as const satisfies Record<string, FaultKind>;
