import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { IotHubRecord } from "../../../sandbox/common/model";
import type { Switches } from "../../../sandbox/common/switches";
import { Throttles } from "../../../sandbox/common/throttles";
import { DeviceRegistry } from "../../../sandbox/iot-hub/registry";
import { limitOf, methodKilobytes, type LimitedOperation } from "../../../sandbox/iot-hub/limits";
import { HUB, smallHub, type SmallHub } from "./small-hub";

/** Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling. */
const PUBLISHED: [string, number, Record<LimitedOperation, [number, number]>][] = [
  [
    "S1",
    1,
    {
      registry: [100, 60],
      query: [20, 60],
      job: [100, 60],
      jobDevice: [10, 1],
      twinRead: [100, 1],
      twinUpdate: [50, 1],
      methodKilobytes: [160, 1],
      connection: [100, 1],
    },
  ],
  [
    "S1",
    20,
    {
      registry: [2000, 60],
      query: [400, 60],
      job: [2000, 60],
      jobDevice: [10, 1],
      twinRead: [100, 1],
      twinUpdate: [50, 1],
      methodKilobytes: [3200, 1],
      connection: [240, 1],
    },
  ],
  [
    "S2",
    20,
    {
      registry: [2000, 60],
      query: [400, 60],
      job: [2000, 60],
      jobDevice: [20, 1],
      twinRead: [200, 1],
      twinUpdate: [100, 1],
      methodKilobytes: [9600, 1],
      connection: [2400, 1],
    },
  ],
  [
    "S3",
    2,
    {
      registry: [10_000, 60],
      query: [2000, 60],
      job: [10_000, 60],
      jobDevice: [100, 1],
      twinRead: [1000, 1],
      twinUpdate: [500, 1],
      methodKilobytes: [49_152, 1],
      connection: [12_000, 1],
    },
  ],
];

describe("the rates of an IoT hub", () => {
  for (const [name, capacity, rates] of PUBLISHED) {
    it(`are those published for ${capacity} units of ${name}`, () => {
      const hub = { sku: { name, capacity, tier: "Standard" } } as IotHubRecord;
      for (const operation of Object.keys(rates) as LimitedOperation[]) {
        const { count, seconds } = limitOf(operation, hub);
        assert.deepEqual([operation, [count, seconds]], [operation, rates[operation]]);
      }
    });
  }

  it("meter methods in steps of 4 KB", () => {
    assert.deepEqual([0, 1, 4096, 4097, 131_072].map(methodKilobytes), [4, 4, 4, 8, 128]);
  });

  describe("as Microsoft's service SDK meets them", () => {
    let ms = 0;
    let hub: SmallHub;
    /** Requests in the queue. */
    let waiting: { ms: number; wake: () => void }[];
    const open = async (switches: Partial<Switches> = {}) => {
      ms = 0;
      waiting = [];
      const sleep = (time: number, signal: AbortSignal): Promise<void> =>
        new Promise((resolve, end) => {
          signal.addEventListener("abort", end);
          const wake = (): void => {
            signal.removeEventListener("abort", end);
            resolve();
          };
          waiting.push({ ms: time, wake });
        });
      hub = await smallHub(new Throttles({ now: () => ms, sleep }), switches);
    };
    beforeEach(() => open());
    afterEach(() => hub.close());

    const use = (operation: LimitedOperation, cost: number) => {
      const { name, count, seconds } = limitOf(operation, hub.sandbox.hubs.get(HUB)!);
      const overAMinute = { name, count: (count / seconds) * 60, seconds: 60 };
      assert.equal(hub.sandbox.throttles.take(overAMinute, HUB, cost), undefined);
    };
    const devices = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ deviceId: `d-${at}` }));
    const refused = async (promise: Promise<unknown>) => {
      const error = (await promise.then(
        () => assert.fail("it was not refused"),
        (one: unknown) => one,
      )) as { name: string; response: { statusCode: number; headers: Record<string, string> } };
      // Text recorded in Azure-Samples/Iot-Telemetry-Simulator#39.
      assert.equal(error.name, "ThrottlingError");
      assert.equal(error.response.statusCode, 429);
      return Number(error.response.headers["retry-after"]);
    };
    const inQueue = async (count: number) => {
      while (waiting.length < count) await setImmediate();
      return waiting.map((one) => one.ms);
    };

    it("refuse the third bulk operation of 50 devices in a minute, as the quotas say", async () => {
      await hub.registry.addDevices(devices(50));
      await hub.registry.updateDevices(devices(50), true);
      assert.equal(await refused(hub.registry.removeDevices(devices(50), true)), 30);
      ms += 30_000;
      await hub.registry.removeDevices(devices(50), true);
      assert.deepEqual(waiting, []);
    });

    it("let a burst through, then a queue at the rate, and refuse when that is full", async () => {
      await hub.registry.create({ deviceId: "d-1" });
      use("registry", 99);
      // 10 seconds at 100 a minute are 16 requests.
      const queued = Array.from({ length: 16 }, () => hub.registry.get("d-1"));
      const times = await inQueue(16);
      assert.deepEqual([times[0], times[1], times[15]], [600, 1200, 9600]);
      assert.equal(await refused(hub.registry.get("d-1")), 11);
      const before = hub.requests.length;
      waiting[0]!.wake();
      await Promise.race(queued);
      assert.equal(hub.requests.length, before + 1, "only the first one's turn had come");
      waiting.forEach(({ wake }) => wake());
      await Promise.all(queued);
    });

    it("are apart for identities, queries and twins; without a queue refused at once", async () => {
      await hub.close();
      await open({ hubQueueSeconds: 0 });
      await hub.registry.create({ deviceId: "d-1" });
      use("registry", 99);
      assert.equal(await refused(hub.registry.get("d-1")), 1);
      await hub.registry.getTwin("d-1");
      use("twinRead", 5_999);
      await refused(hub.registry.getTwin("d-1"));
      await hub.registry.updateTwin("d-1", { tags: { floor: 1 } }, "*");
      use("query", 20);
      const page = await hub.http("POST", "/devices/query?api-version=2021-04-12", {
        body: { query: "SELECT * FROM devices" },
      });
      assert.deepEqual([page.status, page.headers["retry-after"]], [429, "3"]);
      assert.match(
        String(page.body["Message"]),
        /^ErrorCode:ThrottlingBacklogTimeout;The request has been throttled\. Wait 3 seconds/,
      );
    });

    it("end what waits when the hub goes away", async () => {
      await hub.registry.create({ deviceId: "d-1" });
      use("registry", 99);
      const left = hub.http("DELETE", "/devices/d-1?api-version=2021-04-12", {
        headers: { "if-match": "*" },
      });
      await inQueue(1);
      // The answer, or the end of the connection: whichever comes first.
      const ended = left.then(
        ({ status }) => assert.equal(status, 503),
        ({ code }: { code: string }) => assert.equal(code, "ECONNRESET"),
      );
      await hub.front.close();
      await ended;
      assert.notEqual(new DeviceRegistry(hub.sandbox, HUB).find("d-1"), undefined);
    });

    it("let a device that connects, and its twin requests, wait as well", async () => {
      const { primaryKey } = (await hub.registry.create({ deviceId: "d-1" })).responseBody
        .authentication!.symmetricKey!;
      use("connection", 6_000);
      use("twinRead", 6_000);
      const device = await hub.deviceWithKey("d-1", primaryKey);
      const opened = device.open();
      assert.deepEqual(await inQueue(1), [10]);
      waiting[0]!.wake();
      await opened;
      const twin = device.getTwin();
      assert.deepEqual((await inQueue(2))[1], 10);
      waiting[1]!.wake();
      await twin;
    });

    it("pace the devices of all jobs at 10 a second for one unit of S1", async () => {
      for (const batch of [60, 65]) {
        const named = devices(batch).map(({ deviceId }) => ({ deviceId: `${batch}-${deviceId}` }));
        ms += 60_000;
        await hub.registry.addDevices(named);
      }
      await hub.jobs.scheduleTwinUpdate("job-1", "*", { etag: "*", tags: { site: "north" } });
      const succeeded = async (): Promise<unknown> =>
        (
          (await hub.jobs.getJob("job-1")).jobStatus as unknown as {
            deviceJobStatistics: { succeededCount: number };
          }
        ).deviceJobStatistics.succeededCount;
      // A second's worth at once, then one each tenth of a second.
      for (let done = 10; done < 30; done++) {
        assert.equal((await inQueue(done - 9)).at(-1), 100);
        assert.equal(await succeeded(), done);
        ms += 100;
        waiting.at(-1)!.wake();
      }
    });
  });
});
