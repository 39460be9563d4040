/**
 * Jobs: a direct method or an update of the twin, for all devices that fit a condition when the job
 * begins. Their times follow the sandbox's clock.
 * Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-jobs.
 */
import type { Sandbox } from "../common/model";
import type { Switches } from "../common/switches";
import { HubFault } from "./faults";
import { errorOf, NOT_STARTED } from "./jobs-errors";
import {
  isOver,
  JobStore,
  type CloudToDeviceMethod,
  type DeviceJobRecord,
  type JobRecord,
} from "./jobs-records";
import { limitOf } from "./limits";
import type { DirectMethods, MethodResult } from "./methods";
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
/** Devices that one job is busy with at a time. not known; the rate is what is published. */
const DEVICES_AT_ONCE = 100;
/** "Job history is retained up to 30 days": same page as `ACTIVE_JOBS`. */
const HISTORY_MS = 30 * 24 * 3600 * 1000;
/** Active jobs by tier. Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling. */
const ACTIVE_JOBS: Record<string, number> = { F1: 1, S1: 1, S2: 5, S3: 10 };
/** A job that is running: what is left of it. */
interface Work {
  job: JobRecord;
  pending: Map<string, DeviceJobRecord>;
  running: number;
}

/** Methods throw `HubFault`. */
export class Jobs {
  private readonly store: JobStore;
  private readonly works = new Map<string, Work>();
  private timer: NodeJS.Timeout | undefined;
  private pumping = false;
  private readonly closing = new AbortController();

  constructor(private readonly world: JobWorld) {
    this.store = new JobStore(world.sandbox, world.hubName);
  }

  /**
   * Goes on with what an earlier run of the sandbox left: devices whose part is done are left alone. Those
   * that it was busy with are asked again. not known: what Azure does with these.
   */
  start(): void {
    for (const job of this.store.list().filter(({ status }) => status === "running")) {
      const left = this.store.deviceJobs(job.jobId).filter((part) => !isOver(part));
      this.works.set(job.jobId, {
        job,
        pending: new Map(left.map((part) => [part.deviceId, { ...part, status: "pending" }])),
        running: 0,
      });
    }
    this.look();
  }

  close(): void {
    this.closing.abort();
    clearTimeout(this.timer);
  }

  get(jobId: string): JobRecord | undefined {
    this.forget();
    return this.store.get(jobId);
  }

  list(): JobRecord[] {
    this.forget();
    return this.store.list();
  }

  deviceJobs(jobId?: string): DeviceJobRecord[] {
    this.forget();
    return this.store.deviceJobs(jobId);
  }

  schedule(job: JobRecord): JobRecord {
    if (this.get(job.jobId) !== undefined) {
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
    const job = this.get(jobId);
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
        this.endLate(work);
        this.endDone(work);
      }
    }
    void this.pump();
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
    const pending = this.world.sandbox.atomically(() => {
      this.store.put({ ...job, status: "running" });
      return new Map(devices.map(({ deviceId }) => [deviceId, this.beginPart(job, deviceId)]));
    });
    const work = { job, pending, running: 0 };
    this.works.set(job.jobId, work);
    return work;
  }

  private beginPart(job: JobRecord, deviceId: string): DeviceJobRecord {
    return this.store.putDeviceJob({
      jobId: job.jobId,
      jobType: job.type,
      deviceId,
      status: "pending",
      startTimeUtc: job.startTime,
      endTimeUtc: new Date(endOf(job)).toISOString(),
      createdDateTimeUtc: this.now,
      lastUpdatedDateTimeUtc: this.now,
    });
  }

  private endLate({ job, pending }: Work): void {
    if (this.time < endOf(job)) return;
    for (const part of pending.values()) {
      this.write(part, { status: "failed", error: NOT_STARTED });
    }
    pending.clear();
  }

  private endDone({ job, pending, running }: Work): void {
    if (pending.size > 0 || running > 0) return;
    this.works.delete(job.jobId);
    this.store.put({ ...job, status: "completed", endTime: this.now });
  }

  /** Begins devices that are ready, at the rate of the hub, which its jobs share. */
  private async pump(): Promise<void> {
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (this.nextReady() !== undefined) {
        await this.turn();
        const next = this.nextReady();
        if (next !== undefined) this.beginDevice(...next);
      }
    } catch (error) {
      if (!this.closed) throw error;
    } finally {
      this.pumping = false;
    }
  }

  /** A device of the job that is busy with the fewest. */
  private nextReady(): [Work, DeviceJobRecord] | undefined {
    if (this.closed) return undefined;
    const works = [...this.works.values()].filter(({ running }) => running < DEVICES_AT_ONCE);
    for (const work of works.sort((one, other) => one.running - other.running)) {
      for (const part of work.pending.values()) {
        if (this.isReady(work.job, part.deviceId)) return [work, part];
      }
    }
    return undefined;
  }

  private async turn(): Promise<void> {
    const { sandbox, hubName } = this.world;
    const hub = sandbox.hubs.get(hubName);
    if (hub === undefined) return;
    const queue = { seconds: 1, closing: this.closing.signal };
    await sandbox.throttles.turn(limitOf("jobDevice", hub), hubName, 1, queue);
  }

  private beginDevice(work: Work, part: DeviceJobRecord): void {
    work.pending.delete(part.deviceId);
    work.running += 1;
    void this.run(work.job, part).finally(() => {
      work.running -= 1;
      // A job that was cancelled, or a hub that was closed, has no work any more.
      if (!this.closed && this.works.get(work.job.jobId) === work) {
        this.endDone(work);
        void this.pump();
      }
    });
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
    try {
      if (job.cloudToDeviceMethod === undefined) return this.updateTwin(job, part);
      const running = this.write(part, { status: "running" });
      const deviceMethodResponse = await this.call(part.deviceId, job.cloudToDeviceMethod);
      if (!this.closed) this.write(running, { status: "completed", deviceMethodResponse });
    } catch (error) {
      // What was cut by the end of the sandbox is done again at its next start.
      if (!this.closed) this.write(part, { status: "failed", error: errorOf(error) });
    }
  }

  private call(deviceId: string, method: CloudToDeviceMethod): Promise<MethodResult> {
    this.world.registry.get(deviceId);
    return this.world.methods.invoke(deviceId, method);
  }

  private updateTwin(job: JobRecord, part: DeviceJobRecord): void {
    const { registry, sandbox } = this.world;
    const { etag, ...patch } = job.updateTwin ?? {};
    // Together, so that no twin is changed twice when the sandbox is killed.
    sandbox.atomically(() => {
      registry.patchTwin(
        part.deviceId,
        partsOf(patch),
        typeof etag === "string" ? etag : undefined,
      );
      this.write(part, { status: "completed" });
    });
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

  private forget(): void {
    for (const { jobId, endTime } of this.store.list()) {
      if (endTime !== undefined && this.time > Date.parse(endTime) + HISTORY_MS) {
        this.store.delete(jobId);
      }
    }
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

  private get closed(): boolean {
    return this.closing.signal.aborted;
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
