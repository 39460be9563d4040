import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Client as DeviceClient } from "azure-iot-device";
import { Mqtt } from "azure-iot-device-mqtt";
import { JobClient, Registry } from "azure-iothub";
import { HubJobs, isOver } from "../../clients/hub-jobs";
import { invokeMethod } from "../../clients/hub-methods";
import { isServiceError } from "../../clients/service-error";
import { quoted } from "../../clients/hub-registry";
import { type AttachedSandbox, openAttached } from "./attached-sandbox";

const METHOD = {
  methodName: "ping",
  payload: { in: 1 },
  responseTimeoutInSeconds: 5,
  connectTimeoutInSeconds: 0,
};
/** Characters that a device ID may have, and that mean something in a query or a path. */
const ODD_ID = "it's#1";

describe("direct methods and jobs of a linked hub", () => {
  let sandbox: AttachedSandbox;
  let device: DeviceClient;
  let sdk: Registry;

  before(async () => {
    sandbox = await openAttached();
    const [hub] = sandbox.endpoints().iotHubs;
    sdk = Registry.fromConnectionString(hub?.connectionString ?? "");
    for (const deviceId of [ODD_ID, "away"]) await sdk.create({ deviceId });
    const key = (await sdk.get(ODD_ID)).responseBody.authentication?.symmetricKey?.primaryKey;
    device = DeviceClient.fromConnectionString(
      `HostName=${sandbox.hub};DeviceId=${ODD_ID};SharedAccessKey=${key}`,
      Mqtt,
    );
    await device.open();
    device.onDeviceMethod("ping", ({ payload }, response) => void response.send(203, payload));
    // What the SDK subscribes to by itself is there once a call gets through.
    const { hubName, connection } = { hubName: sandbox.hub, connection: sandbox.connection };
    while ((await invokeMethod(connection, hubName, ODD_ID, METHOD)).kind !== "answered") {
      await delay(10);
    }
  });

  after(async () => {
    await device.close();
    await sandbox.close();
  });

  for (const auth of ["entra", "keys"] as const) {
    it(`tell the device's answer, and why there is none (auth: ${auth})`, async () => {
      const connection = { ...sandbox.connection, auth };
      assert.deepEqual(await invokeMethod(connection, sandbox.hub, ODD_ID, METHOD), {
        kind: "answered",
        status: 203,
        payload: { in: 1 },
      });
      assert.equal((await invokeMethod(connection, sandbox.hub, "away", METHOD)).kind, "offline");
      assert.equal((await invokeMethod(connection, sandbox.hub, "nobody", METHOD)).kind, "absent");
      const wrong = invokeMethod(connection, sandbox.hub, ODD_ID, {
        ...METHOD,
        responseTimeoutInSeconds: 1,
      });
      await assert.rejects(wrong, (error) => isServiceError(error, "BadRequest"));
    });

    it(`run a job, and tell what it came to for each device (auth: ${auth})`, async () => {
      const jobs = new HubJobs({ ...sandbox.connection, auth }, sandbox.hub);
      const jobId = `job-${auth}`;
      assert.equal(await jobs.get(jobId), undefined);
      const condition = `deviceId IN [${[ODD_ID, "nobody"].map(quoted).join(",")}]`;
      assert.equal(await jobs.schedule(jobId, condition, METHOD, 60), true);
      // An answer that got lost: the job is there, and that is as good.
      assert.equal(await jobs.schedule(jobId, condition, METHOD, 60), true);
      let job = await jobs.get(jobId);
      while (job !== undefined && !isOver(job)) {
        await delay(10);
        job = await jobs.get(jobId);
      }
      assert.equal(job?.status, "completed");
      const parts = await jobs.devices(jobId);
      assert.deepEqual(
        parts.map(({ deviceId, status, outcome }) => [deviceId, status, outcome]),
        [[ODD_ID, "completed", { deviceMethodResponse: { status: 203, payload: { in: 1 } } }]],
      );
      assert.ok((await jobs.list()).some((one) => one.jobId === jobId));
    });
  }

  it("say that a hub is busy with other jobs, rather than fail", async () => {
    const [hub] = sandbox.endpoints().iotHubs;
    const others = JobClient.fromConnectionString(hub?.connectionString ?? "");
    await others.scheduleDeviceMethod("somebody-else", "deviceId = 'away'", METHOD);
    const jobs = new HubJobs(sandbox.connection, sandbox.hub);
    assert.equal(await jobs.schedule("ours", "*", METHOD, 60), false);
    await others.cancelJob("somebody-else");
    assert.equal(await jobs.schedule("ours", `deviceId = ${quoted(ODD_ID)}`, METHOD, 60), true);
  });
});
