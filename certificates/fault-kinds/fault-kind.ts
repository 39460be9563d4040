/**
 * - `refusal`: nothing is registered while it stands.
 * - `waivable`: as a refusal, unless the configuration waives this code at this path with a reason.
 * - `warning`: is reported and stops nothing.
 */
export type Severity = "refusal" | "waivable" | "warning";

export interface FaultKind {
  title: string;
  severity: Severity;
  /** Why it is a fault, for the reference page: one or two sentences. */
  explanation: string;
}
