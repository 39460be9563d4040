/** Tells many devices with jobs of their hubs: the hub does the calling, and waits for devices that are offline. */
import { type DeviceJob, type HubJob, HubJobs, isOver } from "../../clients/hub-jobs";
import type { MethodCall } from "../../clients/hub-methods";
import { quoted } from "../../clients/hub-registry";
import type { Connection } from "../../clients/target";
import { say } from "../handler";
import { devicesWords } from "../../certificates/fleet-usage";
import { answerOf, type Told } from "./outcomes";
import type { Target } from "./targets";
import type { Deadline } from "./timing";

/**
 * A query may have 8,192 characters (learn.microsoft.com/azure/iot-hub/iot-hub-devguide-query-language);
 * the condition is a part of one.
 */
const CONDITION_CHARACTERS = 8000;
/** Between two looks at a job, milliseconds: 100 job operations a minute and unit are allowed. */
const LOOK = { firstMs: 500, maximumMs: 10_000 };
/** The hub ends a job at the deadline; it may take a moment to say so. */
const END_SECONDS = 15;
/** Error codes of a device's part: see sandbox/iot-hub/jobs.ts for where they were seen. */
const OFFLINE = ["DeviceNotOnline", "JobRunPreconditionFailed"];
const LATE = ["GatewayTimeout", "DeviceTimeout"];

export interface JobPlan {
  connection: Connection;
  /** Beginning of the IDs of all jobs of this roll. */
  prefix: string;
  method: MethodCall;
  deadline: Deadline;
}

/**
 * One job after the other in each hub: the smallest tiers run one at a time. Jobs that an earlier run
 * has left are waited for, not repeated. `left`: who is in no job that has ended.
 */
export async function tellByJob(
  plan: JobPlan,
  targets: Target[],
): Promise<{ told: Told[]; left: Target[] }> {
  const hubs = [...new Set(targets.map(({ hub }) => hub))];
  const parts = await Promise.all(
    hubs.map((hub) =>
      tellInHub(
        plan,
        hub,
        targets.filter((target) => target.hub === hub),
      ),
    ),
  );
  return {
    told: parts.flatMap(({ told }) => told),
    left: parts.flatMap(({ left }) => left),
  };
}

async function tellInHub(plan: JobPlan, hub: string, targets: Target[]) {
  const jobs = new HubJobs(plan.connection, hub);
  const told = new Map<string, Told>();
  const note = (parts: DeviceJob[]): void =>
    parts.filter(isOver).forEach((part) => told.set(part.deviceId, toldOf(part, plan.method)));
  const earlier = (await jobs.list()).filter(({ jobId }) => jobId.startsWith(plan.prefix));
  for (const job of earlier) {
    const running = !isOver(job);
    const ended = await ending(plan, jobs, job.jobId);
    const parts = ended === undefined ? [] : await jobs.devices(job.jobId);
    // Who was not reached by a job that ended in an earlier run is told once more.
    note(running ? parts : parts.filter(({ status }) => status === "completed"));
  }
  let number = earlier.length;
  for (const chunk of chunksOf(targets.filter(({ deviceId }) => !told.has(deviceId)))) {
    number += 1;
    const jobId = `${plan.prefix}${number}`;
    if (!(await scheduled(plan, jobs, jobId, chunk))) {
      break;
    }
    say(`Job ${jobId} of ${hub} tells ${devicesWords(chunk.length)} to register again.`);
    const job = await ending(plan, jobs, jobId);
    if (job === undefined) {
      break;
    }
    const parts = await jobs.devices(jobId);
    note(parts);
    for (const { deviceId } of chunk.filter((target) => !told.has(target.deviceId))) {
      told.set(deviceId, { deviceId, result: "failed", why: missing(job) });
    }
  }
  return {
    told: targets.flatMap(({ deviceId }) => told.get(deviceId) ?? []),
    left: targets.filter(({ deviceId }) => !told.has(deviceId)),
  };
}

/** false: the time is over, or the hub stayed busy with other jobs. */
async function scheduled(
  { method, deadline }: JobPlan,
  jobs: HubJobs,
  jobId: string,
  chunk: Target[],
): Promise<boolean> {
  const { methodName, payload, responseTimeoutInSeconds } = method;
  const condition = conditionOf(chunk.map(({ deviceId }) => deviceId));
  return deadline.until(
    async () =>
      deadline.seconds > 0 &&
      (await jobs.schedule(
        jobId,
        condition,
        { methodName, payload, responseTimeoutInSeconds },
        deadline.seconds,
      )),
    LOOK.firstMs,
    LOOK.maximumMs,
  );
}

/** The job once it has ended; undefined: it had not by the end of the time. */
async function ending(
  { deadline }: JobPlan,
  jobs: HubJobs,
  jobId: string,
): Promise<HubJob | undefined> {
  let job: HubJob | undefined;
  const ended = await deadline.later(END_SECONDS).until(
    async () => {
      job = await jobs.get(jobId);
      return job === undefined || isOver(job);
    },
    LOOK.firstMs,
    LOOK.maximumMs,
  );
  return ended ? job : undefined;
}

function toldOf({ deviceId, status, outcome, error }: DeviceJob, method: MethodCall): Told {
  const response = outcome?.deviceMethodResponse;
  if (response) {
    return answerOf(deviceId, response.status);
  }
  const code = error?.code ?? status;
  if (OFFLINE.includes(code)) {
    return { deviceId, result: "offline" };
  }
  if (LATE.includes(code)) {
    const why = `no answer within ${method.responseTimeoutInSeconds} s`;
    return { deviceId, result: "late", why };
  }
  return { deviceId, result: "failed", why: code };
}

/** Why a device of a job that has ended is not among the job's devices. */
function missing({ status, failureReason }: HubJob): string {
  return status === "completed"
    ? "not in its hub any more"
    : `its job ${status}${failureReason === undefined ? "" : `: ${failureReason}`}`;
}

/** As many devices in each as one condition can name. */
export function chunksOf(targets: Target[]): Target[][] {
  const chunks: Target[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const target of targets) {
    const length = quoted(target.deviceId).length + 1;
    if (size + length > CONDITION_CHARACTERS) {
      chunks.push([]);
      size = conditionOf([]).length;
    }
    chunks[chunks.length - 1]?.push(target);
    size += length;
  }
  return chunks;
}

export function conditionOf(deviceIds: string[]): string {
  return `deviceId IN [${deviceIds.map(quoted).join(",")}]`;
}
