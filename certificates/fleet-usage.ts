/** Which certificate the devices on record use, as far as there is evidence. */
import type { KnownCertificate } from "./declared";
import type { EntryFacts } from "./fleet-facts";
import { isAbove } from "./slots";
import type { Entry, ResolvedSlot } from "./slots";

/** Devices on record under one entry, by the slots that admit what they have. */
export interface Usage {
  onRecord: number;
  /** Of each group of devices with the same evidence: the slots that admit them, and how many. */
  known: { slots: ResolvedSlot[]; devices: number }[];
  /** Devices of which there is no evidence, or none that leads to a declared certificate. */
  notKnown: number;
}

/** `among`: certificates by which a leaf or a reported issuer can be recognised. */
export function usageOf(facts: EntryFacts, entry: Entry, among: KnownCertificate[]): Usage {
  const usage: Usage = { onRecord: facts.onRecord, known: [], notKnown: facts.notKnown };
  const byThumbprint = new Map(among.map((each) => [each.summary.sha256Thumbprint, each]));
  const count = (slots: ResolvedSlot[] | undefined, devices: number): void => {
    if (slots === undefined) usage.notKnown += devices;
    else usage.known.push({ slots, devices });
  };
  for (const [thumbprint, devices] of Object.entries(facts.leaves)) {
    const leaf = byThumbprint.get(thumbprint);
    const held = entry.slots.filter((slot) => slot.id === thumbprint);
    // An individual enrollment holds the leaf itself: one that it does not hold is another one.
    if (entry.kind === "individual") count(held, devices);
    else count(leaf && admitting(entry, leaf, among), devices);
  }
  for (const [thumbprint, devices] of Object.entries(facts.issuers)) {
    const issuer = byThumbprint.get(thumbprint);
    count(issuer && admitting(entry, issuer, among), devices);
  }
  return usage;
}

function admitting(
  entry: Entry,
  certificate: KnownCertificate,
  among: KnownCertificate[],
): ResolvedSlot[] {
  return entry.slots.filter(
    (slot) =>
      slot.id === certificate.summary.sha256Thumbprint ||
      (slot.certificate?.known === true && isAbove(slot.certificate, certificate, among)),
  );
}

/** Devices that one of `slots` admits and none of `others`. */
export function using(usage: Usage, slots: ResolvedSlot[], others: ResolvedSlot[] = []): number {
  return usage.known
    .filter(
      (each) =>
        each.slots.some((slot) => slots.some(({ id }) => id === slot.id)) &&
        !each.slots.some((slot) => others.some(({ id }) => id === slot.id)),
    )
    .reduce((sum, { devices }) => sum + devices, 0);
}

/** "8 devices on record: 3 with Root A (…), 5 not known" */
export function usageWords(usage: Usage, entry: Entry): string {
  const parts = entry.slots.map((slot) => `${using(usage, [slot])} with ${slot.words}`);
  const other = usage.known
    .filter(({ slots }) => slots.length === 0)
    .reduce((sum, { devices }) => sum + devices, 0);
  return [
    `${devicesWords(usage.onRecord)} on record: ${parts.join(", ")}`,
    ...(other > 0 ? [`${other} with another certificate`] : []),
    `${usage.notKnown} not known`,
  ].join(", ");
}

export function devicesWords(count: number): string {
  return count === 1 ? "1 device" : `${count} devices`;
}
