/** What has to be read to judge a change in view of the fleet; nothing for most changes. */
import { Breaches } from "./compromise";
import type { Declared, KnownFacts, Phase, Procedure, Roll } from "./declared";
import { inferRolls } from "./rolls";
import { entriesOf, own, type EntryKind } from "./slots";

export interface FleetQuestions {
  /** Entries whose devices are to be counted. */
  entries: { key: string; kind: EntryKind; id: string; roll: Roll }[];
  caCertificates: boolean;
  otherServices: boolean;
}

const WITH_DEVICES: ReadonlySet<Phase> = new Set<Phase>([
  "prepare",
  "retire",
  "replace",
  "contain",
  "disable",
  "remove",
]);
const BREACH: ReadonlySet<Procedure> = new Set<Procedure>(["P4", "P6", "P7", "P12"]);

export function fleetQuestions(
  before: Declared | undefined,
  after: Declared,
  known: KnownFacts = {},
): FleetQuestions {
  const rolls = inferRolls(before, after, new Breaches(before, after, known)).filter(
    ({ phase }) => phase !== "none",
  );
  const old = before === undefined ? [] : entriesOf(before);
  return {
    entries: rolls.flatMap((roll) => {
      const entry = old.find(({ path }) => path === roll.entry);
      if (entry === undefined || !WITH_DEVICES.has(roll.phase)) return [];
      return [{ key: entry.key, kind: entry.kind, id: entry.id, roll }];
    }),
    caCertificates: Object.keys(after.caCertificates).some(
      (name) => before === undefined || own(before.caCertificates, name) === undefined,
    ),
    otherServices: rolls.some(({ procedure }) => BREACH.has(procedure)),
  };
}

/** Whether there is nothing to ask. */
export function asksNothing({ entries, caCertificates, otherServices }: FleetQuestions): boolean {
  return entries.length === 0 && !caCertificates && !otherServices;
}
