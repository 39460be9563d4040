/**
 * Jobs: a direct method or an update of the twin, for all devices that fit a condition when the job
 * begins. Their times follow the sandbox's clock.
 * Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-jobs.
 */
import { HttpError } from "../common/errors";
import type { Sandbox } from "../common/model";
import type { Switches } from "../common/switches";
import { HubFault } from "./faults";
import { isOver, JobStore, type DeviceJobRecord, type JobRecord } from "./jobs-records";
import type { DirectMethods } from "./methods";
import { LATE_DEVICE_JOB_CODE } from "./not-known";
import { showTwin } from "./presenter";
import { parseQueryCondition } from "./query";
import type { DeviceRegistry } from "./registry";
import { partsOf } from "./twin-record";

export interface JobWorld {
  sandbox: Sandbox;
  hubName: string;
  registry: DeviceRegistry;
  methods: DirectMethods;
}

/** Between two looks at what is due, and at who has come online; milliseconds. */
const LOOK_MS = 100;
/** Devices that one job is busy with at a time. */
const DEVICES_AT_ONCE = 10;
/** Active jobs by tier. Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling. */
const ACTIVE_JOBS: Record<string, number> = { F1: 1, S1: 1, S2: 5, S3: 10 };
/** As it was seen, in azure-iot-sdk-java, JobsResponseParserTest. */
const NOT_STARTED = {
  code: "JobRunPreconditionFailed",
  description:
    "The job did not start within specified period: either device did not come online or invalid endTime specified.",
};

/** A job that is running: what is left of it. */
interface Work {
  pending: Map<string, DeviceJobRecord>;
  running: number;
}

/** Methods throw `HubFault`. */
export class Jobs {
  private readonly store: JobStore;
  private readonly works = new Map<string, Work>();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly world: JobWorld) {
    this.store = new JobStore(world.sandbox, world.hubName);
  }

  /** Goes on with what an earlier run of the sandbox left. */
  start(): void {
    for (const job of this.store.list().filter(({ status }) => status === "running")) {
      const left = this.store.deviceJobs(job.jobId).filter((part) => !isOver(part));
      this.works.set(job.jobId, {
        pending: new Map(left.map((part) => [part.deviceId, { ...part, status: "pending" }])),
        running: 0,
      });
    }
    this.look();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  get(jobId: string): JobRecord | undefined {
    return this.store.get(jobId);
  }

  list(): JobRecord[] {
    return this.store.list();
  }

  deviceJobs(jobId?: string): DeviceJobRecord[] {
    return this.store.deviceJobs(jobId);
  }

  schedule(job: JobRecord): JobRecord {
    if (this.store.get(job.jobId) !== undefined) {
      throw new HubFault("JobAlreadyExists", "Conflict");
    }
    if (this.isActive(job) && this.active() >= this.most) {
      throw new HubFault("ThrottlingMaxActiveJobCountExceeded", "429");
    }
    this.store.put(job);
    // The answer shows the job before it begins.
    setImmediate(() => this.look());
    return job;
  }

  cancel(jobId: string): JobRecord {
    const job = this.store.get(jobId);
    if (job === undefined) {
      throw new HubFault("JobNotFound", "NotFound");
    }
    if (isOver(job) || (job.status === "running" && !this.switches.runningJobsCanBeCancelled)) {
      return job;
    }
    for (const part of this.works.get(jobId)?.pending.values() ?? []) {
      this.write(part, { status: "canceled" });
    }
    this.works.delete(jobId);
    return this.store.put({ ...job, status: "cancelled", endTime: this.now });
  }

  /** Begins what is due, ends what is late, and looks again until every job is over. */
  private look(): void {
    clearTimeout(this.timer);
    if (this.closed) {
      return;
    }
    const open = this.store.list().filter((job) => !isOver(job));
    for (const job of open) {
      const work = this.works.get(job.jobId) ?? this.begin(job);
      if (work !== undefined) {
        this.goOn(job, work);
      }
    }
    if (open.length > 0) {
      this.timer = setTimeout(() => this.look(), LOOK_MS).unref();
    }
  }

  private begin(job: JobRecord): Work | undefined {
    if (Date.parse(job.startTime) > this.time || this.works.size >= this.most) {
      return undefined;
    }
    const { registry } = this.world;
    let matches: ReturnType<typeof parseQueryCondition>;
    try {
      matches = parseQueryCondition(job.queryCondition);
    } catch (error) {
      // As in azure-iot-sdk-csharp#40: the job is taken, and fails when it begins.
      const failureReason = error instanceof Error ? error.message : String(error);
      this.store.put({ ...job, status: "failed", endTime: this.now, failureReason });
      return undefined;
    }
    const devices = registry
      .list()
      .filter((record) =>
        matches(showTwin(record, registry.connections.isConnected(record.deviceId))),
      );
    const pending = new Map(
      devices.map(({ deviceId }) => [
        deviceId,
        this.store.putDeviceJob({
          jobId: job.jobId,
          jobType: job.type,
          deviceId,
          status: "pending",
          startTimeUtc: job.startTime,
          endTimeUtc: new Date(endOf(job)).toISOString(),
          createdDateTimeUtc: this.now,
          lastUpdatedDateTimeUtc: this.now,
        }),
      ]),
    );
    const work = { pending, running: 0 };
    this.works.set(job.jobId, work);
    this.store.put({ ...job, status: "running" });
    return work;
  }

  private goOn(job: JobRecord, work: Work): void {
    if (this.time >= endOf(job)) {
      for (const part of work.pending.values()) {
        this.write(part, { status: "failed", error: NOT_STARTED });
      }
      work.pending.clear();
    }
    for (const part of work.pending.values()) {
      if (work.running >= DEVICES_AT_ONCE) {
        break;
      }
      if (this.isReady(job, part.deviceId)) {
        work.pending.delete(part.deviceId);
        work.running += 1;
        void this.run(job, part).finally(() => {
          work.running -= 1;
          // A job that was cancelled, or a hub that was closed, has no work any more.
          if (!this.closed && this.works.get(job.jobId) === work) {
            this.goOn(job, work);
          }
        });
      }
    }
    if (work.pending.size === 0 && work.running === 0) {
      this.works.delete(job.jobId);
      this.store.put({ ...job, status: "completed", endTime: this.now });
    }
  }

  private isReady(job: JobRecord, deviceId: string): boolean {
    const { registry } = this.world;
    const method = job.cloudToDeviceMethod;
    return (
      method === undefined ||
      !this.switches.jobsWaitForDevices ||
      registry.find(deviceId) === undefined ||
      this.world.methods.isListening(deviceId, method.methodName)
    );
  }

  private async run(job: JobRecord, part: DeviceJobRecord): Promise<void> {
    const running = this.write(part, { status: "running" });
    let end: Partial<DeviceJobRecord>;
    try {
      end = { status: "completed", ...(await this.act(job, part.deviceId)) };
    } catch (error) {
      end = { status: "failed", error: errorOf(error) };
    }
    // What was cut by the end of the sandbox is done again at its next start.
    if (!this.closed) {
      this.write(running, end);
    }
  }

  private async act(job: JobRecord, deviceId: string): Promise<Partial<DeviceJobRecord>> {
    const { registry, methods } = this.world;
    registry.get(deviceId);
    if (job.cloudToDeviceMethod !== undefined) {
      return { deviceMethodResponse: await methods.invoke(deviceId, job.cloudToDeviceMethod) };
    }
    const { etag, ...patch } = job.updateTwin ?? {};
    registry.patchTwin(deviceId, partsOf(patch), typeof etag === "string" ? etag : undefined);
    return {};
  }

  private write(part: DeviceJobRecord, change: Partial<DeviceJobRecord>): DeviceJobRecord {
    const over = change.status !== undefined && isOver({ status: change.status });
    return this.store.putDeviceJob({
      ...part,
      ...change,
      ...(over && { endTimeUtc: this.now }),
      lastUpdatedDateTimeUtc: this.now,
    });
  }

  private isActive({ status }: JobRecord): boolean {
    return (
      ["queued", "running"].includes(status) ||
      (this.switches.scheduledJobsAreActive && status === "scheduled")
    );
  }

  private active(): number {
    return this.store.list().filter((job) => this.isActive(job)).length;
  }

  private get most(): number {
    const { sandbox, hubName } = this.world;
    return ACTIVE_JOBS[sandbox.hubs.get(hubName)?.sku.name ?? ""] ?? 1;
  }

  private get switches(): Switches {
    return this.world.sandbox.switches;
  }

  private get time(): number {
    return this.world.sandbox.clock.now().getTime();
  }

  private get now(): string {
    return this.world.sandbox.clock.now().toISOString();
  }
}

function endOf({ startTime, maxExecutionTimeInSeconds }: JobRecord): number {
  return Date.parse(startTime) + maxExecutionTimeInSeconds * 1000;
}

function errorOf(error: unknown): { code: string; description: string } {
  if (error instanceof HubFault) {
    return { code: error.code, description: error.message };
  }
  if (error instanceof HttpError) {
    const code = error.headers["iothub-errorcode"] ?? "ServerError";
    return {
      code: error.status === 504 ? LATE_DEVICE_JOB_CODE : code,
      description: error.message.replace(/^\d+: /, ""),
    };
  }
  // A defect of the sandbox: never to be mistaken for an answer of Azure.
  console.error("The sandbox failed while it ran a job:", error);
  return { code: "ServerError", description: `The sandbox failed: ${String(error)}` };
}
