/** A job as a client sends it. */
import type { Switches } from "../common/switches";
import { HubFault, invalid } from "./faults";
import type { JobRecord, JobType } from "./jobs-records";
import { readMethodCall } from "./methods";
import type { Json } from "./records";
import { partsOf } from "./twin-record";
import { isObject } from "./twin-collection";

/** Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-jobs. */
const DEFAULT_EXECUTION_SECONDS = 3600;
/** not known: the longest that the service takes; the docs name 30 days as the life of a job's history. */
const MOST_EXECUTION_SECONDS = 30 * 24 * 3600;
const TYPES: JobType[] = ["scheduleDeviceMethod", "scheduleUpdateTwin"];
/**
 * Source: the same page's note on names and values: printable ASCII without
 * `$ ( ) < > @ , ; : \ " / [ ] ? = { } SP HT`.
 */
const JOB_ID = /^[!#%&'*+\-.0-9A-Z^_`a-z|~]{1,128}$/;

/** Throws `HubFault` for what the hub does not take. */
export function readJob(
  jobId: string,
  body: Json,
  { now, switches }: { now: Date; switches: Switches },
): JobRecord {
  if (!JOB_ID.test(jobId)) {
    throw invalid("The job ID has characters that are not allowed, or is too long");
  }
  if (![undefined, null, jobId].includes(body["jobId"] as string)) {
    throw invalid("The job ID of the body is not the one of the path");
  }
  const { type, queryCondition } = body;
  if (!TYPES.includes(type as JobType)) {
    // Code and text as reported in azure-docs#29484.
    throw new HubFault("GenericBadRequest", "BadRequest");
  }
  if (typeof queryCondition !== "string" || queryCondition.trim() === "") {
    throw invalid("queryCondition is missing");
  }
  const startTime = readStart(body["startTime"], now);
  const job: JobRecord = {
    jobId,
    type: type as JobType,
    status: startTime > now ? "scheduled" : "queued",
    queryCondition,
    createdTime: now.toISOString(),
    startTime: startTime.toISOString(),
    maxExecutionTimeInSeconds: readExecutionTime(body["maxExecutionTimeInSeconds"]),
  };
  return type === "scheduleDeviceMethod"
    ? { ...job, cloudToDeviceMethod: readMethodCall(body["cloudToDeviceMethod"], now) }
    : { ...job, updateTwin: readTwinUpdate(body["updateTwin"], switches) };
}

/** Left out or null: at once. */
function readStart(value: unknown, now: Date): Date {
  if (value === undefined || value === null || value === "") {
    return now;
  }
  const time = new Date(typeof value === "string" ? value : Number.NaN);
  if (Number.isNaN(time.getTime())) {
    throw invalid("startTime is not a time");
  }
  return time;
}

function readExecutionTime(value: unknown): number {
  if (value === undefined || value === null || value === 0) {
    return DEFAULT_EXECUTION_SECONDS;
  }
  if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > MOST_EXECUTION_SECONDS) {
    throw invalid("maxExecutionTimeInSeconds is not allowed");
  }
  return Number(value);
}

function readTwinUpdate(value: unknown, { jobTwinUpdatesNeedEtag }: Switches): Json {
  if (!isObject(value)) {
    throw invalid("updateTwin is missing");
  }
  if (jobTwinUpdatesNeedEtag && typeof value["etag"] !== "string") {
    throw invalid("updateTwin has no etag");
  }
  partsOf(value);
  return value;
}
