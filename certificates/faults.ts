/**
 * All faults that a configuration or a certificate can have: one shape, one wording. The codes are
 * in `fault-table.ts`.
 */
import { FAULTS, type Severity } from "./fault-table";
import { reasonWords } from "./text";

export { FAULTS, type Severity } from "./fault-table";

/** `DPS-CERT-nnn`: stable, and searchable in the documentation. */
export type FaultCode = keyof typeof FAULTS;

/** One thing that is wrong, where, and what to do about it. Plain JSON. */
export interface Fault {
  code: FaultCode;
  severity: Severity;
  /** Where in the configuration: `enrollmentGroups.sensors.secondary.certificate`. */
  path: string;
  /** What was found there; certificates by subject, thumbprint and dates, never content. */
  found: string;
  /** What the person can do. */
  fix: string;
  /** IDs of the devices that it is about: a waiver has to name each of them. */
  devices?: string[];
  /** Set when a waiver turned this fault into a warning. */
  waived?: { reason: string; until: string };
}

/** A fault of this code, with the severity that the table gives it. */
export function fault(code: FaultCode, path: string, found: string, fix: string): Fault {
  return { code, severity: FAULTS[code].severity, path, found, fix };
}

/** An error with one fault as its message. */
export function faultError(
  code: FaultCode,
  path: string,
  found: string,
  fix: string,
  options?: ErrorOptions,
): Error {
  return new Error(formatFault(fault(code, path, found, fix)), options);
}

/** One readable line: `DPS-CERT-045 at <path>: found <found>; fix: <fix>`. */
export function formatFault(fault: Fault): string {
  const waived =
    fault.waived === undefined
      ? ""
      : ` (waived until ${fault.waived.until}: ${reasonWords(fault.waived.reason)})`;
  return `${fault.code} at ${fault.path}: found ${fault.found}; fix: ${fault.fix}${waived}`;
}

/** The faults that stop a change: refusals, and waivable faults that nobody has waived. */
export function refusals(faults: readonly Fault[]): Fault[] {
  return faults.filter((fault) => fault.severity !== "warning");
}

/** Tells a fault from a result, for functions that return either. */
export function isFault(value: object): value is Fault {
  return "code" in value && "severity" in value && "fix" in value;
}

/** A configuration that is refused. The message prints all its faults, one a line. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";

  constructor(readonly faults: readonly Fault[]) {
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    super([`refused, ${count}:`, ...faults.map((each) => `  ${formatFault(each)}`)].join("\n"));
  }
}

/** @throws `RefusedError`, when there is a fault */
export function refuseAny(faults: readonly Fault[]): void {
  if (faults.length > 0) throw new RefusedError(faults);
}
