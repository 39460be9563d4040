/** The devices on record under an entry, by what is known of their certificates and what becomes of them. */
import { allKnown } from "../certificates/compromise";
import { type EntryFacts } from "../certificates/fleet-facts";
import { usageOf, using } from "../certificates/fleet-usage";
import { atRisk } from "../certificates/retirement-rules";
import { minus } from "../certificates/roll-steps";
import type { Entry } from "../certificates/slots";
import type { ChangeContext } from "./changes";
import { type DeviceFate, entriesInBreach, type Fate } from "./lock-out";
import { MOST_NAMED, type NamedDevices, type PlanDevices } from "./model";

const ADMITTED: ReadonlySet<Fate> = new Set<Fate>(["same", "other", "let in"]);

export function devicesOf(
  old: Entry,
  entry: Entry | undefined,
  facts: EntryFacts,
  fates: DeviceFate[],
  { before, after, removed }: ChangeContext,
): Omit<PlanDevices, "undecidedWords"> {
  const among = allKnown(before, after);
  const next = entry?.slots ?? [];
  const gone = minus(old.slots, next);
  // The same as in the lock-out: where a thief may have come in, a device's report is no evidence.
  const isBreach = entriesInBreach(before, after).has(old.key);
  const both = { ...old, slots: [...old.slots, ...minus(next, old.slots)] };
  const usage = usageOf(facts, both, among, isBreach);
  const kept = gone.length > 0 ? next : minus(next, old.slots);
  const staying = using(usage, kept);
  const leaving = gone.flatMap((slot) => atRisk(usage, slot, next).onOld);
  const onOld = gone.length > 0 ? leaving : using(usage, old.slots, kept);
  const settled = new Set([...staying, ...onOld].map(({ deviceId }) => deviceId));
  const notKnown = facts.devices.filter(({ deviceId }) => !settled.has(deviceId));
  const ofEntry = fates.filter((each) => each.entry === old.key);
  const cutOff = ofEntry.filter(({ fate }) => fate === "refused");
  const shutOut = ofEntry.filter(({ fate }) => fate === "shut out");
  const undecided = ofEntry.filter(({ fate }) => fate === "not known");
  return {
    onRecord: facts.devices.length,
    onNew: staying.length,
    onOld: onOld.length,
    notKnown: notKnown.length,
    cutOff: cutOff.length,
    shutOut: shutOut.length,
    admitted: ofEntry.filter(({ fate }) => ADMITTED.has(fate)).length,
    undecided: { count: undecided.length, names: some(undecided) },
    disconnected: removed.get(old.key)?.size ?? 0,
    names: {
      cutOff: some(cutOff),
      shutOut: some(shutOut),
      onOld: some(onOld),
      notKnown: some(notKnown),
    },
    edge: named(facts.edge),
    children: named(facts.children),
    withSasKey: named(facts.withSasKey),
  };
}

function some(devices: { deviceId: string }[]): string[] {
  return devices.slice(0, MOST_NAMED).map(({ deviceId }) => deviceId);
}

function named(ids: string[]): NamedDevices {
  return { count: ids.length, names: ids.slice(0, MOST_NAMED) };
}
