/** A plan without the names of devices, for where many people read it. */
import { displayName } from "../certificates/text";
import type { Plan } from "./model";

/** What stands in place of a name. */
const SOMEBODY = "(device)";

/** @param names every name that must not be said */
export function withoutNames(plan: Plan, names: ReadonlySet<string>): Plan {
  const shown = new Set([...names].map(displayName));
  const hidden = (text: string): string =>
    // Names with other characters than these are in quotes.
    text.replace(/"[^"]*"|[\p{L}\p{N}._:@/+=*-]+/gu, (word) => {
      const end = /[.:]+$/.exec(word)?.[0] ?? "";
      const bare = word.slice(0, word.length - end.length);
      return shown.has(word) ? SOMEBODY : shown.has(bare) ? `${SOMEBODY}${end}` : word;
    });
  return walk(plan, "", hidden) as Plan;
}

/** Lists of names are emptied, the device of a fate is null, and every text is searched. */
function walk(value: unknown, key: string, hidden: (text: string) => string): unknown {
  if (Array.isArray(value)) {
    return key === "names" ? [] : (value as unknown[]).map((each) => walk(each, key, hidden));
  }
  if (typeof value === "object" && value !== null) {
    if (key === "names") return Object.fromEntries(Object.keys(value).map((each) => [each, []]));
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, walk(each, name, hidden)]),
    );
  }
  if (key === "device") return null;
  return typeof value === "string" ? hidden(value) : value;
}
