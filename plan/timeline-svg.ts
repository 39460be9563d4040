/** The picture of a timeline: SVG, for HTML and as a file of its own. */
import { printable } from "../certificates/text";
import {
  type BarLook,
  day,
  lookWords,
  type Timeline,
  type TimelineLine,
  timelineLines,
} from "./timeline";
import { marksOf, type Stretch, stretchOf } from "./timeline-scale";

const WIDTH = 1000;
const MARGIN = 16;
/** Words stand left of this, the picture right of it: they never meet. */
const CHART = 400;
const CHART_WIDTH = WIDTH - MARGIN - CHART;
const HEADER = 64;
const HEIGHTS: Record<TimelineLine["kind"], number> = {
  entry: 30,
  bar: 40,
  overlap: 24,
  event: 24,
};
const BAR_HEIGHT = 18;
const LEGEND_COLUMNS = 4;
const LEGEND_ROW = 24;
const MOST_MARKS = 8;
/** Widest characters of a sans-serif face take 0.95 em; names are mostly narrower than 0.58. */
const EM = { words: 13 * 0.58, note: 11 * 0.55 };

/** Stands for the picture's own identifiers; no name has it, because `escaped` spells it out. */
const ID = "\u0001";

/* Dark on light, told apart by pattern first: it survives a copier and every kind of colour blindness. */
const FILLS: Record<BarLook, { fill: string; dashed?: true }> = {
  only: { fill: "#3b6ea5" },
  new: { fill: "#1b4332" },
  old: { fill: `url(#${ID}old)` },
  added: { fill: `url(#${ID}added)` },
  removed: { fill: `url(#${ID}removed)`, dashed: true },
  ended: { fill: "#ffffff", dashed: true },
  future: { fill: `url(#${ID}future)` },
};

const STYLE = `
text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",Arial,sans-serif;fill:#1a1a1a}
.entry{font-size:14px;font-weight:600}.words{font-size:13px}.note,.mark{font-size:11px;fill:#4a4a4a}
.warning{fill:#8a1c00;font-weight:600}.title{font-size:16px;font-weight:600}.today{font-size:11px;font-weight:600}
.bar{stroke:#1a1a1a;stroke-width:1}.dashed{stroke-dasharray:4 3}.grid{stroke:#d0d0d0;stroke-width:1}
.now{stroke:#1a1a1a;stroke-width:1.5;stroke-dasharray:2 3}.bracket{fill:none;stroke:#1a1a1a;stroke-width:1.5}
.soon{fill:none;stroke:#8a1c00;stroke-width:2.5}`;

/**
 * @param id begins the identifiers in it: a page with several pictures gives each another one. Letters,
 *   digits and `-`. Default: timeline
 */
export function timelineSvg(timeline: Timeline, id = "timeline"): string {
  const now = Date.parse(timeline.now);
  const lines = timelineLines(timeline);
  const scale = new Scale(stretchOf(lines, now));
  const tops: number[] = [];
  let y = HEADER;
  for (const line of lines) {
    tops.push(y);
    y += HEIGHTS[line.kind];
  }
  const bottom = y;
  const looks = [...new Set(lines.flatMap((line) => (line.kind === "bar" ? [line.look] : [])))];
  const legend = legendItems(looks, lines, scale);
  const height = bottom + 16 + Math.ceil(legend.length / LEGEND_COLUMNS) * LEGEND_ROW + MARGIN;
  const body = [
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(MARGIN, 26, "title", "Certificates over time"),
    ...axis(scale, now, bottom),
    ...lines.map((line, index) => draw(line, tops[index]!, scale)),
    ...legend.map((item, index) =>
      item(
        MARGIN + (index % LEGEND_COLUMNS) * ((WIDTH - 2 * MARGIN) / LEGEND_COLUMNS),
        bottom + 16 + Math.floor(index / LEGEND_COLUMNS) * LEGEND_ROW,
      ),
    ),
  ].join("\n");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="${ID}title ${ID}desc">`,
    `<title id="${ID}title">Certificates over time</title>`,
    `<desc id="${ID}desc">${escaped(description(timeline, lines))}</desc>`,
    `<style>${STYLE}</style>`,
    PATTERNS,
    body,
    `</svg>\n`,
  ]
    .join("\n")
    .replaceAll(ID, `${id}-`);
}

/* One line each, for whoever hears the picture without the table beside it. */
function description({ now }: Timeline, lines: readonly TimelineLine[]): string {
  const said = lines.map(({ words, note }) => (note === "" ? words : `${words} (${note})`));
  return [`Today is ${now.slice(0, 10)}.`, ...said.map((each) => `${each}.`)].join("\n");
}

class Scale {
  constructor(readonly stretch: Stretch) {}

  x(time: number): number {
    const { from, to } = this.stretch;
    const share = Math.min(1, Math.max(0, (time - from) / (to - from)));
    return Math.round((CHART + share * CHART_WIDTH) * 10) / 10;
  }

  /** What is seen of it; undefined: nothing. */
  seen(from: number, to: number): { x: number; width: number } | undefined {
    if (to < this.stretch.from || from > this.stretch.to) return undefined;
    const x = this.x(from);
    return { x, width: Math.max(2, this.x(to) - x) };
  }
}

function axis(scale: Scale, now: number, bottom: number): string[] {
  const marks = marksOf(scale.stretch, MOST_MARKS);
  const today = scale.x(now);
  return [
    ...marks.flatMap(({ at, label }) => {
      const x = scale.x(at);
      // A label that would stand out of the picture is left to its line.
      const isInside = x > CHART + 20 && x < WIDTH - MARGIN - 20;
      return [
        `<line class="grid" x1="${x}" x2="${x}" y1="${HEADER - 8}" y2="${bottom}"/>`,
        ...(isInside ? [text(x, HEADER - 14, "mark", label, "middle")] : []),
      ];
    }),
    `<line class="now" x1="${today}" x2="${today}" y1="34" y2="${bottom}"/>`,
    text(Math.min(today, WIDTH - MARGIN - 60), 28, "today", `today ${day(now)}`, "middle"),
  ];
}

function draw(line: TimelineLine, top: number, scale: Scale): string {
  switch (line.kind) {
    case "entry":
      return [
        `<line class="grid" x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${top + 4}" y2="${top + 4}"/>`,
        text(MARGIN, top + 22, "entry", fitted(line.words, (CHART - MARGIN) / (14 * 0.62))),
        ...(line.note === "" ? [] : [text(CHART, top + 22, "note", line.note)]),
      ].join("\n");
    case "bar":
      return [
        ...words(line, top, line.isWarning),
        ...(line.span === undefined ? [] : [bar(line, top + 10, scale)]),
      ].join("\n");
    case "overlap": {
      const seen = scale.seen(line.from, line.to);
      const middle = top + 12;
      return [
        oneLine(line, top),
        ...(seen === undefined
          ? []
          : [`<path class="bracket" d="M${seen.x} ${middle - 5}v10m0 -5h${seen.width}m0 -5v10"/>`]),
      ].join("\n");
    }
    case "event":
      return [oneLine(line, top), diamond(line, top + 12, scale)].join("\n");
  }
}

function words({ words: said, note }: TimelineLine, top: number, isWarning: boolean): string[] {
  const room = CHART - 3 * MARGIN;
  return [
    text(MARGIN * 2, top + 16, "words", fitted(said, room / EM.words)),
    text(
      MARGIN * 2,
      top + 32,
      isWarning ? "note warning" : "note",
      fitted(`${isWarning ? "! " : ""}${note}`, room / EM.note),
    ),
  ];
}

function oneLine({ words: said, note }: TimelineLine, top: number): string {
  const room = CHART - 3 * MARGIN;
  return text(MARGIN * 2, top + 16, "note", fitted(`${said}, ${note}`, room / EM.note));
}

function bar(
  { look, span, warnFrom, words: said, note }: Extract<TimelineLine, { kind: "bar" }>,
  top: number,
  scale: Scale,
): string {
  const { from, to } = span!;
  const seen = scale.seen(from, to);
  if (seen === undefined) return "";
  const { x, width } = seen;
  const { fill, dashed } = FILLS[look];
  const soon = warnFrom === undefined ? undefined : scale.seen(Math.max(warnFrom, from), to);
  const middle = top + BAR_HEIGHT / 2;
  return [
    `<g><title>${escaped(`${said} (${note})`)}</title>`,
    `<rect class="bar${dashed ? " dashed" : ""}" x="${x}" y="${top}" width="${width}" height="${BAR_HEIGHT}" fill="${fill}"/>`,
    // An arrow: it goes on beyond the edge.
    ...(to > scale.stretch.to ? [arrow(x + width, middle, 1)] : []),
    ...(from < scale.stretch.from ? [arrow(x, middle, -1)] : []),
    ...(soon !== undefined && to <= scale.stretch.to
      ? [`<path class="soon" d="M${soon.x} ${top - 4}h${soon.width}m0 -3v${BAR_HEIGHT + 10}"/>`]
      : []),
    `</g>`,
  ].join("\n");
}

function arrow(x: number, y: number, way: 1 | -1): string {
  return `<path d="M${x - 9 * way} ${y - 6}l${8 * way} 6l${-8 * way} 6z" fill="#ffffff" stroke="#1a1a1a"/>`;
}

function diamond(
  { at, done, words: said, note }: Extract<TimelineLine, { kind: "event" }>,
  y: number,
  scale: Scale,
): string {
  if (scale.seen(at, at) === undefined) return "";
  return (
    `<path d="M${scale.x(at)} ${y - 7}l7 7l-7 7l-7 -7z" fill="${done ? "#1a1a1a" : "#ffffff"}" stroke="#1a1a1a" stroke-width="1.5">` +
    `<title>${escaped(`${said} (${note})`)}</title></path>`
  );
}

type LegendItem = (x: number, y: number) => string;

function legendItems(
  looks: BarLook[],
  lines: readonly TimelineLine[],
  { stretch }: Scale,
): LegendItem[] {
  const has = (kind: TimelineLine["kind"]): boolean => lines.some((line) => line.kind === kind);
  const item =
    (picture: (x: number, y: number) => string, label: string): LegendItem =>
    (x, y) =>
      `${picture(x, y)}\n${text(x + 38, y + 13, "note", label)}`;
  const patch = (look: BarLook) => (x: number, y: number) =>
    `<rect class="bar${FILLS[look].dashed ? " dashed" : ""}" x="${x}" y="${y + 2}" width="28" height="14" fill="${FILLS[look].fill}"/>`;
  const shown: [boolean, (x: number, y: number) => string, string][] = [
    ...looks.map((look) => [true, patch(look), lookWords(look)] as [boolean, LegendItem, string]),
    [
      lines.some(
        (line) =>
          line.kind === "bar" &&
          line.warnFrom !== undefined &&
          line.warnFrom <= stretch.to &&
          line.span!.to <= stretch.to,
      ),
      (x, y) => `<path class="soon" d="M${x} ${y + 4}h28m0 -3v15"/>`,
      "about to end",
    ],
    [
      has("overlap"),
      (x, y) => `<path class="bracket" d="M${x} ${y + 4}v10m0 -5h28m0 -5v10"/>`,
      "both are accepted",
    ],
    [
      lines.some((line) => line.kind === "event" && line.done),
      (x, y) => `<path d="M${x + 14} ${y + 2}l7 7l-7 7l-7 -7z" fill="#1a1a1a"/>`,
      "roll, done",
    ],
    [
      lines.some((line) => line.kind === "event" && !line.done),
      (x, y) =>
        `<path d="M${x + 14} ${y + 2}l7 7l-7 7l-7 -7z" fill="#ffffff" stroke="#1a1a1a" stroke-width="1.5"/>`,
      "roll, planned",
    ],
  ];
  return shown.filter(([is]) => is).map(([, picture, label]) => item(picture, label));
}

const PATTERNS = `<defs>
<pattern id="${ID}old" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" fill="#f2d8a0"/><rect width="3" height="7" fill="#8a5a00"/></pattern>
<pattern id="${ID}added" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="#1b4332"/><circle cx="4" cy="4" r="1.8" fill="#ffffff"/></pattern>
<pattern id="${ID}removed" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="#ffffff"/><path d="M0 0l8 8M8 0l-8 8" stroke="#8a1c00" stroke-width="1.2"/></pattern>
<pattern id="${ID}future" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#ffffff"/><rect width="6" height="2" fill="#3b6ea5"/></pattern>
</defs>`;

function text(
  x: number,
  y: number,
  kind: string,
  content: string,
  anchor: "start" | "middle" = "start",
): string {
  const where = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  return `<text class="${kind}" x="${x}" y="${y}"${where}>${escaped(content)}</text>`;
}

/** Cut to so many characters of middling width. A wide one, as of Chinese, counts twice. */
function fitted(content: string, room: number): string {
  let used = 0;
  let cut = "";
  for (const character of content) {
    used +=
      /[\u1100-\uffff]/.test(character) || character.length > 1
        ? 2
        : /[MWmw@%]/.test(character)
          ? 1.5
          : 1;
    if (used > room) return `${cut.trimEnd()}…`;
    cut += character;
  }
  return cut;
}

/** For text in XML: what cannot be seen is spelt out, and nothing ends an element or an attribute. */
export function escaped(content: string): string {
  return printableLines(content)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/* The lines are ours: whatever names hold was made printable before. */
function printableLines(content: string): string {
  return content.split("\n").map(printable).join("\n");
}
