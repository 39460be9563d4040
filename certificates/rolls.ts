/** Which procedure a change carries out, entry by entry, and its steps in order. */
import { isShutOut } from "./change-rules";
import type { Breaches } from "./compromise";
import type { Declared, Phase, Procedure, Roll, Step } from "./declared";
import { denialRolls } from "./denials";
import { classify, entryWords, type RollSide } from "./entry-roll";
import { caRolls, leafRolls } from "./certificate-rolls";
import { breachSteps, changeSteps, enrollmentSteps, removalSteps } from "./roll-steps";
import { goingBack, slotLines } from "./roll-words";
import { entriesOf } from "./slots";
import type { Entry, ResolvedSlot } from "./slots";

/**
 * One roll for each entry of either configuration, for each denial without an entry, for each CA
 * certificate that comes or goes without a roll that says so, and for each new leaf that a group admits as it is.
 */
export function inferRolls(
  before: Declared | undefined,
  after: Declared,
  breaches: Breaches,
): Roll[] {
  const oldEntries = before === undefined ? [] : entriesOf(before);
  const entries = entriesOf(after);
  const removed = oldEntries.filter((old) => entries.every((entry) => entry.key !== old.key));
  const denials = denialRolls(before, after, oldEntries, entries, breaches);
  const denied = new Set(denials.map((roll) => roll.entry));
  const rolls = [
    ...entries.map((entry) => {
      const old = oldEntries.find((each) => each.key === entry.key);
      return rollOf(before, after, old, entry, breaches);
    }),
    ...removed.map((entry) => rollOf(before, after, entry, undefined, breaches)),
  ];
  const ofEntries = [
    // What a denial does to a registration ID includes what happens to its entry.
    ...rolls.filter((roll) => !denied.has(roll.entry)),
    ...denials,
    ...leafRolls(before, after, entries, breaches),
  ];
  const done = new Set(ofEntries.flatMap(({ steps }) => steps.map(actionKey)));
  const ofCas = caRolls(before, after, breaches).filter(
    ({ steps }) =>
      !steps.every((each) => each.action.do !== "nothing" && done.has(actionKey(each))),
  );
  return [...ofCas, ...ofEntries];
}

function actionKey({ action }: Step): string {
  return JSON.stringify(action);
}

const BREACH: ReadonlySet<Procedure> = new Set<Procedure>(["P4", "P6", "P7"]);
/** Procedures that shut somebody out, or let him in again (the phase `readmit`). */
export const CLOSING: ReadonlySet<Procedure> = new Set<Procedure>([...BREACH, "P12"]);

function rollOf(
  before: Declared | undefined,
  after: Declared,
  old: Entry | undefined,
  entry: Entry | undefined,
  breaches: Breaches,
): Roll {
  const shown = entry ?? old;
  if (shown === undefined) throw new Error("a roll is of an entry before or after the change");
  const shut = (slot: ResolvedSlot): boolean => isShutOut(breaches, slot);
  const closedIds = new Set((old?.slots ?? []).filter(shut).map((slot) => slot.id));
  const { procedure, phase, words } = classify(
    {
      kind: shown.kind,
      id: shown.id,
      ...(old === undefined ? {} : { before: sideOf(old) }),
      ...(entry === undefined ? {} : { after: sideOf(entry) }),
    },
    (slot) => closedIds.has(slot.identity),
  );
  const steps = (): Step[] => {
    if (old === undefined) return entry === undefined ? [] : enrollmentSteps(entry);
    if (BREACH.has(procedure)) return breachSteps(before ?? after, after, old, entry, breaches);
    if (entry === undefined) return removalSteps(before ?? after, after, old);
    return changeSteps(before ?? after, after, old, entry, phase);
  };
  return {
    entry: shown.path,
    kind: shown.kind,
    procedure,
    phase,
    words: ownershipWords(phase, shown) ?? words,
    slots: slotLines(old, entry),
    steps: steps(),
    back: goingBack(procedure, phase, shown),
  };
}

/* Adopting and letting go write nothing, whatever a new or a removed entry would. */
function ownershipWords(phase: Phase, entry: Entry): string | undefined {
  if (phase === "enroll" && entry.adopted) return `adoption of ${entryWords(entry)}`;
  if (phase === "remove" && entry.retained) return `letting go of ${entryWords(entry)}`;
  return undefined;
}

function sideOf(entry: Entry): RollSide {
  const side: RollSide = { enabled: entry.enabled };
  for (const { name, id, slot, certificate } of entry.slots) {
    side[name] = {
      identity: id,
      ...(certificate?.known === true ? { certificate: certificate.summary } : {}),
      ...("ca" in slot ? { ca: slot.ca } : {}),
    };
  }
  return side;
}
