/** The evidence that a retirement needs: 140-149. */
import type { FaultKind } from "./fault-kind";

export const RETIREMENT = {
  "DPS-CERT-140": {
    title: "certificate retired while its devices could not be counted",
    severity: "waivable",
    explanation:
      "Without all registration records nobody can tell how many devices still need the certificate.",
  },
} as const satisfies Record<string, FaultKind>;
