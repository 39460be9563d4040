/** Rolls that a stack was told to carry out, for whoever looks back. Plain JSON, kept in the state. */
import type { Phase, Procedure, Roll } from "./declared";

export interface PastRoll {
  /** Path of the entry: `enrollmentGroups.sensors`. */
  entry: string;
  procedure: Procedure;
  phase: Phase;
  /** When `up` began it: ISO 8601, by the target's clock. One that failed was finished by a later `up`. */
  at: string;
}

/** Phases in which a certificate takes another's place, or is shut out or let in. */
const LOOKED_BACK_AT: ReadonlySet<Phase> = new Set<Phase>([
  "prepare",
  "activate",
  "retire",
  "replace",
  "contain",
  "deny",
  "readmit",
]);
/** Of each entry. */
const KEPT = 12;

/** Whether a phase is told of. */
export function isLookedBackAt(phase: Phase): boolean {
  return LOOKED_BACK_AT.has(phase);
}

/** The rolls so far, oldest first, with those of this change at the end. */
export function recordRolls(
  past: readonly PastRoll[],
  rolls: readonly Roll[],
  now: Date,
): PastRoll[] {
  const all = [
    ...past,
    ...rolls
      .filter(({ phase }) => isLookedBackAt(phase))
      .map(({ entry, procedure, phase }) => ({ entry, procedure, phase, at: now.toISOString() })),
  ];
  return all.filter(
    ({ entry }, index) => all.slice(index).filter((each) => each.entry === entry).length <= KEPT,
  );
}
