/** Which entries a key reaches, as far as DPS shows what they hold. */
import { type CompromisedKey, reachedThumbprints } from "../../certificates/compromised-keys";
import { comparableName } from "../../certificates/distinguished-name";
import { summarize } from "../../certificates/summary";
import { printable } from "../../certificates/text";
import type { Attestation } from "../../clients/enrollments";
import { filled, type LiveSlot, liveSlots } from "../enrollment/slots";
import type { LiveEntry } from "./closing";

export interface ReachOptions {
  /** Names of CA certificates with the key, in lower case. */
  names: ReadonlySet<string>;
  /** Subjects of the CAs with the key; empty: it is no CA, or what it issued is not looked for. */
  issuers: string[];
  /** Thumbprints of certificates that are known not to be issued below it, whatever their issuer's name. */
  spared: ReadonlySet<string>;
}

/** An entry that a key reaches. */
export interface Reason {
  /** "holds CN=Below, issued below it". */
  words: string;
  /** Only the name of the issuer speaks for it: DPS does not show the certificate itself. */
  byName: boolean;
}

/** What a declared key reaches: itself, what is declared below it, and what has an issuer of that name. */
export function reachOf(key: CompromisedKey, names: ReadonlySet<string>): ReachOptions {
  const own = key.pem === undefined ? undefined : summarize(key.pem);
  return {
    names,
    issuers:
      own?.isCa === true ? [own.subject, ...(key.below ?? []).map((one) => one.subject)] : [],
    spared: new Set(key.spared),
  };
}

/** Why each entry that the key reaches is closed. */
export function reachedEntries(
  key: CompromisedKey,
  { names, issuers: subjects, spared }: ReachOptions,
  entries: LiveEntry[],
): Map<LiveEntry, Reason> {
  const own = new Set(key.thumbprints);
  const below = new Set(reachedThumbprints(key));
  const issuers = new Set(subjects.map(comparableName));
  const found = new Map<LiveEntry, Reason>();
  const certain = (words: string): Reason => ({ words, byName: false });
  const look = (entry: LiveEntry, slot: LiveSlot): Reason | undefined => {
    if (slot.ca !== undefined) {
      const refers = names.has(slot.ca.toLowerCase());
      return refers ? certain(`refers to CA certificate "${printable(slot.ca)}"`) : undefined;
    }
    const subject = slot.subject ?? "a certificate";
    const has = (set: ReadonlySet<string>): boolean =>
      [slot.sha1Thumbprint, slot.sha256Thumbprint].some((one) => one !== undefined && set.has(one));
    if (has(own)) return certain(`holds ${subject} with this key`);
    const byName = slot.issuer !== undefined && issuers.has(comparableName(slot.issuer));
    if (!has(below) && (!byName || has(spared))) return undefined;
    // What it issued in its turn is below as well.
    if (issuers.size > 0 && entry.kind === "group" && slot.subject !== undefined) {
      issuers.add(comparableName(slot.subject));
    }
    return has(below)
      ? certain(`holds ${subject}, issued below it`)
      : { words: `holds ${subject}, whose issuer has its name (${slot.issuer})`, byName: true };
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
        (slot) =>
          slot.issuer === undefined || comparableName(slot.issuer) !== comparableName(issuer),
      ),
  );
}
