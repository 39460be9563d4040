/** Which entries a key reaches, as far as DPS shows what they hold. */
import { type CompromisedKey, reachedThumbprints } from "../certificates/compromised-keys";
import type { LiveEntry } from "../dynamic-providers/breach-containment/closing";
import { filled, type LiveSlot, liveSlots } from "../dynamic-providers/enrollment/slots";
import type { Attestation } from "../clients/enrollments";

export interface ReachOptions {
  /** Names of CA certificates with the key, in lower case. */
  names: ReadonlySet<string>;
  /** Subject of the CA with the key; undefined: it is no CA, or what it issued is not looked for. */
  issuer?: string;
  /** Thumbprints of certificates that are known not to be issued below it, whatever their issuer's name. */
  spared: ReadonlySet<string>;
}

/** Why each entry that the key reaches is closed. */
export function reachedEntries(
  key: CompromisedKey,
  { names, issuer, spared }: ReachOptions,
  entries: LiveEntry[],
): Map<LiveEntry, string> {
  const own = new Set(key.thumbprints);
  const below = new Set(reachedThumbprints(key));
  const issuers = new Set(issuer === undefined ? [] : [nameParts(issuer)]);
  const found = new Map<LiveEntry, string>();
  const look = (entry: LiveEntry, slot: LiveSlot): string | undefined => {
    if (slot.ca !== undefined) {
      return names.has(slot.ca.toLowerCase()) ? `refers to CA certificate "${slot.ca}"` : undefined;
    }
    const subject = slot.subject ?? "a certificate";
    const has = (set: ReadonlySet<string>): boolean =>
      [slot.sha1Thumbprint, slot.sha256Thumbprint].some((one) => one !== undefined && set.has(one));
    if (has(own)) return `holds ${subject} with this key`;
    const byName = slot.issuer !== undefined && issuers.has(nameParts(slot.issuer));
    if (!has(below) && (!byName || has(spared))) return undefined;
    // What it issued in its turn is below as well.
    if (entry.kind === "group" && slot.subject !== undefined) issuers.add(nameParts(slot.subject));
    return has(below)
      ? `holds ${subject}, issued below it`
      : `holds ${subject}, whose issuer has its name (${slot.issuer})`;
  };
  for (let size = -1; size < found.size;) {
    size = found.size;
    for (const entry of entries) {
      const why = shownSlots(entry.attestation).flatMap((slot) => look(entry, slot) ?? []);
      if (why[0] !== undefined && !found.has(entry)) found.set(entry, why[0]);
    }
  }
  return found;
}

/** Both thumbprints of what the slots show, of each certificate of which one is known. */
export function thumbprintsShown(key: CompromisedKey, entries: LiveEntry[]): string[] {
  return entries
    .flatMap(({ attestation }) => shownSlots(attestation))
    .map(({ sha1Thumbprint, sha256Thumbprint }) => [sha1Thumbprint ?? "", sha256Thumbprint ?? ""])
    .filter((both) => both.some((one) => key.thumbprints.includes(one)))
    .flat();
}

/** The slots that are filled. */
export function shownSlots(attestation: Attestation): LiveSlot[] {
  return filled<LiveSlot>(liveSlots(attestation));
}

/**
 * Enabled groups that may be above a CA certificate whose issuer has this name, as far as DPS shows
 * what they hold: not those whose certificates have the same issuer, which makes them its siblings.
 */
export function perhapsAbove(issuer: string, entries: LiveEntry[]): LiveEntry[] {
  return entries.filter(
    ({ kind, enabled, attestation }) =>
      kind === "group" &&
      enabled &&
      attestation.type === "x509" &&
      shownSlots(attestation).some(
        (slot) => slot.issuer === undefined || nameParts(slot.issuer) !== nameParts(issuer),
      ),
  );
}

/** A distinguished name without regard to the order, spacing and case of its parts. */
function nameParts(name: string): string {
  return name
    .split(/,\s*(?=[A-Za-z0-9.]+=)/)
    .map((part) => part.trim().toLowerCase())
    .sort()
    .join(",");
}
