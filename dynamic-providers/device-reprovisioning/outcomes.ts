/** What became of each device that was told, and how a person reads it. */
import { devicesWords } from "../../certificates/fleet-usage";
import type { Target } from "./targets";

/**
 * "answered": it will register again, or has. "offline": not connected, or it takes no direct
 * methods. "late": it did not answer in time, and may have heard it all the same. "refused": it
 * answered with a status that is not 2xx. "failed": anything else; `why` says what.
 */
export type Result = "answered" | "offline" | "late" | "refused" | "failed";

export interface Told {
  deviceId: string;
  result: Result;
  why?: string;
}

/** Plain JSON, kept in the state: counts, and the first of those that were not reached. */
export interface Report {
  /** Devices of the entry that have a hub. */
  devices: number;
  /** Registered since the entry was written. */
  registered: number;
  /** Answered, and not seen registering by the end. */
  answered: number;
  /** Neither registered nor answered: how many. */
  unreached: number;
  /** The first hundred of them, each with the reason. */
  unreachedDevices: string[];
}

const NAMED_IN_STATE = 100;
const NAMED_TO_PERSON = 10;

/** The answer of a device, by the status that it gave (learn.microsoft.com, direct methods: its own choice). */
export function answerOf(deviceId: string, status: number): Told {
  return status >= 200 && status < 300
    ? { deviceId, result: "answered" }
    : { deviceId, result: "refused", why: `answered ${status}` };
}

/** @param registered device IDs of those that have registered since the entry was written */
export function reportOf(targets: Target[], registered: Set<string>, told: Told[]): Report {
  const others = told.filter(({ deviceId }) => !registered.has(deviceId));
  const unreached = others.filter(({ result }) => result !== "answered");
  return {
    devices: targets.length,
    registered: targets.filter(({ deviceId }) => registered.has(deviceId)).length,
    answered: others.length - unreached.length,
    unreached: unreached.length,
    unreachedDevices: unreached.slice(0, NAMED_IN_STATE).map(words),
  };
}

/** One line: `Enrollment group "sensors": 7 of 10 devices have registered again …`. */
export function describeReport(name: string, report: Report, left: number): string {
  const { devices, registered, answered, unreached, unreachedDevices } = report;
  const parts = [`${registered} of ${devicesWords(devices)} registered since it was written`];
  if (answered > 0) {
    parts.push(`${answered} answered and will register`);
  }
  if (unreached > 0) {
    const more = unreached - Math.min(unreachedDevices.length, NAMED_TO_PERSON);
    const named = unreachedDevices.slice(0, NAMED_TO_PERSON).join(", ");
    const rest = more > 0 ? ` and ${more} more` : "";
    parts.push(`${unreached} not reached: ${named}${rest}`);
  }
  if (left > 0) {
    parts.push(`${left} not told yet, because the time was over: run \`pulumi up\` again to go on`);
  }
  return `Reprovisioning of ${name}: ${parts.join("; ")}.`;
}

function words({ deviceId, result, why }: Told): string {
  return `${deviceId} (${why ?? result})`;
}
