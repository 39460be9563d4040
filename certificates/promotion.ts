/**
 * Promotion: an expiration roll goes from stack to stack. Environments have certificates of their
 * own, so what they have in common is the configuration's names for them.
 */
import type { Declared, Procedure, Roll, SlotName } from "./declared";
import { fault, type Fault } from "./faults";
import { CLOSING } from "./rolls";
import { entriesOf, type Entry } from "./slots";
import { displayName, listed, printable } from "./text";

/** What stood in the slots of an enrollment from a moment on. Plain JSON, kept in the state. */
export interface AppliedSlots {
  /** Path of the entry: `enrollmentGroups.sensors`. */
  entry: string;
  /** `CA root-a` or `certificate device-1-b`, by slot. */
  slots: Partial<Record<SlotName, string>>;
  /** What the names stood for: SHA-256 thumbprints, or the name of what is not made yet. */
  identities: string[];
  /** When this stack was told to, ISO 8601, by the target's clock. */
  since: string;
}

/** The stack before this one. */
export interface StackBefore {
  /** Its name. */
  after: string;
  /** What it has applied, oldest first. */
  applied: AppliedSlots[];
  /** Why it could not be read, in the engine's words. Absent: it was. */
  notRead?: string;
}

/** The stack before this one, and what either has applied so far. */
export interface PromotionFacts extends StackBefore {
  /** What this stack has applied, oldest first. */
  own: AppliedSlots[];
}

/** Rolls that wait for the stack before; a breach never does. */
const PROMOTED: ReadonlySet<Procedure> = new Set<Procedure>(["P5", "P8", "P9"]);
/** Of each entry; a roll takes two or three. */
const KEPT = 12;

/** The history with what is declared now at its end, for each entry whose slots it changes. */
export function recordSlots(
  history: readonly AppliedSlots[],
  declared: Declared,
  now: Date,
): AppliedSlots[] {
  const all = [...history];
  for (const entry of entriesOf(declared)) {
    const last = latest(history, entry);
    const next = { ...slotsOf(entry), since: now.toISOString() };
    if (last === undefined || !isSame(last, next)) all.push(next);
  }
  return all.filter(
    ({ entry }, index) => all.slice(index).filter((each) => each.entry === entry).length <= KEPT,
  );
}

/**
 * Expiration rolls that the stack before has not carried out; or has not done well with, or not to the end,
 * because it has again what it had before.
 */
export function promotionFaults(
  after: Declared,
  rolls: readonly Roll[],
  { after: stack, applied, own, notRead }: PromotionFacts,
): Fault[] {
  // A refusal stops the whole change, so nothing of a change that answers a breach is refused here.
  if (rolls.some(({ procedure, phase }) => CLOSING.has(procedure) && phase !== "readmit"))
    return [];
  const entries = entriesOf(after);
  return rolls.flatMap((roll) => {
    const entry = entries.find(({ path }) => path === roll.entry);
    if (entry === undefined || !PROMOTED.has(roll.procedure)) return [];
    const wanted = slotsOf(entry);
    // Taking back what this stack did last must not wait for anybody.
    const previous = own.filter((each) => each.entry === entry.path).at(-2);
    if (previous !== undefined && isSame(previous, wanted)) return [];
    const before = own.findLast((each) => hasSlots(each, wanted))?.since ?? "";
    const there = applied.findLastIndex((each) => hasSlots(each, wanted));
    const isCarriedOut = (applied[there]?.since ?? "") > before;
    const current = latest(applied, entry);
    const isTakenBack =
      current !== undefined &&
      !hasSlots(current, wanted) &&
      applied.slice(0, Math.max(there, 0)).some((each) => hasSlots(each, current));
    if (isCarriedOut && !isTakenBack) return [];
    if (notRead !== undefined) return [unread(entry, wanted, stack, notRead)];
    return [
      fault(
        "DPS-CERT-150",
        entry.path,
        `an expiration roll to ${slotWords(wanted)}, which stack ${displayName(stack)} has ${isCarriedOut ? "taken back" : "not carried out"}` +
          (current === undefined
            ? " (it has no such enrollment)"
            : ` (it has ${slotWords(current)} since ${current.since})`),
        `apply it to stack ${displayName(stack)} first, or waive this with a reason`,
      ),
    ];
  });
}

function unread(
  { path }: Entry,
  wanted: Pick<AppliedSlots, "slots">,
  stack: string,
  why: string,
): Fault {
  return fault(
    "DPS-CERT-150",
    path,
    `an expiration roll to ${slotWords(wanted)}, where stack ${displayName(stack)}, which carries it out first, could not be read (${printable(why)})`,
    `see to it that the stack exists and this run may read its state, apply the roll to it first, or waive this with a reason`,
  );
}

function slotsOf(entry: Entry): Omit<AppliedSlots, "since"> {
  return {
    entry: entry.path,
    slots: Object.fromEntries(
      entry.slots.map(({ name, slot }) => [
        name,
        "ca" in slot ? `CA ${slot.ca}` : `certificate ${slot.certificate}`,
      ]),
    ),
    identities: entry.slots.map(({ id }) => id),
  };
}

function latest(history: readonly AppliedSlots[], { path }: Entry): AppliedSlots | undefined {
  return history.findLast(({ entry }) => entry === path);
}

function isSame(one: AppliedSlots, other: Omit<AppliedSlots, "since">): boolean {
  return (
    hasSlots(one, other) && JSON.stringify(one.identities) === JSON.stringify(other.identities)
  );
}

/* Which of two slots it is makes no difference to a device. */
function hasSlots(one: AppliedSlots, other: Omit<AppliedSlots, "since">): boolean {
  const names = ({ slots }: Omit<AppliedSlots, "since">): string =>
    JSON.stringify(Object.values(slots).sort());
  return one.entry === other.entry && names(one) === names(other);
}

function slotWords({ slots }: Pick<AppliedSlots, "slots">): string {
  const words = Object.values(slots).map(displayName);
  return words.length === 0 ? "empty slots" : listed(words);
}
