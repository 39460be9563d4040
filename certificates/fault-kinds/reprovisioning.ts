/** Telling devices to register again: 130-139. */
import type { FaultKind } from "./fault-kind";

export const REPROVISIONING = {
  "DPS-CERT-130": {
    title: "reprovision with a hub of the basic tier",
    severity: "refusal",
    explanation:
      "Direct methods and jobs are parts of the free and the standard tiers (learn.microsoft.com/azure/iot-hub/iot-hub-scaling). Devices of a hub of the basic tier cannot be told anything that way.",
  },
} as const satisfies Record<string, FaultKind>;
