import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Client, DeviceMethodRequest, DeviceMethodResponse } from "azure-iot-device";
import { Jobs } from "../../../sandbox/iot-hub/jobs";
import { DirectMethods } from "../../../sandbox/iot-hub/methods";
import type { Switches } from "../../../sandbox/common/switches";
import { DeviceRegistry } from "../../../sandbox/iot-hub/registry";
import { TestCa, type Issued } from "../../support/test-ca";
import { HOST, HUB, smallHub, VERSION, type SmallHub } from "./small-hub";

type Json = Record<string, unknown>;

const HOUR_MS = 3_600_000;

// Sources: sandbox/iot-hub/jobs*.ts and not-known.ts say for each answer where it is from.
describe("jobs of the sandbox's IoT hub, through Microsoft's JobClient", () => {
  let hub: SmallHub;
  let leaves: Record<string, Issued>;

  before(async () => {
    const root = await TestCa.root("Root");
    leaves = { "d-1": await root.leaf("d-1"), "d-2": await root.leaf("d-2") };
  });
  beforeEach(() => open());
  afterEach(async () => {
    await hub.close();
  });

  async function open(switches: Partial<Switches> = {}): Promise<void> {
    hub = await smallHub(undefined, switches);
    for (const [deviceId, leaf] of Object.entries(leaves)) {
      assign(deviceId, leaf.thumbprint);
    }
  }

  function assign(deviceId: string, thumbprint: string): void {
    const authentication = { type: "selfSigned", thumbprint } as const;
    hub.linkedHubs.assign({ hubHostName: HOST, deviceId, authentication }, false);
  }

  /** A connected device that answers the method `ping`. */
  async function listening(
    deviceId: string,
    answer = (_request: DeviceMethodRequest, response: DeviceMethodResponse): void =>
      void response.send(200, "pong"),
  ): Promise<Client> {
    const subscribed = hub.logged(({ path }) => path === "$iothub/methods/POST/#");
    const device = await hub.device(deviceId, leaves[deviceId]!);
    await device.open();
    device.onDeviceMethod("ping", answer);
    await subscribed;
    return device;
  }

  const read = async (jobId: string): Promise<Json> =>
    (await hub.jobs.getJob(jobId)).jobStatus as Json;

  async function until(jobId: string, status: string): Promise<Json> {
    for (;;) {
      const job = await read(jobId);
      if (job["status"] === status) {
        return job;
      }
      await delay(10);
    }
  }

  async function deviceJobs(where = ""): Promise<Json[]> {
    const query = hub.registry.createQuery(`SELECT * FROM devices.jobs${where}`);
    const { result } = (await query.next()) as { result: Json[] };
    return result;
  }

  const ping = async (jobId: string, condition = "*", start?: Date, seconds?: number) =>
    (
      await hub.jobs.scheduleDeviceMethod(
        jobId,
        condition,
        { methodName: "ping", payload: { in: 1 }, responseTimeoutInSeconds: 5 },
        start as Date,
        seconds as number,
      )
    ).jobStatus as Json;

  const httpCode = (status: number, code: string) => (error: Json) => {
    assert.equal((error["response"] as { statusCode: number }).statusCode, status);
    assert.match(String(error["responseBody"]), new RegExp(`ErrorCode:${code};`));
    return true;
  };

  it("call a method of the devices that fit, and say what each one answered", async () => {
    await listening("d-1");
    await listening("d-2", (_request, response) => void response.send(404, "no such thing"));
    const scheduled = await ping("job-1", "deviceId IN ['d-1','d-2','d-3']");
    assert.equal(scheduled["status"], "queued");
    assert.equal(scheduled["type"], "scheduleDeviceMethod");
    const job = await until("job-1", "completed");
    assert.equal(job["maxExecutionTimeInSeconds"], 3600);
    assert.equal(job["queryCondition"], "deviceId IN ['d-1','d-2','d-3']");
    assert.ok(String(job["endTime"]) >= String(job["startTime"]));
    assert.deepEqual(job["deviceJobStatistics"], {
      deviceCount: 2,
      failedCount: 0,
      succeededCount: 2,
      runningCount: 0,
      pendingCount: 0,
    });
    const [one, two] = await deviceJobs(" WHERE devices.jobs.jobId = 'job-1'");
    assert.deepEqual([one?.["deviceId"], one?.["status"]], ["d-1", "completed"]);
    assert.equal(one?.["jobType"], "scheduleDeviceMethod");
    assert.deepEqual(one["outcome"], { deviceMethodResponse: { status: 200, payload: "pong" } });
    assert.deepEqual(two?.["outcome"], {
      deviceMethodResponse: { status: 404, payload: "no such thing" },
    });
  });

  it("wait for devices that are offline, to the end of the job's time and no longer", async () => {
    await listening("d-2");
    await ping("job-1", "*", undefined, 60);
    const running = await until("job-1", "running");
    assert.equal((running["deviceJobStatistics"] as Json)["pendingCount"], 1);
    await listening("d-1");
    await until("job-1", "completed");
    assert.equal((await deviceJobs(" WHERE status = 'completed'")).length, 2);

    assign("d-9", "A".repeat(64));
    await ping("job-2", "deviceId = 'd-9'", undefined, 60);
    await until("job-2", "running");
    hub.clock.advance(61_000);
    const late = await until("job-2", "completed");
    assert.equal((late["deviceJobStatistics"] as Json)["failedCount"], 1);
    const [part] = await deviceJobs(" WHERE jobId = 'job-2'");
    assert.deepEqual(part?.["outcome"], {});
    assert.equal((part["error"] as Json)["code"], "JobRunPreconditionFailed");
  });

  it("note a device that goes away before it has answered", async () => {
    const device = await listening("d-1", () => hub.linkedHubs.remove(HOST, "d-1"));
    await ping("job-1", "deviceId = 'd-1'");
    await until("job-1", "completed");
    assert.deepEqual((await deviceJobs())[0]?.["error"], {
      code: "DeviceNotOnline",
      description: "Device unavailable",
    });
    await device.close();
  });

  it("update twins, and only those whose etag is the given one", async () => {
    const patch = { etag: "*", tags: { site: "north" }, properties: { desired: { rate: 5 } } };
    await hub.jobs.scheduleTwinUpdate("job-1", "IS_DEFINED(deviceId)", patch);
    assert.equal((await until("job-1", "completed"))["type"], "scheduleUpdateTwin");
    const { responseBody: twin } = await hub.registry.getTwin("d-2");
    assert.deepEqual(twin.tags, { site: "north" });
    const stale = { ...patch, etag: "AAAAAAAAAAE=" };
    await hub.jobs.scheduleTwinUpdate("job-2", "deviceId = 'd-1'", stale);
    await until("job-2", "completed");
    const [part] = await deviceJobs(" WHERE jobId = 'job-2' AND status = 'failed'");
    assert.equal((part?.["error"] as Json)["code"], "PreconditionFailed");
    const without = hub.jobs.scheduleTwinUpdate("job-3", "*", { tags: { site: "south" } });
    await assert.rejects(without, httpCode(400, "ArgumentInvalid"));
  });

  it("begin at their start time, by the sandbox's clock", async () => {
    await listening("d-1");
    const start = new Date(hub.clock.now().getTime() + HOUR_MS);
    await ping("job-1", "deviceId = 'd-1'", start);
    assert.equal((await read("job-1"))["status"], "scheduled");
    hub.clock.advance(HOUR_MS);
    await until("job-1", "completed");
  });

  it("are cancelled before they begin, and while they wait for devices", async () => {
    const start = new Date(hub.clock.now().getTime() + HOUR_MS);
    await ping("job-1", "*", start);
    const cancelled = (await hub.jobs.cancelJob("job-1")).jobStatus as Json;
    assert.equal(cancelled["status"], "cancelled");
    await ping("job-2");
    await until("job-2", "running");
    await hub.jobs.cancelJob("job-2");
    assert.equal((await read("job-2"))["status"], "cancelled");
    const parts = await deviceJobs();
    assert.deepEqual(
      parts.map(({ status }) => status),
      ["canceled", "canceled"],
    );
    await assert.rejects(hub.jobs.cancelJob("job-9"), httpCode(404, "JobNotFound"));
  });

  it("have an ID once, and as many at a time as the hub's tier allows", async () => {
    await ping("job-1");
    await assert.rejects(ping("job-1"), httpCode(409, "JobAlreadyExists"));
    await assert.rejects(ping("job-2"), httpCode(429, "ThrottlingMaxActiveJobCountExceeded"));
    await hub.jobs.cancelJob("job-1");
    await ping("job-2");
  });

  it('answer "unknown" for an ID that the hub does not know', async () => {
    const job = await read("job-9");
    assert.deepEqual([job["status"], job["type"]], ["unknown", "unknown"]);
  });

  it("fail when the condition cannot be read, and say why", async () => {
    await ping("job-1", "SELECT * FROM devices");
    const job = await until("job-1", "failed");
    assert.match(String(job["failureReason"]), /does not support this query/);
  });

  it("refuse what is no job, and name what is not written", async () => {
    const put = async (body: Json, id = "job-1"): Promise<[number, unknown]> => {
      const answer = await hub.http("PUT", `/jobs/v2/${id}?${VERSION}`, { body });
      return [answer.status, answer.headers["iothub-errorcode"]];
    };
    const job = {
      type: "scheduleDeviceMethod",
      cloudToDeviceMethod: { methodName: "ping" },
      queryCondition: "*",
    };
    assert.deepEqual(await put({ ...job, type: "scheduleDirectMethod" }), [
      400,
      "GenericBadRequest",
    ]);
    assert.deepEqual(await put({ ...job, queryCondition: undefined }), [400, "ArgumentInvalid"]);
    assert.deepEqual(await put({ ...job, cloudToDeviceMethod: {} }), [400, "ArgumentInvalid"]);
    assert.deepEqual(await put({ ...job, startTime: "soon" }), [400, "ArgumentInvalid"]);
    assert.deepEqual(await put(job, "job(1)"), [400, "ArgumentInvalid"]);
    const update = { type: "scheduleUpdateTwin", updateTwin: { tags: {} }, queryCondition: "*" };
    assert.equal((await put(update))[0], 400);
    assert.deepEqual(await put({ ...job, queryCondition: "FROM devices.modules" }), [
      501,
      "NotImplemented",
    ]);
    assert.deepEqual(await put(job), [200, undefined]);
  });

  it("are listed by type and status, a page at a time", async () => {
    for (const id of ["a", "b", "c"]) {
      await hub.jobs.scheduleTwinUpdate(`twin-${id}`, "*", { etag: "*", tags: { id } });
      await until(`twin-${id}`, "completed");
    }
    await ping("job-1");
    const query = hub.jobs.createQuery("scheduleUpdateTwin", "completed" as never, 2);
    const pages: unknown[][] = [];
    let continuation: string | undefined;
    do {
      const page = await query.next(continuation as string);
      pages.push((page.result as unknown as Json[]).map(({ jobId }) => jobId));
      continuation = query.continuationToken;
    } while (query.hasMoreResults);
    assert.deepEqual(pages, [["twin-a", "twin-b"], ["twin-c"]]);
    const methods = (await hub.jobs.createQuery("scheduleDeviceMethod").next()) as {
      result: Json[];
    };
    assert.deepEqual(
      methods.result.map(({ jobId }) => jobId),
      ["job-1"],
    );
  });

  it("follow the switches for what is not known", async () => {
    await ping("later", "*", new Date(hub.clock.now().getTime() + 24 * HOUR_MS));
    // One that is scheduled is not active.
    await ping("now");
    await hub.close();
    await open({
      jobsWaitForDevices: false,
      scheduledJobsAreActive: true,
      jobTwinUpdatesNeedEtag: false,
    });
    await ping("job-1");
    await until("job-1", "completed");
    assert.deepEqual((await deviceJobs())[0]?.["error"], {
      code: "DeviceNotOnline",
      description: "Timed out waiting for device to connect.",
    });
    await hub.jobs.scheduleTwinUpdate("job-2", "*", { tags: { site: "south" } });
    await until("job-2", "completed");
    const tomorrow = new Date(hub.clock.now().getTime() + 24 * HOUR_MS);
    await ping("job-3", "*", tomorrow);
    await assert.rejects(ping("job-4"), httpCode(429, "ThrottlingMaxActiveJobCountExceeded"));

    await hub.close();
    await open({ runningJobsCanBeCancelled: false });
    await ping("job-1");
    await until("job-1", "running");
    assert.equal(((await hub.jobs.cancelJob("job-1")).jobStatus as Json)["status"], "running");
  });

  it("are kept for 30 days, with what they did to each device", async () => {
    await hub.jobs.scheduleTwinUpdate("job-1", "*", { etag: "*", tags: { site: "north" } });
    await until("job-1", "completed");
    hub.clock.advance(30 * 24 * HOUR_MS - 60_000);
    assert.equal((await read("job-1"))["status"], "completed");
    assert.equal((await deviceJobs()).length, 2);
    hub.clock.advance(120_000);
    assert.equal((await read("job-1"))["status"], "unknown");
    assert.deepEqual(await deviceJobs(), []);
    await hub.jobs.scheduleTwinUpdate("job-1", "*", { etag: "*", tags: { site: "south" } });
    await until("job-1", "completed");
  });

  it("go on where a sandbox that was stopped has left them", async () => {
    await ping("job-1");
    await until("job-1", "running");
    await hub.front.close();
    const registry = new DeviceRegistry(hub.sandbox, HUB);
    const methods = new DirectMethods(registry.connections, () => hub.clock.now());
    const jobs = new Jobs({ sandbox: hub.sandbox, hubName: HUB, registry, methods });
    hub.clock.advance(2 * HOUR_MS);
    assert.equal(jobs.get("job-1")?.status, "running");
    jobs.start();
    jobs.close();
    assert.equal(jobs.get("job-1")?.status, "completed");
    assert.deepEqual(
      jobs.deviceJobs("job-1").map(({ status }) => status),
      ["failed", "failed"],
    );
  });
});
