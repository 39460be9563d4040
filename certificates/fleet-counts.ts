/** How many devices a change affects, in words. */
import { allKnown } from "./compromise";
import type { Declared, KnownFacts } from "./declared";
import { entryWords } from "./entry-roll";
import type { FleetFacts } from "./fleet-facts";
import { usageOf, usageWords } from "./fleet-usage";
import { entriesOf } from "./slots";

/** One line for each entry of `before` about which facts were read. */
export function fleetCounts(
  before: Declared | undefined,
  after: Declared,
  { fleet }: KnownFacts & { fleet: FleetFacts },
): string[] {
  if (before === undefined) return [];
  const among = allKnown(before, after);
  return entriesOf(before).flatMap((entry) => {
    const facts = fleet.entries[entry.key];
    if (facts === undefined) return [];
    return [`${entryWords(entry)}: ${usageWords(usageOf(facts, entry, among), entry)}`];
  });
}
