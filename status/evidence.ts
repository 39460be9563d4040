/** Which reports of devices are evidence after a breach. Pure. */
import type { EntryFacts } from "../certificates/fleet-facts";
import type { KnownCertificate } from "../certificates/declared";
import { type EntryKind, isAbove, type ResolvedSlot } from "../certificates/slots";
import { foldCase } from "../certificates/text";
import type { InventoryDevice, LiveEntry } from "../plan/inventory";

/** An entry that admitted a compromised key, as the stack remembers it. */
export interface Closed {
  /** `CompromisedKey.key` */
  key: string;
  kind: EntryKind;
  id: string;
  /** Until then it may have admitted a thief: ISO 8601. */
  cutOff: string;
  /** Registration IDs that it admitted before, and that settled later. */
  settling: readonly string[];
}

/** Later than any registration: a stolen CA of which the stack does not remember that it was shut out. */
const NEVER = "9999-12-31T23:59:59Z";

/**
 * What closed an entry to thieves whose leaf is below a stolen CA that stands below one of the entry's: the
 * closing of the entries that held that CA, because a disabled one refuses them wherever they come in.
 */
export function closedBelow(
  { kind, id }: Pick<LiveEntry, "kind" | "id">,
  slots: readonly ResolvedSlot[],
  stolen: readonly KnownCertificate[],
  among: KnownCertificate[],
  closed: readonly Closed[],
): Closed[] {
  const below = stolen.filter((ca) =>
    slots.some(({ certificate }) => certificate?.known === true && isAbove(certificate, ca, among)),
  );
  return below.flatMap(({ summary: { publicKeySha256: key } }) => {
    const own = closed.filter((each) => each.key === key);
    return own.length === 0
      ? [{ key, kind, id, cutOff: NEVER, settling: [] }]
      : own.map((each) => ({ ...each, kind, id }));
  });
}

/**
 * The facts of an entry without the word of those that may have come in with a stolen key: whoever has one
 * reports what he likes, also when the key is in no slot any more. A device that has registered after the
 * cut-off came in by what stands in the slots now.
 */
export function believed(
  facts: EntryFacts,
  { kind, id }: Pick<LiveEntry, "kind" | "id">,
  records: readonly InventoryDevice[],
  closed: readonly Closed[],
): EntryFacts {
  const own = closed.filter((each) => each.kind === kind && foldCase(each.id) === foldCase(id));
  if (own.length === 0) return facts;
  const cutOff = Math.max(...own.map((each) => Date.parse(each.cutOff)));
  const settling = new Set(own.flatMap((each) => each.settling.map(foldCase)));
  const cameAfter = new Set(
    records
      .filter(
        ({ registrationId, lastRegistered = "" }) =>
          Date.parse(lastRegistered) > cutOff && !settling.has(foldCase(registrationId)),
      )
      .map(({ deviceId }) => deviceId),
  );
  return {
    ...facts,
    devices: facts.devices.map((device) => {
      if (device.issuer?.by !== "report" || cameAfter.has(device.deviceId)) return device;
      const { deviceId, hub, leaf } = device;
      return { deviceId, hub, ...(leaf !== undefined && { leaf }) };
    }),
  };
}
