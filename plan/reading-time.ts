/** How long a reading takes under the services' published rates. */
import { duration } from "../certificates/fleet-rules";
import type { HubTier } from "../clients/hub-place";
import { aMinute, ASSUMED_TIER, assumedWords } from "./hub-rates";

/** Calls of the service API that DPS takes in a minute (service limits, 2024-03). */
const DPS_CALLS_A_MINUTE = 1000;
const RECORDS_A_CALL = 100;
const DEVICES_A_QUERY = 1000;
/** A shorter reading is not worth a word. */
const SHORT_MS = 5000;

/**
 * What to expect, in a sentence; undefined for a reading that is short in any case. The calls of a minute are
 * taken at once, unless others have taken them just before: another plan, or the preview of this one. That
 * Azure counts otherwise is not excluded.
 *
 * @param individuals how many individual enrollments: one call each
 * @param hubs how many devices each linked hub has; without a tier that of the slowest is assumed
 */
export function readingTime(
  individuals: number,
  hubs: readonly { hub: string; devices: number; tier: HubTier | undefined }[],
): string | undefined {
  const devices = hubs.reduce((sum, each) => sum + each.devices, 0);
  const calls = individuals + Math.ceil(devices / RECORDS_A_CALL);
  const ofHubs = hubs.map(({ devices: count, tier = ASSUMED_TIER }) => ({
    queries: Math.ceil(count / DEVICES_A_QUERY),
    rate: aMinute("queries", tier),
  }));
  const queries = Math.max(0, ...ofHubs.map((each) => each.queries));
  const most = Math.max(
    msOf(calls, DPS_CALLS_A_MINUTE),
    ...ofHubs.map((each) => msOf(each.queries, each.rate)),
  );
  const least = Math.max(
    msOf(calls - DPS_CALLS_A_MINUTE, DPS_CALLS_A_MINUTE),
    ...ofHubs.map((each) => msOf(each.queries - each.rate, each.rate)),
  );
  const unknown = hubs.flatMap(({ hub, tier }) => (tier === undefined ? [hub] : []));
  if (most < SHORT_MS) return undefined;
  return (
    `Reading ${countOf(devices, "device")} in ${countOf(hubs.length, "hub")} and ${countOf(individuals, "individual enrollment")}: ` +
    `about ${countOf(calls, "call")} to DPS and ${queries === 1 ? "1 query" : `${queries} queries`} to a hub. ` +
    `At their published rates they are answered ${least < SHORT_MS ? "at once" : `within ${duration(least)}`}, ` +
    `and within ${duration(most)} where what these rates allow in a minute was used up just before.` +
    (unknown.length === 0 ? "" : ` ${assumedWords(unknown)}`)
  );
}

function msOf(count: number, aMinute: number): number {
  return (Math.max(0, count) / aMinute) * 60_000;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
