/** Jobs of a hub, and what each does to each device, as they are stored. */
import type { Sandbox } from "../common/model";
import type { Collection } from "../common/store";
import { deviceKey, type Json } from "./records";

export type JobType = "scheduleDeviceMethod" | "scheduleUpdateTwin";

/**
 * Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-jobs, "Jobs properties", and the SDKs'
 * `JobStatus`.
 */
export type JobStatus = "queued" | "scheduled" | "running" | "completed" | "failed" | "cancelled";

export interface CloudToDeviceMethod {
  methodName: string;
  payload: unknown;
  responseTimeoutInSeconds: number;
  connectTimeoutInSeconds: number;
}

export interface JobRecord {
  jobId: string;
  type: JobType;
  status: JobStatus;
  queryCondition: string;
  /** ISO 8601, by the sandbox's clock, like all times here. */
  createdTime: string;
  startTime: string;
  endTime?: string;
  maxExecutionTimeInSeconds: number;
  cloudToDeviceMethod?: CloudToDeviceMethod;
  updateTwin?: Json;
  failureReason?: string;
}

export interface DeviceJobRecord {
  jobId: string;
  jobType: JobType;
  deviceId: string;
  status: "pending" | "running" | "completed" | "failed" | "canceled";
  startTimeUtc: string;
  /** The end of the job's time until the device's part is done. */
  endTimeUtc: string;
  createdDateTimeUtc: string;
  lastUpdatedDateTimeUtc: string;
  /** What the device answered. */
  deviceMethodResponse?: { status: number; payload: unknown };
  error?: { code: string; description: string };
}

export function isOver({ status }: { status: string }): boolean {
  return ["completed", "failed", "cancelled", "canceled"].includes(status);
}

/** The collections go with the hub, as all that are called `hub-…` do. */
export class JobStore {
  private readonly jobs: Collection<JobRecord>;
  private readonly parts: Collection<DeviceJobRecord>;

  constructor(
    private readonly sandbox: Pick<Sandbox, "collection" | "atomically">,
    private readonly hubName: string,
  ) {
    this.jobs = sandbox.collection("hub-jobs");
    this.parts = sandbox.collection("hub-device-jobs");
  }

  get(jobId: string): JobRecord | undefined {
    return this.jobs.get(this.key(jobId));
  }

  put(job: JobRecord): JobRecord {
    return this.jobs.put(this.key(job.jobId), job);
  }

  list(): JobRecord[] {
    return this.jobs.list(`${this.hubName}/`);
  }

  /** Of one job, or of all, in the order of the job IDs. */
  deviceJobs(jobId?: string): DeviceJobRecord[] {
    return this.parts.list(jobId === undefined ? `${this.hubName}/` : `${this.key(jobId)}/`);
  }

  putDeviceJob(part: DeviceJobRecord): DeviceJobRecord {
    return this.parts.put(deviceKey(this.key(part.jobId), part.deviceId), part);
  }

  /** The job and what it did to each device. */
  delete(jobId: string): void {
    this.sandbox.atomically(() => {
      for (const { deviceId } of this.deviceJobs(jobId)) {
        this.parts.delete(deviceKey(this.key(jobId), deviceId));
      }
      this.jobs.delete(this.key(jobId));
    });
  }

  private key(jobId: string): string {
    return deviceKey(this.hubName, jobId);
  }
}
