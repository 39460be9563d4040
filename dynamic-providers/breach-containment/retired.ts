/** Entries that held a key before it was known to be stolen, and let it go since. */
import { type CompromisedKey, reachedKeys } from "../../certificates/compromised-keys";
import { EnrollmentsClient } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import { allEntries, type ClosedEntry, type EntryName, isSame, nameOf } from "./closing";

export interface Retired {
  /** The cut-off is DPS's time of their last change: the one that let it go, or a later one. */
  entries: ClosedEntry[];
  /** Sentences about those that are not in DPS any more. */
  gone: string[];
}

/**
 * @param inputs.slotKeys entries, each with the keys that its slots were ever declared to hold
 * @param closed what is listed already
 */
export async function retiredEntries(
  { connection, slotKeys = {} }: { connection: Connection; slotKeys?: Record<string, string[]> },
  key: CompromisedKey,
  closed: EntryName[],
): Promise<Retired> {
  const reached = reachedKeys(key);
  const once = Object.entries(slotKeys)
    .filter(([, keys]) => keys.some((one) => reached.includes(one)))
    .map(([name]) => entryOf(name))
    .filter((entry) => closed.every((each) => !isSame(each, entry)));
  const found: Retired = { entries: [], gone: [] };
  if (once.length === 0) {
    return found;
  }
  const all = await allEntries(new EnrollmentsClient(connection));
  for (const entry of once) {
    const live = all.find((each) => isSame(each, entry));
    if (live === undefined) {
      found.gone.push(
        `warning: ${nameOf(entry)} held ${key.subject} once and is gone from DPS: registrations that came in through it are not looked for.`,
      );
    } else {
      const { kind, id, lastUpdated } = live;
      found.entries.push({ kind, id, cutOff: lastUpdated, settling: [] });
    }
  }
  return found;
}

function entryOf(name: string): EntryName {
  const at = name.indexOf("/");
  return { kind: name.startsWith("group/") ? "group" : "individual", id: name.slice(at + 1) };
}
