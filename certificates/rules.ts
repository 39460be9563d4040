/**
 * The judgement: a pure function of two configurations and a time. It says what the change is (the
 * procedure that it carries out, in steps) and what is wrong with it.
 */
import { breachFaults } from "./breach-rules";
import { changeFaults, easedInBreach, isBreach, swapFaults } from "./change-rules";
import { allKnown, Breaches } from "./compromise";
import type { Declared, Judgement, KnownFacts, Waiver } from "./declared";
import type { Fault } from "./faults";
import { fleetCounts } from "./fleet-counts";
import type { FleetFacts } from "./fleet-facts";
import { FLEET_CODES, fleetFaults } from "./fleet-rules";
import { hubFaults } from "./hub-rules";
import { nameFaults } from "./name-rules";
import { promotionFaults } from "./promotion";
import { retainedFaults, waitingFaults } from "./proof-rules";
import { inferRolls } from "./rolls";
import { opensAboveFaults } from "./opens-above";
import { comesThroughGroupFaults, serviceFaults } from "./service-rules";
import { caEntryFaults, deviceIdFaults, slotFaults } from "./slot-rules";
import { entriesOf } from "./slots";
import { strengthFaults } from "./strength-rules";
import { applyWaivers } from "./waivers";

/**
 * Judges a change. `before` is what was declared and carried out last, undefined when nothing was;
 * `now` decides which certificates are valid. Certificates that do not exist yet are judged by what
 * was asked for, and again once they are known. Never throws for what a configuration says. What
 * needs facts of the fleet is judged when `known` has them.
 */
export function judge(
  before: Declared | undefined,
  after: Declared,
  now: Date,
  known: KnownFacts = {},
): Judgement {
  const breaches = new Breaches(before, after, known);
  const rolls = inferRolls(before, after, breaches);
  const faults = [
    ...declaredFaults(before, after, breaches, now, known),
    ...(known.promotion === undefined ? [] : promotionFaults(after, rolls, known.promotion)),
  ];
  const ofFleet = known.fleet ? fleetFaults(before, after, breaches, known.fleet, now) : undefined;
  return {
    faults: [
      ...applyWaivers(faults, waiversOf(after, false), now),
      ...(ofFleet === undefined ? [] : applyWaivers(ofFleet, waiversOf(after, true), now)),
    ],
    rolls,
  };
}

/** The part of `judge` that needs facts of the fleet: faults, and how many devices a roll affects. */
export function judgeFleet(
  before: Declared | undefined,
  after: Declared,
  now: Date,
  known: KnownFacts & { fleet: FleetFacts },
): { faults: Fault[]; counts: string[] } {
  const breaches = new Breaches(before, after, known);
  const faults = fleetFaults(before, after, breaches, known.fleet, now);
  return {
    faults: applyWaivers(faults, waiversOf(after, true), now),
    counts: fleetCounts(before, after, breaches, known.fleet),
  };
}

/* Each in the place where it stands in the configuration, so that its path stays right. */
function waiversOf(after: Declared, ofFleet: boolean): (Waiver | undefined)[] {
  const codes: ReadonlySet<string> = FLEET_CODES;
  return after.waivers.map((waiver) => (codes.has(waiver.code) === ofFleet ? waiver : undefined));
}

function declaredFaults(
  before: Declared | undefined,
  after: Declared,
  breaches: Breaches,
  now: Date,
  { hubCounts }: KnownFacts,
): Fault[] {
  const entries = entriesOf(after);
  const oldEntries = before === undefined ? [] : entriesOf(before);
  const among = allKnown(before, after);
  return [
    ...nameFaults(before, after, entries),
    ...caEntryFaults(after),
    ...waitingFaults(after, entries),
    ...retainedFaults(before, after, breaches),
    ...swapFaults(before, after, breaches),
    ...strengthFaults(before, after, entries, oldEntries),
    ...serviceFaults(before, oldEntries, after),
    ...hubFaults(before, after, hubCounts),
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
    ...opensAboveFaults(before, after, oldEntries, entries, breaches),
  ];
}

/**
 * Judges a configuration when it is not known what was there before it: nothing counts as new, so
 * that an expired certificate which waits for its retirement is a warning and not a refusal.
 */
export function judgeAlone(declared: Declared, now: Date, known: KnownFacts = {}): Fault[] {
  return judge(declared, declared, now, known).faults;
}
