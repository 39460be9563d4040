import assert from "node:assert/strict";
import { parseQuery } from "../../../sandbox/iot-hub/query";
import { smallHub, VERSION, type SmallHub } from "./small-hub";

type Json = Record<string, unknown>;

const TWINS: Json[] = [
  {
    deviceId: "a",
    status: "enabled",
    connectionState: "Connected",
    tags: { site: "north", floor: 1, spare: true },
    properties: { desired: { rate: 5 }, reported: { firmware: "1.0" } },
  },
  {
    deviceId: "b",
    status: "disabled",
    connectionState: "Disconnected",
    tags: { site: "south", floor: 2, note: "it's" },
    properties: { desired: {}, reported: { firmware: "1.1" } },
  },
  { deviceId: "c", status: "enabled", connectionState: "Disconnected", properties: {} },
];

describe("queries of the sandbox's IoT hub", () => {
  const run = (text: string): Json[] => {
    const query = parseQuery(text);
    return TWINS.filter((twin) => query.matches(twin)).map((twin) => query.project(twin));
  };

  for (const [where, wanted] of [
    ["deviceId = 'b'", "b"],
    ['DeviceId = "b"', "b"],
    ["status = 'enabled' AND connectionState = 'Disconnected'", "c"],
    ["deviceId IN ['a', 'c', 'z']", "a c"],
    ["tags.site != 'north'", "b"],
    ["tags.site <> 'nowhere'", "a b"],
    ["tags.floor = 1 and tags.spare = true", "a"],
    ["tags.Site = 'north'", ""],
    ["tags.note = 'it\\'s'", "b"],
    ["properties.reported.firmware IN ['1.0','1.1'] AND properties.desired.rate != 6", "a"],
  ] as const) {
    it(`finds "${wanted}" with WHERE ${where}`, () => {
      const found = run(`SELECT * FROM devices WHERE ${where}`);
      assert.equal(found.map(({ deviceId }) => deviceId).join(" "), wanted);
    });
  }

  it("projects properties, under another name if asked, and leaves away what is not there", () => {
    assert.deepEqual(
      run("select deviceId, tags.site AS place from devices where deviceId IN ['a','c']"),
      [{ deviceId: "a", place: "north" }, { deviceId: "c" }],
    );
  });

  for (const [text, named] of [
    ["SELECT COUNT() AS n FROM devices", /COUNT\(/],
    ["SELECT * FROM devices.modules", /FROM devices\./],
    ["SELECT * FROM devices.jobs", /FROM devices\./],
    ["SELECT * FROM c", /FROM c/],
    ["SELECT * FROM devices WHERE a = 1 OR b = 2", /"OR"/],
    ["SELECT * FROM devices WHERE NOT a = 1", /"NOT"/],
    ["SELECT * FROM devices WHERE tags.floor > 1", /operator >/],
    ["SELECT * FROM devices WHERE is_defined(tags.a)", /is_defined\(/],
    ["SELECT * FROM devices WHERE tags.a IN ('x')", /IN without/],
    ["SELECT * FROM devices WHERE tags.a = tags.b", /"tags"/],
    ["SELECT * FROM devices WHERE tags.a =", /a value is expected/],
    ["SELECT * FROM devices GROUP BY status", /"GROUP"/],
    ["SELECT * FROM devices WHERE a = 'open", /cannot be read/],
    ["DELETE FROM devices", /SELECT is expected/],
    ["", /no query/],
  ] as const) {
    it(`refuses ${text === "" ? "an empty query" : text}, and says what`, () => {
      assert.throws(() => parseQuery(text), { name: "HubFault", message: named });
    });
  }

  describe("over HTTPS", () => {
    let hub: SmallHub;

    before(async () => {
      hub = await smallHub();
      await hub.registry.addDevices(
        Array.from({ length: 7 }, (_, index) => ({
          deviceId: `d-${index}`,
          tags: { even: index % 2 === 0 },
        })),
      );
    });
    after(async () => {
      await hub.close();
    });

    it("answer with twins, a page at a time, until there is no continuation", async () => {
      const query = hub.registry.createQuery("SELECT * FROM devices", 3);
      const pages: string[][] = [];
      let continuation: string | undefined;
      do {
        const page = await query.next(continuation as string);
        pages.push((page.result as unknown as Json[]).map(({ deviceId }) => String(deviceId)));
        continuation = query.continuationToken;
      } while (query.hasMoreResults);
      assert.deepEqual(pages, [["d-0", "d-1", "d-2"], ["d-3", "d-4", "d-5"], ["d-6"]]);
    });

    it("page over what matches, with the kind of the items in a header", async () => {
      const headers = { "x-ms-max-item-count": "4" };
      const body = { query: "SELECT deviceId FROM devices WHERE tags.even = true" };
      const raw = await hub.http("POST", `/devices/query?${VERSION}`, { body, headers });
      assert.equal(raw.headers["x-ms-item-type"], "Raw");
      assert.equal(raw.headers["x-ms-continuation"], undefined);
      assert.deepEqual(raw.body, [
        { deviceId: "d-0" },
        { deviceId: "d-2" },
        { deviceId: "d-4" },
        { deviceId: "d-6" },
      ]);
      const twins = await hub.registry.createQuery("SELECT * FROM devices").nextAsTwin();
      assert.equal(twins.message?.headers["x-ms-item-type"], "Twin");
    });

    it("answer 400 to a query, a page size or a continuation that cannot be read", async () => {
      const ask = async (query: unknown, headers: Record<string, string> = {}): Promise<number> =>
        (await hub.http("POST", `/devices/query?${VERSION}`, { body: { query }, headers })).status;
      assert.equal(await ask("SELECT * FROM devices"), 200);
      assert.equal(await ask("SELECT * FROM nowhere"), 400);
      assert.equal(await ask(undefined), 400);
      assert.equal(await ask("SELECT * FROM devices", { "x-ms-max-item-count": "0" }), 400);
      assert.equal(await ask("SELECT * FROM devices", { "x-ms-continuation": "nonsense" }), 400);
    });
  });
});
