/** Which certificate the devices on record use, as far as there is evidence. */
import type { KnownCertificate } from "./declared";
import type { DeviceFact, EntryFacts } from "./fleet-facts";
import { isAbove } from "./slots";
import type { Entry, ResolvedSlot } from "./slots";

/** Devices on record under one entry, by the slots that admit what they have. */
export interface Usage {
  onRecord: number;
  /** For each device of which there is evidence: the slots that admit it, which may be none. */
  known: { slots: ResolvedSlot[]; device: DeviceFact }[];
  /** Devices of which there is no evidence, or none that leads to a declared certificate. */
  notKnown: DeviceFact[];
}

/**
 * @param among certificates by which a leaf or an issuer can be recognised
 * @param inBreach then what devices report of themselves is no evidence: whoever has the stolen key
 *   reports what he likes
 */
export function usageOf(
  facts: EntryFacts,
  entry: Entry,
  among: KnownCertificate[],
  inBreach: boolean,
): Usage {
  const usage: Usage = { onRecord: facts.devices.length, known: [], notKnown: [] };
  const byThumbprint = new Map(
    among.flatMap((each) => [
      [each.summary.sha256Thumbprint, each],
      [each.summary.sha1Thumbprint, each],
    ]),
  );
  const admitted = new Map<string, ResolvedSlot[]>();
  /* The same few certificates, of very many devices. */
  const admittedBy = (thumbprint: string | undefined): ResolvedSlot[] | undefined => {
    const certificate = byThumbprint.get(thumbprint ?? "");
    if (certificate === undefined) return undefined;
    const { sha256Thumbprint } = certificate.summary;
    const slots = admitted.get(sha256Thumbprint) ?? admitting(entry, certificate, among);
    admitted.set(sha256Thumbprint, slots);
    return slots;
  };
  for (const device of facts.devices) {
    const { leaf } = device;
    const issuer = inBreach && device.issuer?.by === "report" ? undefined : device.issuer;
    const slots =
      leaf === undefined
        ? undefined
        : entry.kind === "individual"
          ? // It holds the leaf itself: one that it does not hold is another one.
            entry.slots.filter((slot) => slot.id === leaf)
          : (admittedBy(leaf) ?? admittedBy(issuer?.thumbprint));
    if (slots === undefined) usage.notKnown.push(device);
    else usage.known.push({ slots, device });
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
export function using(
  usage: Usage,
  slots: ResolvedSlot[],
  others: ResolvedSlot[] = [],
): DeviceFact[] {
  return usage.known
    .filter(
      (each) =>
        each.slots.some((slot) => slots.some(({ id }) => id === slot.id)) &&
        !each.slots.some((slot) => others.some(({ id }) => id === slot.id)),
    )
    .map(({ device }) => device);
}

/** "8 devices on record: 3 with Root A (…), 5 not known" */
export function usageWords(usage: Usage, entry: Entry): string {
  const parts = entry.slots.map((slot) => `${using(usage, [slot]).length} with ${slot.words}`);
  const other = usage.known.filter(({ slots }) => slots.length === 0).length;
  return [
    `${devicesWords(usage.onRecord)} on record: ${parts.join(", ")}`,
    ...(other > 0 ? [`${other} with another certificate`] : []),
    `${usage.notKnown.length} not known`,
  ].join(", ");
}

export function devicesWords(count: number): string {
  return count === 1 ? "1 device" : `${count} devices`;
}
