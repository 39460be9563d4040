/** Which reports of devices are evidence after a breach. Pure. */
import type { EntryFacts } from "../certificates/fleet-facts";
import type { EntryKind } from "../certificates/slots";
import { foldCase } from "../certificates/text";
import type { InventoryDevice, LiveEntry } from "../plan/inventory";

/** An entry that admitted a compromised key, as the stack remembers it. */
export interface Closed {
  kind: EntryKind;
  id: string;
  /** Until then it may have admitted a thief: ISO 8601. */
  cutOff: string;
  /** Registration IDs that it admitted before, and that settled later. */
  settling: readonly string[];
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
