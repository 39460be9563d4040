/** What is wrong with a change, as opposed to its result: overlap, swaps, keys carried on. */
import { type Breach, Breaches } from "./compromise";
import type { Declared, KnownCertificate } from "./declared";
import { fault, type Fault, type FaultCode } from "./faults";
import {
  covers,
  entriesOf,
  identity,
  isAbove,
  isExpired,
  isNotYetValid,
  own,
  wordsOf,
} from "./slots";
import type { Entry, ResolvedSlot } from "./slots";
import { displayName, foldCase, listed, pathOf } from "./text";

export function changeFaults(
  old: Entry | undefined,
  entry: Entry,
  breaches: Breaches,
  among: KnownCertificate[],
  now: Date,
): Fault[] {
  if (old === undefined) return [];
  const added = entry.slots.filter((slot) => old.slots.every((each) => each.id !== slot.id));
  return [
    ...(old.slots.some((slot) => isShutOut(breaches, slot))
      ? []
      : overlapFaults(old, entry, added, among, now)),
    ...added.flatMap((slot) => keyReuse(old, slot, breaches)),
  ];
}

/** Gates that only protect availability, of what is in the slots. */
const AVAILABILITY: ReadonlySet<FaultCode> = new Set<FaultCode>(["DPS-CERT-042", "DPS-CERT-049"]);

/**
 * Whether the change of an entry is part of a breach: something in its slots was shut out, or the
 * entry is there to shadow a group for a compromised leaf with its registration ID.
 */
export function isBreach(
  after: Declared,
  old: Entry | undefined,
  entry: Entry,
  breaches: Breaches,
): boolean {
  if (old?.slots.some((slot) => isShutOut(breaches, slot)) === true) return true;
  if (old !== undefined || entry.kind !== "individual") return false;
  return [...after.compromised, ...after.denied].some((each) => {
    const leaf = "certificate" in each ? own(after.certificates, each.certificate) : undefined;
    return leaf?.known === true && foldCase(leaf.summary.subjectCommonName) === foldCase(entry.id);
  });
}

/** A breach is exempt from every gate that only protects availability: there it only warns. */
export function easedInBreach(faults: Fault[], breach: boolean): Fault[] {
  if (!breach) return faults;
  return faults.map((each) =>
    AVAILABILITY.has(each.code)
      ? {
          ...each,
          severity: "warning",
          found: `${each.found} (which does not stop a breach)`,
        }
      : each,
  );
}

export function slotBreach(breaches: Breaches, slot: ResolvedSlot): Breach | undefined {
  return breaches.of(slot.certificateName ?? "", slot.certificate);
}

export function isShutOut(breaches: Breaches, slot: ResolvedSlot): boolean {
  return breaches.shutsOut(slot.certificateName ?? "", slot.certificate);
}

/**
 * Whether the change says that a thief may have come in through the entry: what it shuts out was in a
 * slot, or is a CA below one, so that a group higher up admits it. Then what devices of the entry report is
 * no evidence.
 */
export function mayHaveAdmittedThief(
  { slots }: Entry,
  before: Declared,
  breaches: Breaches,
  among: KnownCertificate[],
): boolean {
  if (slots.some((slot) => isShutOut(breaches, slot))) return true;
  const earlier = new Breaches(undefined, before);
  const isNew = (ca: KnownCertificate): boolean => {
    const { isCa, sha256Thumbprint } = ca.summary;
    return (
      isCa && breaches.shutsOut(sha256Thumbprint, ca) && !earlier.shutsOut(sha256Thumbprint, ca)
    );
  };
  return among
    .filter(isNew)
    .some((ca) =>
      slots.some(
        ({ certificate }) => certificate?.known === true && isAbove(certificate, ca, among),
      ),
    );
}

function overlapFaults(
  old: Entry,
  entry: Entry,
  added: ResolvedSlot[],
  among: KnownCertificate[],
  now: Date,
): Fault[] {
  const [first] = added;
  // A name that is not declared is a fault of its own.
  if (entry.slots.some((slot) => slot.certificate === undefined)) return [];
  if (!old.enabled || !entry.enabled || first === undefined) return [];
  const accepted = old.slots.filter(
    (slot) => !isExpired(slot.certificate, now) && !isNotYetValid(slot.certificate, now),
  );
  const stays = accepted.some((slot) =>
    entry.slots.some(
      (next) => next.id === slot.id || (entry.kind === "group" && covers(next, slot, among)),
    ),
  );
  if (accepted.length === 0 || stays) return [];
  return [
    fault(
      "DPS-CERT-048",
      first.path,
      `${first.words} in place of ${listed(accepted.map((slot) => slot.words))}, without an overlap`,
      "keep the old certificate in the other slot until the devices have the new one; after a " +
        "breach, name the old one in compromised",
    ),
  ];
}

/* Of CAs as well: a renewed CA certificate with the old key carries the key's risk on. */
function keyReuse(old: Entry, slot: ResolvedSlot, breaches: Breaches): Fault[] {
  const { certificate } = slot;
  if (certificate?.known !== true || slotBreach(breaches, slot) !== undefined) return [];
  const same = old.slots.find(
    (each) =>
      each.certificate?.known === true &&
      each.certificate.summary.publicKeySha256 === certificate.summary.publicKeySha256,
  );
  if (same === undefined) return [];
  return [
    fault(
      "DPS-CERT-055",
      slot.path,
      `a new certificate with the key of ${same.words}: ${slot.words}`,
      "make a new key for the next certificate",
    ),
  ];
}

/** A CA name whose certificate changes while groups refer to the name. */
export function swapFaults(
  before: Declared | undefined,
  after: Declared,
  breaches: Breaches,
): Fault[] {
  if (before === undefined) return [];
  return Object.entries(after.caCertificates).flatMap(([name, ca]) => {
    const old = own(before.caCertificates, name);
    if (old === undefined) return [];
    const next = own(after.certificates, ca.certificate);
    const previous = own(before.certificates, old.certificate);
    if (identity(ca.certificate, next) === identity(old.certificate, previous)) return [];
    // What is compromised is cut off, and its groups are written anew once the next one is verified.
    if (breaches.of(old.certificate, previous)?.declared === true) return [];
    const referring = references(after, name);
    if (next === undefined || referring.length === 0) return [];
    return [
      fault(
        "DPS-CERT-052",
        `${pathOf("caCertificates", name)}.certificate`,
        `${wordsOf(ca.certificate, next)} in place of ${wordsOf(old.certificate, previous)}, ` +
          `while ${listed(referring)} ${referring.length === 1 ? "refers" : "refer"} to the name`,
        `declare the new CA under a new name than ${displayName(name)} and point the groups at it`,
      ),
    ];
  });
}

/** Paths of the slots that refer to a CA by name; of enabled groups only, when asked. */
export function references(declared: Declared, ca: string, onlyEnabled = false): string[] {
  return entriesOf(declared)
    .filter((entry) => entry.enabled || !onlyEnabled)
    .flatMap((entry) => entry.slots)
    .filter(({ slot }) => "ca" in slot && slot.ca === ca)
    .map((slot) => slot.path);
}
