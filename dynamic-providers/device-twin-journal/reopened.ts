/** Entries that were closed after a breach, and that somebody has written since. */
import { EnrollmentsClient } from "../../clients/enrollments";
import { allEntries, type ClosedEntry, isSame, nameOf } from "../breach-containment/closing";
import { time } from "../breach-containment/registrations";
import type { Reach } from "../device-registration-removal/candidates";
import type { RemovalScope } from "../device-registration-removal/scope";
import { hasUnknown } from "../handler";

/** By `CompromisedKey.key`. */
export type Reopened = Record<string, ClosedEntry[]>;

/**
 * What an entry admitted between its closing and somebody's last write to it, DPS does not tell: it may have
 * been opened for the key, and cleaned again. A write of this stack is none of these, nor is one that found
 * the entry open and closed it, for this key or another one: that is a cut-off.
 *
 * @param before what was found already
 * @returns what is new
 */
export async function newlyReopened(
  { connection, compromised, contained, writes = {} }: RemovalScope,
  before: Reopened,
): Promise<Reopened> {
  const declared = compromised.filter(({ key }) => (contained[key]?.entries.length ?? 0) > 0);
  if (declared.length === 0 || hasUnknown(writes)) {
    return {};
  }
  const live = await allEntries(new EnrollmentsClient(connection));
  const cutOffsOfAll = Object.values(contained).flatMap(({ entries }) => entries);
  const found: Reopened = {};
  for (const { key } of declared) {
    const closed = contained[key]?.entries ?? [];
    const known = [...cutOffsOfAll, ...(before[key] ?? [])];
    for (const entry of live) {
      const cutOffs = closed.filter((each) => isSame(each, entry)).map(({ cutOff }) => cutOff);
      const [first] = cutOffs.sort((a, b) => time(a) - time(b));
      if (first === undefined) continue;
      const own = writes[`${entry.kind}/${entry.id.toLowerCase()}`];
      const at = [own?.others, entry.lastUpdated].filter(
        (one): one is string =>
          one !== undefined &&
          one !== own?.own &&
          time(one) > time(first) &&
          !known.some((each) => isSame(each, entry) && each.cutOff === one),
      );
      for (const cutOff of new Set(at)) {
        const { kind, id } = entry;
        found[key] = [
          ...(found[key] ?? []),
          { kind, id, cutOff, settling: [], doubtfulSince: first },
        ];
      }
    }
  }
  return found;
}

export function reachesIn(reopened: Reopened): Reach[] {
  return Object.entries(reopened).map(([key, entries]) => ({
    key,
    registrationIds: [],
    entries,
  }));
}

export function withReopened(before: Reopened, found: Reopened): Reopened {
  const keys = new Set([...Object.keys(before), ...Object.keys(found)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, [...(before[key] ?? []), ...(found[key] ?? [])]]),
  );
}

/** For a person: who is in doubt because of that. */
export function doubtWords(reopened: Reopened, devices: { registrationId: string }[]): string {
  const entries = Object.values(reopened).flat();
  const names = [...new Set(entries.map(nameOf))].join(", ");
  const some = devices.slice(0, 20).map(({ registrationId }) => registrationId);
  const more = devices.length > some.length ? `, and ${devices.length - some.length} more` : "";
  return (
    `warning: ${names} was written by somebody after it was closed (last: ${entries.at(-1)?.cutOff}). What it admitted in between DPS does not tell, so these may have come in with a compromised certificate: ${some.join(", ")}${more}. ` +
    "They keep their access unless remove.issuedLeaves proves that their leaf is compromised; see the output unremovedDevices."
  );
}
