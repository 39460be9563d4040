/** Promotion from stack to stack: 150-159. */
import type { FaultKind } from "./fault-kind";

export const PROMOTION = {
  "DPS-CERT-150": {
    title: "expiration roll that the stack before has not seen",
    severity: "waivable",
    explanation:
      "With `promotion.after` an expiration roll is applied to one environment only after the stack before it has carried the same one out: the same certificates, by their names in the configuration, in the slots of the same enrollment, later than this stack had them last, and has not taken that back since. While the state of the stack before cannot be read, nobody can tell, and the roll is refused as well. A breach is exempt, and so is taking back the change that this stack made last.",
  },
} as const satisfies Record<string, FaultKind>;
