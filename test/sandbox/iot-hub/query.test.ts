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
    ["deviceId NIN ['a', 'z']", "b c"],
    ["tags.floor > 1 OR deviceId = 'c'", "b c"],
    ["deviceId = 'c' OR deviceId = 'a' AND tags.floor = 2", "c"],
    ["(deviceId = 'c' OR deviceId = 'a') AND tags.floor <= 2", "a"],
    ["tags.floor >= 1 AND tags.floor < 2", "a"],
    ["properties.reported.firmware > '1.0'", "b"],
    ["tags.floor > '1'", ""],
    ["NOT tags.site = 'north'", "b"],
    ["NOT (status = 'enabled' AND tags.floor = 1)", "b"],
    ["NOT is_defined(tags.site)", "c"],
    ["IS_DEFINED(properties.desired.rate)", "a"],
    ["STARTSWITH(tags.site, 'nor') OR STARTS_WITH(deviceId, 'c')", "a c"],
    ["devices.deviceId = 'c'", "c"],
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

  for (const [text, wanted] of [
    ["SELECT COUNT() AS n FROM devices", [{ n: 3 }]],
    ["SELECT COUNT() AS n FROM devices WHERE deviceId = 'z'", [{ n: 0 }]],
    [
      "SELECT status, COUNT() AS n FROM devices GROUP BY status",
      [
        { status: "enabled", n: 2 },
        { status: "disabled", n: 1 },
      ],
    ],
    [
      "SELECT MIN(tags.floor) AS least, MAX(tags.floor) AS most, AVG(tags.floor) AS usual, SUM(tags.floor) AS all FROM devices",
      [{ least: 1, most: 2, usual: 1.5, all: 3 }],
    ],
    [
      "SELECT tags.site AS site, COUNT() FROM devices WHERE tags.floor = 1 GROUP BY tags.site",
      [{ site: "north", COUNT: 1 }],
    ],
  ] as const) {
    it(`counts with ${text}`, () => {
      const query = parseQuery(text);
      assert.equal(query.itemType, "Raw");
      const found = query.aggregate?.(TWINS.filter((twin) => query.matches(twin)));
      assert.deepEqual(found, wanted);
    });
  }

  it("takes the first ones", () => {
    assert.equal(parseQuery("SELECT TOP 2 * FROM devices").top, 2);
  });

  for (const [text, named] of [
    ["SELECT MEDIAN(tags.floor) FROM devices", /MEDIAN\(/],
    ["SELECT SUM() FROM devices", /SUM\(\)/],
    ["SELECT tags.site, COUNT() AS n FROM devices", /tags.site beside an aggregate/],
    ["SELECT * FROM devices.modules", /FROM devices\.modules/],
    ["SELECT * FROM c", /FROM c/],
    ["SELECT * FROM devices WHERE lower(tags.a) = 'x'", /lower\(/],
    ["SELECT * FROM devices WHERE tags.a LIKE 'x'", /operator LIKE/],
    ["SELECT * FROM devices WHERE (tags.a = 1", /\) is expected/],
    ["SELECT * FROM devices WHERE tags.a IN ('x')", /IN without/],
    ["SELECT * FROM devices WHERE tags.a = tags.b", /"tags"/],
    ["SELECT * FROM devices WHERE tags.a =", /a value is expected/],
    ["SELECT * FROM devices GROUP BY status", /SELECT \* with GROUP BY/],
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
