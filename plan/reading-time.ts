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
 * What to expect, in a sentence; undefined for a short reading. The first minute's calls are taken at
 * once. A hub of more units, or of tier S3, takes more; that Azure counts otherwise is not excluded.
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
  const ms = Math.max(beyond(calls, DPS_CALLS_A_MINUTE), beyond(queries, QUERIES_A_MINUTE));
  if (ms < SHORT_MS) return undefined;
  return (
    `Reading ${devices} devices in ${devicesByHub.length} hubs and ${individuals} individual enrollments: ` +
    `about ${calls} calls to DPS and ${queries} queries to a hub, at least ${duration(ms)} at their published rates.`
  );
}

function beyond(count: number, aMinute: number): number {
  return (Math.max(0, count - aMinute) / aMinute) * 60_000;
}
