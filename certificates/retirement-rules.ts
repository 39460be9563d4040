/** Whether devices still depend on a certificate that is taken out of a slot. */
import type { Declared, Limit } from "./declared";
import { fault, type Fault } from "./faults";
import type { DeviceFact } from "./fleet-facts";
import { devicesWords, type Usage, using } from "./fleet-usage";
import type { EntryKind, ResolvedSlot } from "./slots";
import { someOf } from "./text";

/** As many as a person reads through. */
const MOST_NAMED = 20;

/** Devices that may be cut off when a slot is emptied. */
export interface AtRisk {
  /** Evidence shows that they have what goes, and nothing of what stays. */
  onOld: DeviceFact[];
  /** No evidence shows that what stays admits them. */
  notKnown: DeviceFact[];
}

/**
 * @param usage by the slots before and after the change
 * @param stays what DPS accepts after it
 */
export function atRisk(usage: Usage, gone: ResolvedSlot, stays: ResolvedSlot[]): AtRisk {
  const safe = new Set(using(usage, stays));
  const onOld = using(usage, [gone], stays);
  const old = new Set(onOld);
  const others = usage.known.map(({ device }) => device).filter((one) => !safe.has(one));
  return { onOld, notKnown: [...others.filter((one) => !old.has(one)), ...usage.notKnown] };
}

/**
 * DPS-CERT-058 for a slot that is emptied: a refusal beyond the limits of `retirement`, a warning within
 * them, nothing when no device is at risk.
 */
export function retirementFaults(
  usage: Usage,
  gone: ResolvedSlot,
  stays: ResolvedSlot[],
  kind: EntryKind,
  { retirement = {} }: Declared,
): Fault[] {
  const { onOld, notKnown } = atRisk(usage, gone, stays);
  if (onOld.length + notKnown.length === 0) return [];
  const parts = [
    { devices: onOld, limit: retirement.onOld, what: "last registered with it" },
    { devices: notKnown, limit: retirement.notKnown, what: "not known" },
  ].map((part) => ({ ...part, allowed: allowed(part.limit, usage.onRecord) }));
  const beyond = parts.filter(({ devices, allowed: most }) => devices.length > most);
  const ids = beyond.flatMap(({ devices }) => devices.map(({ deviceId }) => deviceId));
  const found = parts
    .filter(({ devices }) => devices.length > 0)
    .map(({ devices, what, allowed: most }) => {
      const names = someOf(
        devices.map(({ deviceId }) => deviceId),
        MOST_NAMED,
      );
      return `${devices.length} ${what}, where retirement allows ${most}: ${names}`;
    });
  const each = fault(
    "DPS-CERT-058",
    gone.path,
    `${gone.words} taken away with ${onOld.length + notKnown.length} of ${devicesWords(usage.onRecord)} on record at risk: ${found.join("; ")}`,
    beyond.length === 0
      ? "look after these devices; they register again only with the certificate that stays"
      : `wait until they have registered with the certificate that stays${notKnown.length > 0 ? ` (${EVIDENCE[kind]})` : ""}, or waive this with a reason and their IDs in devices`,
  );
  return [beyond.length === 0 ? { ...each, severity: "warning" } : { ...each, devices: ids }];
}

const EVIDENCE = {
  group:
    "evidence is the issuer that a device reports in its twin, or its leaf in remove.issuedLeaves; the certificates in between have to be in certificates",
  individual: "evidence is the leaf that its hub has",
} as const;

/** A share is rounded down: it never allows more than it says. */
function allowed(limit: Limit = 0, devices: number): number {
  return typeof limit === "number" ? limit : Math.floor((Number.parseFloat(limit) / 100) * devices);
}

/** DPS-CERT-140: nobody can tell how many are at risk. */
export function uncountedFaults(gone: ResolvedSlot, uncounted: string | undefined): Fault[] {
  return uncounted === undefined
    ? []
    : [
        fault(
          "DPS-CERT-140",
          gone.path,
          `${gone.words} taken away while not all devices could be counted: ${uncounted}`,
          "see to it that they can be read, or look for those that still need it by other means and waive this with a reason",
        ),
      ];
}
