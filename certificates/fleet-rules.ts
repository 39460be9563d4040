/** What is wrong with a change in view of the live service and its fleet. */
import { isShutOut } from "./change-rules";
import { allKnown, type Breaches } from "./compromise";
import type { Declared, KnownCertificate } from "./declared";
import { fault, type Fault, type FaultCode } from "./faults";
import { type EntryFacts, type FleetFacts, REGISTRATIONS_PER_MINUTE } from "./fleet-facts";
import { devicesWords, type Usage, usageOf } from "./fleet-usage";
import { retirementFaults, uncountedFaults } from "./retirement-rules";
import { minus } from "./roll-steps";
import { serviceFacts } from "./service-facts-rules";
import { covers, entriesOf, isExpired, isNotYetValid } from "./slots";
import type { Entry, ResolvedSlot } from "./slots";
import { listed, someOf } from "./text";

/** What only facts of the fleet decide. */
export const FLEET_CODES: ReadonlySet<FaultCode> = new Set<FaultCode>([
  "DPS-CERT-057",
  "DPS-CERT-058",
  "DPS-CERT-063",
  "DPS-CERT-064",
  "DPS-CERT-065",
  "DPS-CERT-066",
  "DPS-CERT-068",
  "DPS-CERT-069",
  "DPS-CERT-079",
  "DPS-CERT-080",
  "DPS-CERT-140",
]);

export function fleetFaults(
  before: Declared | undefined,
  after: Declared,
  breaches: Breaches,
  facts: FleetFacts,
  now: Date,
): Fault[] {
  const entries = entriesOf(after);
  const among = allKnown(before, after);
  const ofEntries = (before === undefined ? [] : entriesOf(before)).flatMap((old) => {
    const found = facts.entries[old.key];
    if (found === undefined) return [];
    const entry = entries.find(({ key }) => key === old.key);
    const inBreach = old.slots.some((slot) => isShutOut(breaches, slot));
    // A device may have come over to what this change brings.
    const slots = [...old.slots, ...minus(entry?.slots ?? [], old.slots)];
    const usage = usageOf(found, { ...old, slots }, among, inBreach);
    return [
      // A breach is exempt from every gate that only protects availability.
      ...(inBreach
        ? []
        : entry === undefined
          ? removalFaults(old, entries, usage, among, now)
          : rollFaults(after, old, entry, usage, found, among, now)),
      ...deviceFaults(entry ?? old, found),
    ];
  });
  return [...ofEntries, ...serviceFacts(before, after, facts)];
}

function accepted(slots: ResolvedSlot[], now: Date): ResolvedSlot[] {
  return slots.filter(
    ({ certificate }) => !isExpired(certificate, now) && !isNotYetValid(certificate, now),
  );
}

function rollFaults(
  after: Declared,
  old: Entry,
  entry: Entry,
  usage: Usage,
  facts: EntryFacts,
  among: KnownCertificate[],
  now: Date,
): Fault[] {
  if (!old.enabled || !entry.enabled) return [];
  if (usage.onRecord === 0 && facts.uncounted === undefined) return [];
  const isCovered = (slot: ResolvedSlot): boolean =>
    entry.slots.some((next) => entry.kind === "group" && covers(next, slot, among));
  const gone = accepted(minus(old.slots, entry.slots), now).filter((slot) => !isCovered(slot));
  const kept = accepted(old.slots, now).filter((slot) => !gone.includes(slot));
  const [added] = minus(entry.slots, old.slots);
  const needed = neededMs(usage.onRecord, after.longestOfflineHours ?? 0);
  const inNeed = `${devicesWords(usage.onRecord)} on record need ${duration(needed)}`;
  const faults: Fault[] = [];
  if (kept.length > 0 && added !== undefined && gone.length === 0) {
    const left = Math.max(...kept.map((slot) => endOf(slot))) - now.getTime();
    if (left < needed) {
      faults.push(
        fault(
          "DPS-CERT-057",
          added.path,
          `an overlap of ${duration(left)}, until the end of ${listed(kept.map((slot) => slot.words))}, where ${inNeed}`,
          "roll earlier next time; waive this with a reason when the devices that are late can be reached otherwise",
        ),
      );
    }
  }
  for (const slot of gone) {
    faults.push(
      ...retirementFaults(usage, slot, accepted(entry.slots, now), entry.kind, after),
      ...uncountedFaults(slot, facts.uncounted),
    );
    if (kept.length > 0 && facts.lastWritten !== undefined) {
      const had = now.getTime() - new Date(facts.lastWritten).getTime();
      if (had < needed) {
        faults.push(
          fault(
            "DPS-CERT-057",
            slot.path,
            `${slot.words} taken away after an overlap of ${duration(had)}, where ${inNeed}`,
            `wait until ${new Date(new Date(facts.lastWritten).getTime() + needed).toISOString()}, or waive this with a reason`,
          ),
        );
      }
    }
  }
  return faults;
}

/* The service counts by the minute: what a minute takes registers at once, each further thousand waits for
   the next one. And the longest time that any device is away. */
function neededMs(devices: number, longestOfflineHours: number): number {
  const minutesOfWaiting = Math.ceil(devices / REGISTRATIONS_PER_MINUTE) - 1;
  return minutesOfWaiting * 60_000 + longestOfflineHours * 3_600_000;
}

/* A certificate that does not exist yet is as good as one without an end. */
function endOf({ certificate }: ResolvedSlot): number {
  return certificate?.known === true ? new Date(certificate.summary.notAfter).getTime() : Infinity;
}

/** "2 days", "90 minutes", "5 seconds": whole, rounded down. */
export function duration(ms: number): string {
  const units: [string, number][] = [
    ["day", 86_400_000],
    ["hour", 3_600_000],
    ["minute", 60_000],
    ["second", 1000],
  ];
  const [unit, size] = units.find(([, each]) => ms >= 2 * each) ?? ["second", 1000];
  const count = Math.max(0, Math.floor(ms / size));
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function removalFaults(
  old: Entry,
  entries: Entry[],
  usage: Usage,
  among: KnownCertificate[],
  now: Date,
): Fault[] {
  if (old.kind !== "group" || !old.enabled || old.retained || usage.onRecord === 0) return [];
  const others = entries.filter(({ kind, enabled }) => kind === "group" && enabled);
  const left = accepted(old.slots, now).filter(
    (slot) => !others.some((group) => group.slots.some((wide) => covers(wide, slot, among))),
  );
  if (left.length === 0) return [];
  return [
    fault(
      "DPS-CERT-063",
      old.path,
      `an enrollment group that is taken away with ${devicesWords(usage.onRecord)} on record, and no other group that admits ${listed(left.map((slot) => slot.words))}`,
      "set its status to disabled first, and take it away in a later change",
    ),
  ];
}

function deviceFaults(entry: Entry, facts: EntryFacts): Fault[] {
  const edge = [
    ...(facts.edge.length > 0 ? [`IoT Edge: ${someOf(facts.edge, MOST_NAMED)}`] : []),
    ...(facts.children.length > 0
      ? [`below an Edge device: ${someOf(facts.children, MOST_NAMED)}`]
      : []),
  ];
  return [
    ...(facts.withSasKey.length > 0
      ? [
          fault(
            "DPS-CERT-064",
            entry.path,
            `${devicesWords(facts.withSasKey.length)} with a symmetric key at the hub: ${someOf(facts.withSasKey, MOST_NAMED)}`,
            "let them register with DPS with their certificate",
          ),
        ]
      : []),
    ...(edge.length > 0
      ? [
          fault(
            "DPS-CERT-065",
            entry.path,
            `devices that come back only when they are set to (${edge.join("; ")})`,
            "see that their runtime registers with DPS again when it is refused, and look after them one by one",
          ),
        ]
      : []),
  ];
}

const MOST_NAMED = 5;
