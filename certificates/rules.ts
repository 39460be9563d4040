/**
 * The judgement: a pure function of two configurations and a time. It says what the change is (the
 * procedure that it carries out, in steps) and what is wrong with it.
 */
import { breachFaults } from "./breach-rules";
import { changeFaults, easedInBreach, isBreach, swapFaults } from "./change-rules";
import { allKnown, Breaches } from "./compromise";
import type { Declared, Judgement, KnownFacts } from "./declared";
import type { Fault } from "./faults";
import { nameFaults } from "./name-rules";
import { waitingFaults } from "./proof-rules";
import { inferRolls } from "./rolls";
import { comesThroughGroupFaults, hubFaults, serviceFaults } from "./service-rules";
import { caEntryFaults, deviceIdFaults, slotFaults } from "./slot-rules";
import { entriesOf } from "./slots";
import { strengthFaults } from "./strength-rules";
import { applyWaivers } from "./waivers";

/**
 * Judges a change. `before` is what was declared and carried out last, undefined when nothing was;
 * `now` decides which certificates are valid. Certificates that do not exist yet are judged by what
 * was asked for, and again once they are known. Never throws for what a configuration says.
 */
export function judge(
  before: Declared | undefined,
  after: Declared,
  now: Date,
  known: KnownFacts = {},
): Judgement {
  const entries = entriesOf(after);
  const oldEntries = before === undefined ? [] : entriesOf(before);
  const breaches = new Breaches(before, after, known);
  const among = allKnown(before, after);
  const faults: Fault[] = [
    ...nameFaults(before, after, entries),
    ...caEntryFaults(after),
    ...waitingFaults(after, entries),
    ...swapFaults(before, after, breaches),
    ...strengthFaults(before, after, entries, oldEntries),
    ...serviceFaults(before, oldEntries, after),
    ...hubFaults(before, after),
    ...entries.flatMap((entry) => {
      const old = oldEntries.find((each) => each.key === entry.key);
      const oldSlots = new Set(old?.slots.map((slot) => slot.id));
      return [
        ...easedInBreach(
          slotFaults(before, after, entry, oldSlots, now),
          isBreach(after, old, entry, breaches),
        ),
        ...changeFaults(old, entry, breaches, among, now),
      ];
    }),
    ...deviceIdFaults(after),
    ...comesThroughGroupFaults(after, entries, oldEntries),
    ...breachFaults(before, after, entries, oldEntries, breaches),
  ];
  return {
    faults: applyWaivers(faults, after.waivers, now),
    rolls: inferRolls(before, after, breaches),
  };
}

/**
 * Judges a configuration when it is not known what was there before it: nothing counts as new, so
 * that an expired certificate which waits for its retirement is a warning and not a refusal.
 */
export function judgeAlone(declared: Declared, now: Date, known: KnownFacts = {}): Fault[] {
  return judge(declared, declared, now, known).faults;
}
