/** How long a reading takes under the services' published rates. */
import { duration } from "../certificates/fleet-rules";

/** Calls of the service API that DPS takes in a minute (service limits, 2024-03). */
const DPS_CALLS_A_MINUTE = 1000;
const RECORDS_A_CALL = 100;
/** Queries that one unit of an S1 or S2 hub takes in a minute (IoT Hub quotas and throttling). */
const QUERIES_A_MINUTE = 20;
const DEVICES_A_QUERY = 1000;
/** A shorter reading is not worth a word. */
const SHORT_MS = 5000;

/**
 * What to expect, in a sentence; undefined for a reading that is short in any case. The calls of a minute are
 * taken at once, unless others have taken them just before: another plan, or the preview of this one. A
 * hub of more units, or of tier S3, takes more; that Azure counts otherwise is not excluded.
 *
 * @param individuals how many individual enrollments: one call each
 * @param devicesByHub how many devices each linked hub has
 */
export function readingTime(
  individuals: number,
  devicesByHub: readonly number[],
): string | undefined {
  const devices = devicesByHub.reduce((sum, each) => sum + each, 0);
  const calls = individuals + Math.ceil(devices / RECORDS_A_CALL);
  const queries = Math.max(0, ...devicesByHub.map((each) => Math.ceil(each / DEVICES_A_QUERY)));
  const most = Math.max(msOf(calls, DPS_CALLS_A_MINUTE), msOf(queries, QUERIES_A_MINUTE));
  const least = Math.max(
    msOf(calls - DPS_CALLS_A_MINUTE, DPS_CALLS_A_MINUTE),
    msOf(queries - QUERIES_A_MINUTE, QUERIES_A_MINUTE),
  );
  if (most < SHORT_MS) return undefined;
  return (
    `Reading ${countOf(devices, "device")} in ${countOf(devicesByHub.length, "hub")} and ${countOf(individuals, "individual enrollment")}: ` +
    `about ${countOf(calls, "call")} to DPS and ${queries === 1 ? "1 query" : `${queries} queries`} to a hub. ` +
    `At their published rates they are answered ${least < SHORT_MS ? "at once" : `within ${duration(least)}`}, ` +
    `and within ${duration(most)} where what these rates allow in a minute was used up just before.`
  );
}

function msOf(count: number, aMinute: number): number {
  return (Math.max(0, count) / aMinute) * 60_000;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
