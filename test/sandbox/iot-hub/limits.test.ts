import assert from "node:assert/strict";
import type { IotHubRecord } from "../../../sandbox/common/model";
import { Throttles } from "../../../sandbox/common/throttles";
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
    beforeEach(async () => {
      ms = 0;
      hub = await smallHub(new Throttles({ now: () => ms }));
    });
    afterEach(() => hub.close());

    const use = (name: string, count: number, seconds: number, cost: number) =>
      hub.sandbox.throttles.take({ name, count, seconds }, HUB, cost);
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

    it("count a bulk operation once for each device (device-simulation-dotnet#167)", async () => {
      await hub.registry.addDevices(devices(60));
      assert.equal(await refused(hub.registry.removeDevices(devices(60), true)), 12);
      ms += 12_000;
      await hub.registry.removeDevices(devices(60), true);
    });

    it("are apart for identities, queries and twins", async () => {
      await hub.registry.create({ deviceId: "d-1" });
      use("hub-registry", 100, 60, 99);
      assert.equal(await refused(hub.registry.get("d-1")), 1);
      await hub.registry.getTwin("d-1");
      use("hub-twinRead", 100, 1, 99);
      await refused(hub.registry.getTwin("d-1"));
      await hub.registry.updateTwin("d-1", { tags: { floor: 1 } }, "*");
      use("hub-query", 20, 60, 20);
      const page = await hub.http("POST", "/devices/query?api-version=2021-04-12", {
        body: { query: "SELECT * FROM devices" },
      });
      assert.deepEqual([page.status, page.headers["retry-after"]], [429, "3"]);
      assert.match(
        String(page.body["Message"]),
        /^ErrorCode:ThrottlingBacklogTimeout;The request has been throttled\. Wait 3 seconds/,
      );
    });
  });
});
