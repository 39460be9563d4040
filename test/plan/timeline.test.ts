/** The picture of certificates over time: what it says, and that a browser shows all of it. */
import assert from "node:assert/strict";
import type { Timeline, TimelineBar } from "../../plan/timeline";
import { timelineLines } from "../../plan/timeline";
import { marksOf, stretchOf } from "../../plan/timeline-scale";
import { timelineSvg } from "../../plan/timeline-svg";
import { timelineTable } from "../../plan/timeline-table";
import { evaluate, needsBrowser, screenshot } from "../support/browser";

const NOW = "2026-11-24T20:00:00Z";

function bar(
  slot: "primary" | "secondary",
  name: string,
  from: string,
  to: string,
  more: Partial<TimelineBar> = {},
): TimelineBar {
  const certificate = {
    subjectCommonName: name,
    subject: `CN=${name}`,
    sha256Thumbprint: "C5F453EF".repeat(8),
    notBefore: `${from}T00:00:00Z`,
    notAfter: `${to}T00:00:00Z`,
  };
  return { slot, certificate, change: "kept", ...more };
}

/** Names as long and as wicked as a certificate can have them. */
const WICKED = '</text><script>document.title = "forged"</script>" onload="x\n\u202eID-title';
const LONG = `${"M".repeat(64)} ${"東".repeat(40)}`;

const busy: Timeline = {
  now: NOW,
  warnDays: 30,
  entries: [
    {
      name: "enrollment group sensors",
      bars: [
        bar("primary", "Root A", "2022-01-01", "2027-01-20", { devices: 812 }),
        bar("secondary", "Root B", "2026-10-01", "2036-10-01", { devices: 4188 }),
      ],
      events: [
        { at: "2027-01-20T00:00:00Z", words: "retire Root A", done: false },
        { at: "2026-10-12T00:00:00Z", words: "prepare", done: true },
      ],
    },
    {
      name: "enrollment group gateways",
      bars: [
        bar("primary", "Intermediate A", "2026-01-01", "2026-12-10", { devices: 1 }),
        bar("secondary", "Intermediate B", "2026-11-24", "2027-11-24", { change: "added" }),
      ],
      events: [],
    },
    {
      name: "individual enrollment device-1",
      bars: [
        bar("primary", "device-1", "2026-10-24", "2026-11-23"),
        { slot: "secondary", change: "added" },
      ],
      events: [],
    },
    {
      name: `enrollment group ${LONG}`,
      bars: [
        bar("primary", WICKED, "2026-01-01", "2027-06-10", { change: "removed" }),
        bar("secondary", LONG, "2026-12-24", "2028-11-24"),
      ],
      events: [{ at: "2031-01-01T00:00:00Z", words: LONG, done: false }],
    },
    { name: "individual enrollment device-2", bars: [], events: [] },
  ],
};

const page = (timeline: Timeline): string =>
  `<!doctype html><meta charset="utf-8"><body style="margin:0">${timelineSvg(timeline)}`;

describe("the lines of a timeline", () => {
  it("put first what ends first, and say what each certificate is", () => {
    const said = timelineLines({ ...busy, entries: busy.entries.slice(0, 3) }).map(
      ({ words, note }) => `${words} | ${note}`,
    );
    assert.deepEqual(said, [
      "individual enrollment device-1 | ",
      "primary: device-1 | ended 2026-11-23, SHA-256 C5F453EF…",
      "secondary: made during up | added",
      "enrollment group gateways | ",
      "primary: Intermediate A | until 2026-12-10 (in 15 days), old, 1 device, SHA-256 C5F453EF…",
      "secondary: Intermediate B | until 2027-11-24, added, SHA-256 C5F453EF…",
      "overlap: 15 days | 2026-11-24 to 2026-12-10",
      "enrollment group sensors | ",
      "primary: Root A | until 2027-01-20, old, 812 devices, SHA-256 C5F453EF…",
      "secondary: Root B | until 2036-10-01, new, 4188 devices, SHA-256 C5F453EF…",
      "overlap: 111 days | 2026-10-01 to 2027-01-20",
      "done: prepare | 2026-10-12",
      "planned: retire Root A | 2027-01-20",
    ]);
  });

  it("end with a count when there are more than one looks at", () => {
    const entries = Array.from({ length: 45 }, (_, index) => ({
      name: `individual enrollment d${index}`,
      bars: [
        bar(
          "primary",
          `d${index}`,
          "2026-01-01",
          `2027-02-${String((index % 28) + 1).padStart(2, "0")}`,
        ),
      ],
      events: [],
    }));
    const lines = timelineLines({ ...busy, entries });
    assert.deepEqual(lines.at(-1), {
      kind: "entry",
      words: "and 5 more",
      note: "the first of them ends 2027-02-24",
    });
    assert.equal(lines.length, 81);
  });
});

describe("which of two certificates is the old one", () => {
  const looks = (...bars: TimelineBar[]) =>
    timelineLines({ now: NOW, warnDays: 30, entries: [{ name: "x", bars, events: [] }] }).flatMap(
      (line) => (line.kind === "bar" ? [line.look] : []),
    );

  it("is told by when they end, then by when they began, and by which is added", () => {
    const one = bar("primary", "A", "2026-01-01", "2030-01-01");
    const later = bar("secondary", "B", "2026-02-01", "2030-01-01");
    assert.deepEqual(looks(one, bar("secondary", "B", "2026-02-01", "2031-01-01")), ["old", "new"]);
    assert.deepEqual(looks(one, later), ["old", "new"]);
    assert.deepEqual(looks(one, { ...one, slot: "secondary" }), ["only", "only"]);
    assert.deepEqual(looks(later, { ...one, slot: "secondary", change: "added" }), [
      "old",
      "added",
    ]);
    assert.deepEqual(looks(one, { ...later, change: "removed" }), ["only", "removed"]);
  });
});

describe("the stretch of a timeline", () => {
  it("shows the ends that come next, whatever a root of ten years does, on marks that do not crowd", () => {
    const now = Date.parse(NOW);
    const stretch = stretchOf(timelineLines({ ...busy, entries: busy.entries.slice(0, 2) }), now);
    assert.ok(stretch.from < now && stretch.to > Date.parse("2027-01-20"));
    assert.ok(stretch.to < Date.parse("2027-06-01"), new Date(stretch.to).toISOString());
    const year = { from: Date.parse("2026-01-15"), to: Date.parse("2027-01-15") };
    assert.deepEqual(
      marksOf(year, 8).map(({ label }) => label),
      ["2026-04", "2026-07", "2026-10", "2027-01"],
    );
    for (const days of [3, 30, 100, 400, 2000, 2900]) {
      const marks = marksOf({ from: now, to: now + days * 86_400_000 }, 8);
      assert.ok(marks.length >= 1 && marks.length <= 9, `${days} days: ${marks.length} marks`);
    }
  });
});

describe("the picture of a timeline", function () {
  before(needsBrowser);

  interface Box {
    text: string;
    x: number;
    y: number;
    right: number;
    bottom: number;
  }
  const BOXES = (selector: string): string =>
    `[...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => { const { x, y, right, bottom } = one.getBoundingClientRect(); return { text: one.textContent, x, y, right, bottom }; })`;
  const meet = (one: Box, other: Box): boolean =>
    one.x < other.right && other.x < one.right && one.y < other.bottom && other.y < one.bottom;

  for (const [name, timeline] of [
    ["busy", busy],
    ["empty", { ...busy, entries: [] }],
    [
      "with one certificate of thirty years",
      {
        ...busy,
        entries: [
          {
            name: "enrollment group old",
            bars: [bar("primary", "Root", "2020-01-01", "2050-01-01")],
            events: [],
          },
        ],
      },
    ],
  ] as [string, Timeline][]) {
    it(`has no words on words, on bars or beyond its edge: ${name}`, async () => {
      const look = { html: page(timeline), width: 1040, height: 1200 };
      const { texts, bars, svg } = await evaluate<Record<"texts" | "bars" | "svg", Box[]>>(
        look,
        `({ texts: ${BOXES("svg text")}, bars: ${BOXES("svg rect.bar")}, svg: ${BOXES("svg")} })`,
      );
      const [edge] = svg;
      assert.ok(texts.length >= 2 && edge !== undefined);
      for (const [index, one] of texts.entries()) {
        assert.ok(
          one.x >= edge.x && one.right <= edge.right && one.bottom <= edge.bottom,
          `beyond the edge: ${one.text}`,
        );
        const met = [...texts.slice(index + 1), ...bars].filter((other) => meet(one, other));
        assert.deepEqual(met, [], `meets: ${one.text}`);
      }
    });
  }

  it("is well-formed, named and described, and no name becomes markup", async () => {
    const found = await evaluate<Record<string, string | number>>(
      { html: page(busy), width: 1040, height: 1200 },
      `(() => {
        const whole = new DOMParser().parseFromString(document.querySelector("svg").outerHTML, "image/svg+xml");
        const svg = document.querySelector("svg");
        const named = svg.getAttribute("aria-labelledby").split(" ").map((id) => document.getElementById(id).textContent);
        return {
          error: whole.querySelectorAll("parsererror").length,
          scripts: svg.querySelectorAll("script").length,
          title: document.title,
          name: named[0],
          described: named[1].includes("primary: Intermediate A (until 2026-12-10 (in 15 days), old"),
          handlers: [...svg.querySelectorAll("*")].filter((one) => one.hasAttribute("onload")).length,
        };
      })()`,
    );
    assert.deepEqual(found, {
      error: 0,
      scripts: 0,
      title: "",
      name: "Certificates over time",
      described: true,
      handlers: 0,
    });
  });

  it("is a file of its own as well", async () => {
    const shot = await screenshot({ html: page(busy), width: 1040, height: 900 });
    assert.equal(shot.subarray(1, 4).toString(), "PNG");
    // An empty picture of this size compresses to a few kilobytes.
    assert.ok(shot.length > 30_000, `${shot.length} bytes`);
    assert.match(timelineSvg(busy), /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox/);
  });
});

describe("the table of a timeline", () => {
  it("says the same as the picture, each row with its entry, and no name becomes markup", () => {
    const table = timelineTable(busy);
    const rows = table.split("\n").filter((line) => line.startsWith("<tr>"));
    const bars = timelineLines(busy).filter(({ kind }) => kind !== "entry");
    assert.equal(rows.length, bars.length + 1);
    assert.ok(
      rows.includes(
        '<tr><th scope="row">enrollment group sensors</th><td>done: prepare</td><td>2026-10-12</td></tr>',
      ),
    );
    assert.ok(!/<script|onload="/.test(table));
  });
});
