/** Jobs of a linked hub that call a direct method on many devices, through Microsoft's service SDK. */
import { call, type Pacing } from "./calls";
import { hubAttempt, jobClients, registries } from "./hub-clients";
import type { MethodCall } from "./hub-methods";
import { examine } from "./sdk-error";
import { isServiceError } from "./service-error";
import type { Connection } from "./target";

/** A job as the hub shows it. */
export interface HubJob {
  jobId: string;
  /** "completed", "failed" and "cancelled" are the ends. Devices may have failed in a completed one. */
  status: string;
  failureReason?: string;
  deviceJobStatistics?: {
    deviceCount: number;
    failedCount: number;
    succeededCount: number;
    runningCount: number;
    pendingCount: number;
  };
}

/** What a job came to for one device. */
export interface DeviceJob {
  deviceId: string;
  /** "completed": the device has answered, whatever it said. */
  status: string;
  outcome?: { deviceMethodResponse?: { status: number; payload: unknown } | null };
  error?: { code: string; description: string };
}

/** Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-jobs. */
export function isOver({ status }: { status: string }): boolean {
  return ["completed", "failed", "cancelled", "canceled"].includes(status.toLowerCase());
}

/** All methods throw `ServiceError`. */
export class HubJobs {
  /** @param hubHostName as DPS names a linked hub; no port */
  constructor(
    private readonly connection: Connection,
    private readonly hubHostName: string,
    private readonly pacing?: Pacing,
  ) {}

  /**
   * Schedules a job that begins at once; one with that ID that is there already is as good. false: the hub
   * is busy with as many jobs as its tier allows.
   *
   * @param condition what stands behind WHERE in a query over devices
   * @param seconds the hub ends the job after these
   */
  async schedule(
    jobId: string,
    condition: string,
    method: Omit<MethodCall, "connectTimeoutInSeconds">,
    seconds: number,
  ): Promise<boolean> {
    const client = await jobClients(this.connection, this.hubHostName);
    const run = async (): Promise<boolean> => {
      try {
        // Without a time of its own the hub's clock decides when it begins.
        await client.scheduleDeviceMethod(
          jobId,
          condition,
          method,
          undefined as unknown as Date,
          seconds,
        );
        return true;
      } catch (error) {
        if (
          /^(429004|ThrottlingMaxActiveJobCountExceeded)$/.test(examine(error).serviceCode ?? "")
        ) {
          return false;
        }
        throw error;
      }
    };
    try {
      return await call(this.attempt(`schedule job "${jobId}"`), run, this.pacing);
    } catch (error) {
      if (isServiceError(error, "Conflict")) {
        return true;
      }
      throw error;
    }
  }

  /** Undefined: the hub does not know it. */
  async get(jobId: string): Promise<HubJob | undefined> {
    const client = await jobClients(this.connection, this.hubHostName);
    const answer = await call<{ jobStatus: unknown }>(
      this.attempt(`read job "${jobId}"`),
      () => client.getJob(jobId),
      this.pacing,
    );
    const job = answer.jobStatus as HubJob;
    return job.status === "unknown" ? undefined : job;
  }

  /** All jobs that call direct methods, of the 30 days that the hub remembers. */
  async list(): Promise<HubJob[]> {
    const client = await jobClients(this.connection, this.hubHostName);
    return this.allPages("list the jobs", () => client.createQuery("scheduleDeviceMethod"));
  }

  /** What the job came to for each of its devices. */
  async devices(jobId: string): Promise<DeviceJob[]> {
    const registry = await registries(this.connection, this.hubHostName);
    const query = `SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '${jobId}'`;
    return this.allPages(`read the devices of job "${jobId}"`, () => registry.createQuery(query));
  }

  /** The SDK's `next()` without an argument reads the first page again. */
  private async allPages<T>(operation: string, query: () => Pages): Promise<T[]> {
    const items: T[] = [];
    let token: string | undefined;
    do {
      const from = token;
      const { result, message }: Page = await call(
        this.attempt(operation),
        () => query().next(from as string),
        this.pacing,
      );
      items.push(...(result as T[]));
      const next = message?.headers["x-ms-continuation"];
      token = typeof next === "string" && next !== "" && next !== token ? next : undefined;
    } while (token !== undefined);
    return items;
  }

  private attempt(operation: string) {
    return hubAttempt(this.connection, this.hubHostName, operation, "hubMethods");
  }
}

interface Pages {
  next(continuationToken: string): Promise<Page>;
}

interface Page {
  result: unknown;
  message?: { headers: NodeJS.Dict<string | string[]> };
}
