/** What this version does not carry out: 090-099. */
import type { FaultKind } from "./fault-kind";

export const NOT_SUPPORTED = {
  "DPS-CERT-090": {
    title: "not supported yet",
    severity: "refusal",
    explanation:
      "The property is part of the designed configuration, but this version does not carry it out. It is refused rather than ignored.",
  },
} as const satisfies Record<string, FaultKind>;
