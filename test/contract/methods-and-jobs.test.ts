import assert from "node:assert/strict";
import { Client as DeviceClient } from "azure-iot-device";
import { Mqtt } from "azure-iot-device-mqtt";
import { SharedAccessSignature } from "azure-iot-common";
import { Client, JobClient } from "azure-iothub";
import { pause } from "./aim";
import { ASSUMED, Contract, operationsOf, refused } from "./answers";
import { called, CODES, openHub, type HubStage, type Json } from "./hub";

const METHODS = "learn.microsoft.com/azure/iot-hub/iot-hub-devguide-direct-methods";
const JOBS = "learn.microsoft.com/azure/iot-hub/iot-hub-devguide-jobs";
const STATICS = ["fromConnectionString", "fromSharedAccessSignature", "fromTokenCredential"];

const methods = new Contract<Client & typeof Client>("azure-iothub Client", [
  ...operationsOf(Client),
  ...STATICS,
]);
const jobs = new Contract<JobClient & typeof JobClient>("azure-iothub JobClient", [
  ...operationsOf(JobClient),
  ...STATICS,
]);

describe("azure-iothub Client and JobClient", () => {
  let stage: HubStage;
  let device: DeviceClient;

  before(async () => {
    stage = await openHub();
    await stage.create("away");
    await stage.create("here");
    device = DeviceClient.fromConnectionString(
      `HostName=${stage.place.hub};DeviceId=here;x509=true`,
      Mqtt,
    );
    await device.setOptions({ cert: stage.leaf.pem, key: stage.leaf.key });
    await device.open();
    device.onDeviceMethod("ping", ({ payload }, response) => void response.send(203, payload));
    // What the SDK subscribes to by itself is there once a call gets through.
    for (;;) {
      if (
        await ping("here").then(
          () => true,
          () => false,
        )
      )
        break;
      await pause();
    }
  });
  after(async () => {
    try {
      await device.close();
    } finally {
      await stage.place.close();
    }
  });

  const call = { methodName: "ping", payload: { in: 1 }, responseTimeoutInSeconds: 5 };
  const ping = async (id: string, service = stage.service) =>
    (await service.invokeDeviceMethod(id, call)).result as Json;
  const until = async (jobId: string, status: string): Promise<Json> => {
    for (;;) {
      const job = await read(stage.jobs, jobId);
      if (job["status"] === status) return job;
      await pause();
    }
  };
  const read = async (client: JobClient, jobId: string) =>
    ((await client.getJob(jobId)) as unknown as { jobStatus: Json }).jobStatus;
  const signature = () =>
    SharedAccessSignature.create(
      stage.place.hub,
      "iothubowner",
      stage.place.hubKey("iothubowner"),
      Math.floor(Date.now() / 1000) + 600,
    ).toString();

  methods.answers("invokeDeviceMethod", "the device's status and payload", METHODS, async () => {
    assert.deepEqual(await ping("here"), { status: 203, payload: { in: 1 } });
  });
  methods.answers(
    "invokeDeviceMethod",
    "404103 for a device that is not connected, DeviceNotFound for none",
    CODES,
    async () => {
      await refused(ping("away"), 404, 404103);
      await refused(ping("nobody"), 404, "DeviceNotFound");
    },
  );
  methods.answers(
    "invokeDeviceMethod",
    "time-outs out of their bounds are 400",
    METHODS,
    async () => {
      const wrong = { ...call, responseTimeoutInSeconds: 301 };
      await refused(stage.service.invokeDeviceMethod("here", wrong), 400);
    },
  );
  for (const name of ["fromConnectionString", "fromSharedAccessSignature"] as const) {
    methods.answers(
      name,
      "the policy service is enough for a method",
      "learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas",
      async () => {
        const service =
          name === "fromConnectionString"
            ? Client.fromConnectionString(policy("service"))
            : Client.fromSharedAccessSignature(signature());
        assert.equal((await ping("here", service))["status"], 203);
      },
    );
  }
  methods.answers(
    "fromTokenCredential",
    "a token for https://iothubs.azure.net is enough for a method",
    "client: it asks for the scope https://iothubs.azure.net/.default",
    async () => {
      const { hub, credential } = stage.place;
      assert.equal(
        (await ping("here", Client.fromTokenCredential(hub, credential)))["status"],
        203,
      );
    },
  );
  methods.noCall(
    "AMQP, which the sandbox does not have",
    ...(["open", "close", "send", "getFeedbackReceiver", "getFileNotificationReceiver"] as const),
  );
  methods.noCall("sets something at the client", "setRetryPolicy");

  jobs.answers(
    ["scheduleDeviceMethod", "getJob"],
    "queued at first, completed when the device has answered, with the counts of its devices",
    JOBS,
    async () => {
      const scheduled = await schedule("now", "deviceId = 'here'");
      assert.equal(scheduled["status"], "queued");
      const { deviceJobStatistics } = await until("now", "completed");
      assert.deepEqual(
        [
          (deviceJobStatistics as Json)["deviceCount"],
          (deviceJobStatistics as Json)["succeededCount"],
        ],
        [1, 1],
      );
    },
  );
  jobs.answers(
    "scheduleTwinUpdate",
    "the twins of all devices that fit are patched",
    JOBS,
    async () => {
      const patch = { etag: "*", tags: { by: "job" } };
      await stage.jobs.scheduleTwinUpdate("tags", "deviceId = 'away'", patch, new Date(), 60);
      await until("tags", "completed");
      const { responseBody } = await stage.registry.getTwin("away");
      assert.deepEqual(responseBody.tags, { by: "job" });
    },
  );
  jobs.answers("getJob", "200 with the status unknown when there is none", ASSUMED, async () =>
    assert.equal((await read(stage.jobs, "none"))["status"], "unknown"),
  );
  jobs.answers(
    "cancelJob",
    "a job that has not begun is cancelled, and does nothing",
    JOBS,
    async () => {
      const later = new Date(Date.now() + 3_600_000);
      assert.equal((await schedule("later", "*", later))["type"], "scheduleDeviceMethod");
      await stage.jobs.cancelJob("later");
      assert.equal((await until("later", "cancelled"))["jobId"], "later");
      await refused(stage.jobs.cancelJob("none"), 404, "JobNotFound");
    },
  );
  jobs.answers("createQuery", "the jobs of a type and a status", JOBS, async () => {
    await schedule("asked", "deviceId = 'here'");
    await until("asked", "completed");
    const query = stage.jobs.createQuery("scheduleDeviceMethod", "completed" as never, 10);
    const found = await called<Json[]>((done) => query.next(done as never));
    assert.ok(found.some(({ jobId }) => jobId === "asked"));
    assert.ok(found.every(({ status }) => status === "completed"));
  });
  const opened = {
    fromConnectionString: () => JobClient.fromConnectionString(policy("registryReadWrite")),
    fromSharedAccessSignature: () => JobClient.fromSharedAccessSignature(signature()),
    fromTokenCredential: () =>
      JobClient.fromTokenCredential(stage.place.hub, stage.place.credential),
  };
  for (const [name, open] of Object.entries(opened) as [keyof typeof opened, () => JobClient][]) {
    jobs.answers(name, "opens the jobs", JOBS, async () => {
      assert.equal((await read(open(), "none"))["jobId"], "none");
    });
  }
  jobs.answers(
    "fromConnectionString",
    "the policy service may not schedule",
    "learn.microsoft.com/azure/iot-hub/iot-hub-node-node-schedule-jobs",
    async () => {
      const client = JobClient.fromConnectionString(policy("service"));
      await refused(client.getJob("none"), 401);
    },
  );

  async function schedule(id: string, condition: string, start = new Date()): Promise<Json> {
    const { jobStatus } = (await stage.jobs.scheduleDeviceMethod(
      id,
      condition,
      call,
      start,
      60,
    )) as unknown as { jobStatus: Json };
    return jobStatus;
  }

  function policy(name: string): string {
    return stage.place.hubConnection(name);
  }
});
