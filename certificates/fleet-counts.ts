/** How many devices a change affects, in words. */
import { mayHaveAdmittedThief } from "./change-rules";
import { allKnown, type Breaches } from "./compromise";
import type { Declared } from "./declared";
import { entryWords } from "./entry-roll";
import type { FleetFacts } from "./fleet-facts";
import { usageOf, usageWords } from "./fleet-usage";
import { entriesOf } from "./slots";

/** One line for each entry of `before` about which facts were read. */
export function fleetCounts(
  before: Declared | undefined,
  after: Declared,
  breaches: Breaches,
  fleet: FleetFacts,
): string[] {
  if (before === undefined) return [];
  const among = allKnown(before, after);
  return entriesOf(before).flatMap((entry) => {
    const facts = fleet.entries[entry.key];
    if (facts === undefined) return [];
    const inBreach = mayHaveAdmittedThief(entry, before, breaches, among);
    return [`${entryWords(entry)}: ${usageWords(usageOf(facts, entry, among, inBreach), entry)}`];
  });
}
