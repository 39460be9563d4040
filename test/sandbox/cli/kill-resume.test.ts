import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, type DeviceMethodResponse } from "azure-iot-device";
import { Mqtt } from "azure-iot-device-mqtt";
import type { EndpointsFile } from "../../../sandbox/endpoints";
import { openPlant } from "../openssl/plant";
import { KeptProcess } from "./kept-process";
import type { Box } from "./writing-clients";

type Json = Record<string, unknown>;

const DEVICES = "/resourceGroups/plant/providers/Microsoft.Devices";
const KEY = Buffer.alloc(32, 7).toString("base64");

/** The sandbox in a process of its own, killed with SIGKILL while it is busy with what it accepted. */
describe("what a kept sandbox had accepted when it was killed", function () {
  this.timeout(120_000);
  let parent: string;
  let kept: KeptProcess;
  let box: Box;
  const clients: Client[] = [];

  beforeEach(async () => {
    parent = mkdtempSync(join(tmpdir(), "dps-resume-"));
    const dir = join(parent, "box");
    kept = new KeptProcess(dir);
    await (await openPlant({ dir, keep: true })).close();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close().catch(() => undefined)));
    await kept.kill();
    rmSync(parent, { recursive: true, force: true });
  });

  const hub = async (method: string, path: string, body?: object): Promise<Json> => {
    const answer = await box.hub(method, path, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body as unknown as Json;
  };

  const counts = async (jobId: string): Promise<Record<string, number>> =>
    (await hub("GET", `/jobs/v2/${jobId}`))["deviceJobStatistics"] as Record<string, number>;

  async function until(reached: () => Promise<boolean>): Promise<void> {
    while (!(await reached())) await delay(10);
  }

  const isOver = async (): Promise<boolean> =>
    (await hub("GET", "/jobs/v2/roll"))["status"] === "completed";

  it("is a job that goes on with the twins that it had not updated, and updates none twice", async () => {
    box = await kept.start("--throttle-scale", "4");
    const ids = Array.from({ length: 90 }, (_, at) => `d-${at}`);
    await hub(
      "POST",
      "/devices",
      ids.map((id) => ({ id, importMode: "create" })),
    );
    await hub("PUT", "/jobs/v2/roll", {
      type: "scheduleUpdateTwin",
      queryCondition: "*",
      updateTwin: { etag: "*", tags: { site: "north" } },
    });
    await until(async () => (await counts("roll"))["succeededCount"]! >= 30);
    await kept.kill();

    box = await kept.start("--no-throttle");
    const before = await counts("roll");
    await until(isOver);
    assert.equal((await counts("roll"))["succeededCount"], ids.length);
    assert.equal(before["deviceCount"], ids.length);
    const twins = await Promise.all(ids.map((id) => hub("GET", `/twins/${id}`)));
    assert.deepEqual(new Set(twins.map(({ version }) => version)), new Set([2]));
  });

  it("is a job that asks no device again whose answer it had, and waits for the others", async () => {
    box = await kept.start("--no-throttle");
    const calls = new Map<string, number>();
    const symmetricKey = { primaryKey: KEY, secondaryKey: KEY };
    for (const deviceId of ["answers", "hangs", "offline"]) {
      await hub("PUT", `/devices/${deviceId}`, { deviceId, authentication: { symmetricKey } });
    }
    await connect("answers", calls, (response) => void response.send(200));
    const asked = new Promise<void>((resolve) => {
      void connect("hangs", calls, () => resolve());
    });
    await until(
      async () => (await hub("GET", "/devices/hangs"))["connectionState"] === "Connected",
    );
    await hub("PUT", "/jobs/v2/roll", {
      type: "scheduleDeviceMethod",
      queryCondition: "*",
      cloudToDeviceMethod: { methodName: "roll", responseTimeoutInSeconds: 300 },
    });
    await asked;
    await until(async () => (await counts("roll"))["succeededCount"] === 1);
    await kept.kill();
    await Promise.all(clients.splice(0).map((client) => client.close().catch(() => undefined)));

    box = await kept.start("--no-throttle");
    assert.deepEqual(await counts("roll"), {
      deviceCount: 3,
      failedCount: 0,
      succeededCount: 1,
      runningCount: 1,
      pendingCount: 1,
    });
    for (const deviceId of ["answers", "hangs", "offline"]) {
      await connect(deviceId, calls, (response) => void response.send(200));
    }
    await until(isOver);
    assert.equal((await counts("roll"))["succeededCount"], 3);
    assert.deepEqual(Object.fromEntries(calls), { answers: 1, hangs: 2, offline: 1 });
  });

  for (const { what, path, left } of [
    { what: "a hub", path: `${DEVICES}/IotHubs/plant-hub`, left: ["plant-dps"] },
    {
      what: "a provisioning service",
      path: `${DEVICES}/provisioningServices/plant-dps`,
      left: ["plant-hub"],
    },
    { what: "a resource group, with all that is in it", path: "/resourceGroups/plant", left: [] },
  ]) {
    it(`is the deletion of ${what}`, async () => {
      box = await kept.start("--no-throttle");
      const accepted = await box.arm("DELETE", path);
      kept.shoot();
      assert.equal(accepted.status, 202);
      await kept.kill();
      box = await kept.start("--no-throttle");
      await until(async () => (await box.arm("GET", path)).status === 404);
      const { iotHubs, provisioningServices } = JSON.parse(
        readFileSync(join(parent, "box", "endpoints.json"), "utf8"),
      ) as EndpointsFile;
      assert.deepEqual(
        [...iotHubs, ...provisioningServices].map(({ name }) => name),
        left,
      );
    });
  }

  /** Microsoft's device client, listening for the method `roll`. */
  async function connect(
    deviceId: string,
    calls: Map<string, number>,
    answer: (response: DeviceMethodResponse) => void,
  ): Promise<void> {
    const { mqtt } = box.endpoints.iotHubs[0]!;
    const text = `HostName=${mqtt.replace("127.0.0.1", "localhost")};DeviceId=${deviceId};SharedAccessKey=${KEY}`;
    const client = Client.fromConnectionString(text, Mqtt);
    clients.push(client);
    await client.setOptions({ ca: String(box.options.ca) });
    await client.open();
    client.onDeviceMethod("roll", (_request, response) => {
      calls.set(deviceId, (calls.get(deviceId) ?? 0) + 1);
      answer(response);
    });
  }
});
