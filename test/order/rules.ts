/** The design's order rules, judged on every instant of a log of writes. Pure. */
import type { LoggedWrite, World } from "./stand-in";

/** Names of enabled entries that admit `key`. */
export function admitting(world: World, key: string): string[] {
  return Object.entries(world.entries)
    .filter(([, entry]) => entry.enabled && entry.slots.includes(key))
    .map(([id]) => id);
}

/** A CA is deleted only when no slot names it any more. */
export function danglingReferences(log: readonly LoggedWrite[]): string[] {
  return log
    .filter(({ verb, kind }) => verb === "delete" && kind === "cas")
    .filter(({ id, after }) =>
      Object.values(after.entries).some((entry) => entry.slots.includes(id)),
    )
    .map(({ seq, id }) => `write ${seq} deleted CA ${id} while a slot still names it`);
}

/**
 * Breach: contain, replace, remove. Nothing is written before the key is shut out but what shuts it
 * out; it never comes back; nothing is removed from the hub or from DPS while it is admitted.
 */
export function breachFaults(before: World, log: readonly LoggedWrite[], key: string): string[] {
  const faults: string[] = [];
  let open = admitting(before, key).length;
  for (const { seq, kind, id, verb, after } of log) {
    const now = admitting(after, key).length;
    if (now > open) {
      faults.push(`write ${seq} let ${key} in again through ${admitting(after, key).join(", ")}`);
    }
    if (open > 0 && now === open) {
      faults.push(`write ${seq} (${verb} ${kind}/${id}) came before ${key} was shut out`);
    }
    open = now;
  }
  return [...faults, ...danglingReferences(log)];
}

/**
 * Expiration: at no instant has an entry that admitted devices before no slot left that works. A CA
 * slot works when the CA is there and verified; other keys (intermediates, leaves) always do.
 */
export function expirationFaults(before: World, log: readonly LoggedWrite[]): string[] {
  const faults: string[] = [];
  const served = Object.keys(before.entries).filter((id) => before.entries[id]?.enabled === true);
  for (const { seq, after } of log) {
    for (const id of served) {
      const entry = after.entries[id];
      const works = (key: string): boolean =>
        key.startsWith("root-") ? after.cas[key] === true : true;
      if (entry === undefined || !entry.enabled || !entry.slots.some(works)) {
        faults.push(`after write ${seq} ${id} admits no device`);
      }
    }
  }
  return [...faults, ...danglingReferences(log)];
}
