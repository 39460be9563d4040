/** Entries that held a key before it was known to be stolen, and let it go since. */
import { type CompromisedKey, reachedKeys } from "../../certificates/compromised-keys";
import { devicesWords } from "../../certificates/fleet-usage";
import { EnrollmentsClient, type RegistrationRecord } from "../../clients/enrollments";
import { isServiceError } from "../../clients/service-error";
import type { Connection } from "../../clients/target";
import { allEntries, type ClosedEntry, type EntryName, isSame, nameOf } from "./closing";
import { time } from "./registrations";

export interface Retired {
  /**
   * The cut-off is DPS's time of their last change: the one that let it go, or a later one. Of a group that
   * is gone it is the last registration through it.
   */
  entries: ClosedEntry[];
  /** Sentences about those that are not in DPS any more. */
  gone: string[];
}

/** By `group/sensors`, `individual/truck-7`: the keys that its slots were ever declared to hold. */
type SlotKeys = Record<string, string[]>;

/** Before everything: whoever came in through a group that is gone is in doubt. */
const EVER_SINCE = new Date(0).toISOString();

/** @param closed what is listed already */
export async function retiredEntries(
  { connection, slotKeys = {} }: { connection: Connection; slotKeys?: SlotKeys },
  key: CompromisedKey,
  closed: EntryName[],
): Promise<Retired> {
  const reached = reachedKeys(key);
  const once = Object.entries(slotKeys)
    .filter(([, keys]) => keys.some((one) => reached.includes(one)))
    .map(([name, keys]) => ({
      entry: entryOf(name),
      heldItself: keys.includes(key.key),
      heldNothingElse: keys.every((one) => reached.includes(one)),
    }))
    .filter(({ entry }) => closed.every((each) => !isSame(each, entry)));
  const found: Retired = { entries: [], gone: [] };
  if (once.length === 0) {
    return found;
  }
  const client = new EnrollmentsClient(connection);
  const all = await allEntries(client);
  for (const { entry, heldItself, heldNothingElse } of once) {
    const live = all.find((each) => isSame(each, entry));
    if (live !== undefined) {
      const { kind, id, lastUpdated } = live;
      found.entries.push({ kind, id, cutOff: lastUpdated, settling: [] });
    } else if (entry.kind === "group") {
      await addGone(found, client, key, entry.id, heldNothingElse);
    } else if (heldItself && (await client.getRegistration(entry.id)) === undefined) {
      // With its record the device is found as everybody is who has this leaf (`registrationIds`).
      found.gone.push(
        `warning: ${nameOf(entry)} held ${key.subject} once and is gone from DPS with its registration: its device is looked for under that ID. If it had another device ID, look for the leaf in the hubs, and delete the identity by hand.`,
      );
    }
  }
  return found;
}

/**
 * DPS keeps the registrations of a group that is deleted. What else the group ever held is remembered: if
 * nothing, all of them came in with the key; otherwise those go of whom the manifest proves it.
 */
async function addGone(
  found: Retired,
  client: EnrollmentsClient,
  key: CompromisedKey,
  id: string,
  heldNothingElse: boolean,
): Promise<void> {
  const entry: EntryName = { kind: "group", id };
  const held = `${nameOf(entry)} held ${key.subject} once and is gone from DPS`;
  let records: RegistrationRecord[];
  try {
    records = await client.registrationsOfGroup(id);
  } catch (error) {
    if (!isServiceError(error, "NotFound")) throw error;
    found.gone.push(
      `warning: ${held}, which does not list its registrations any more: only devices of whom a manifest of issued leaves (remove.issuedLeaves) proves that they came in with that key are removed.`,
    );
    return;
  }
  const times = records.map(({ lastUpdatedDateTimeUtc = "" }) => lastUpdatedDateTimeUtc);
  const [cutOff] = times.sort((a, b) => time(b) - time(a));
  if (cutOff === undefined) return;
  found.entries.push({
    ...entry,
    cutOff,
    settling: [],
    ...(!heldNothingElse && { doubtfulSince: EVER_SINCE }),
  });
  found.gone.push(
    heldNothingElse
      ? `${held}: what came in through it (${devicesWords(records.length)}) is removed too, because it never held another key.`
      : `warning: ${held}. ${devicesWords(records.length)} came in through it, with that key or with another one that it held: those of whom a manifest of issued leaves (remove.issuedLeaves) proves that it was that key are removed.`,
  );
}

function entryOf(name: string): EntryName {
  const at = name.indexOf("/");
  return { kind: name.startsWith("group/") ? "group" : "individual", id: name.slice(at + 1) };
}
