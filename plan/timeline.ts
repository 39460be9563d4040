/**
 * The validity of certificates over time, as data. `timelineSvg` draws it, `timelineTable` says it in a
 * table; both say the same.
 */
import type { Roll, SlotName } from "../certificates/declared";
import type { PastRoll } from "../certificates/past-rolls";
import type { CertificateSummary } from "../certificates/summary";
import { duration } from "../certificates/fleet-rules";
import { devicesWords } from "../certificates/fleet-usage";
import { displayName, printable } from "../certificates/text";

export interface Timeline {
  /** ISO 8601. */
  now: string;
  /** So many days before its end a certificate counts as about to end. */
  warnDays: number;
  entries: TimelineEntry[];
}

export interface TimelineEntry {
  /** For people: `enrollment group sensors`. */
  name: string;
  bars: TimelineBar[];
  /** Rolls of the entry; in any order. */
  events: TimelineEvent[];
}

/** A certificate in a slot. */
export interface TimelineBar {
  slot: SlotName;
  /** Absent: it does not exist yet, it is made by the change. */
  certificate?: Pick<
    CertificateSummary,
    | "subjectCommonName"
    | "subject"
    /** Empty: not known. */
    | "sha256Thumbprint"
    | "notBefore"
    | "notAfter"
  >;
  /** What the change does to it; `kept` where there is no change. */
  change: "kept" | "added" | "removed";
  /** Devices that are known to use it. Absent: not counted. */
  devices?: number;
}

export interface TimelineEvent {
  /** ISO 8601. */
  at: string;
  /** For people: `prepare (P8)`, `retire the old one by then`. */
  words: string;
  done: boolean;
}

/** `prepare (P8)` */
export function rollWords({ phase, procedure }: Pick<Roll, "phase" | "procedure">): string {
  return `${phase} (${procedure})`;
}

/** Of one entry; more are not looked at. */
const MOST_DONE = 6;

/** Rolls that were carried out, oldest first, as far as a picture shows them. */
export function doneEvents(past: readonly Omit<PastRoll, "entry">[]): TimelineEvent[] {
  return past
    .slice(-MOST_DONE)
    .map((roll) => ({ at: roll.at, words: rollWords(roll), done: true }));
}

/** How a bar is drawn and what is said of it. */
export type BarLook = "only" | "old" | "new" | "added" | "removed" | "ended" | "future";

/** One line of the picture, and of the table. */
export type TimelineLine =
  | { kind: "entry"; words: string; note: string }
  | {
      kind: "bar";
      words: string;
      note: string;
      look: BarLook;
      /** Milliseconds; absent: it does not exist yet. */
      span?: { from: number; to: number };
      /** From here on it is about to end. */
      warnFrom?: number;
      isWarning: boolean;
    }
  | { kind: "overlap"; words: string; note: string; from: number; to: number }
  | { kind: "event"; words: string; note: string; at: number; done: boolean };

const DAY_MS = 86_400_000;
/** A picture of more is not looked at. */
const MOST_ENTRIES = 40;

const LOOKS: Record<BarLook, string> = {
  only: "in use",
  old: "old",
  new: "new",
  added: "added by this change",
  removed: "taken away by this change",
  ended: "ended",
  future: "not valid yet",
};

/** Beside a bar there is less room than in the legend. */
const SHORT: Partial<Record<BarLook, string>> = { added: "added", removed: "taken away" };

/** The words of the legend. */
export function lookWords(look: BarLook): string {
  return LOOKS[look];
}

function shortWords(look: BarLook): string {
  return SHORT[look] ?? lookWords(look);
}

/** The lines in the order in which they are shown: entries whose certificates end first come first. */
export function timelineLines({ now, warnDays, entries }: Timeline): TimelineLine[] {
  const time = Date.parse(now);
  const sorted = [...entries].sort((one, other) => (firstEnd(one) < firstEnd(other) ? -1 : 1));
  const lines = sorted
    .slice(0, MOST_ENTRIES)
    .flatMap((entry) => linesOf(entry, time, warnDays * DAY_MS));
  const more = sorted.slice(MOST_ENTRIES);
  const next = more[0] === undefined ? Infinity : firstEnd(more[0]);
  return more.length === 0
    ? lines
    : [
        ...lines,
        {
          kind: "entry",
          words: `and ${more.length} more`,
          note: Number.isFinite(next) ? `the first of them ends ${day(next)}` : "",
        },
      ];
}

/** When the first of its certificates ends, or has ended. */
function firstEnd({ bars }: TimelineEntry): number {
  const ends = bars.flatMap(({ certificate, change }) =>
    certificate === undefined || change === "removed" ? [] : [Date.parse(certificate.notAfter)],
  );
  return Math.min(Infinity, ...ends);
}

function linesOf(
  { name, bars, events }: TimelineEntry,
  now: number,
  warnMs: number,
): TimelineLine[] {
  const overlaps = overlapOf(bars, now);
  return [
    {
      kind: "entry",
      words: displayName(name),
      note: bars.length === 0 ? "nothing in its slots" : "",
    },
    ...bars.map((bar) => barLine(bar, bars, now, warnMs)),
    ...(overlaps === undefined
      ? []
      : [
          {
            kind: "overlap" as const,
            words: `overlap: ${duration(overlaps.to - overlaps.from)}`,
            note: `${day(overlaps.from)} to ${day(overlaps.to)}`,
            ...overlaps,
          },
        ]),
    ...[...events]
      .sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
      .map(({ at, words, done }) => ({
        kind: "event" as const,
        words: `${done ? "done" : "planned"}: ${printable(words)}`,
        note: day(Date.parse(at)),
        at: Date.parse(at),
        done,
      })),
  ];
}

function barLine(
  { slot, certificate, change, devices }: TimelineBar,
  all: readonly TimelineBar[],
  now: number,
  warnMs: number,
): TimelineLine {
  if (certificate === undefined) {
    return {
      kind: "bar",
      words: `${slot}: made during up`,
      note: shortWords("added"),
      look: "added",
      isWarning: false,
    };
  }
  const { subject, subjectCommonName, sha256Thumbprint } = certificate;
  const span = { from: Date.parse(certificate.notBefore), to: Date.parse(certificate.notAfter) };
  const left = span.to - now;
  const look = lookOf(change, span, all, now);
  const isWarning = change !== "removed" && left <= warnMs;
  const ends = left <= 0 ? `ended ${day(span.to)}` : `until ${day(span.to)}`;
  const soon = isWarning && left > 0 ? ` (in ${duration(left)})` : "";
  const begins = look === "future" ? `from ${day(span.from)} ` : "";
  return {
    kind: "bar",
    words: `${slot}: ${displayName(subjectCommonName === "" ? subject : subjectCommonName)}`,
    note: [
      `${begins}${ends}${soon}`,
      ...(look === "ended" ? [] : [shortWords(look)]),
      ...(devices === undefined ? [] : [devicesWords(devices)]),
      ...(sha256Thumbprint === "" ? [] : [`SHA-256 ${sha256Thumbprint.slice(0, 8)}…`]),
    ].join(", "),
    look,
    span,
    ...(left > 0 && change !== "removed" && { warnFrom: span.to - warnMs }),
    isWarning,
  };
}

/* Of two certificates the one that ends first is the old one; of two that end at once the one that began first. */
function lookOf(
  change: TimelineBar["change"],
  { from, to }: { from: number; to: number },
  all: readonly TimelineBar[],
  now: number,
): BarLook {
  if (change === "removed") return "removed";
  if (to <= now) return "ended";
  if (change === "added") return "added";
  if (from > now) return "future";
  const others = all.flatMap(({ certificate, change: what }) => {
    if (what === "removed") return [];
    if (certificate === undefined || what === "added") return [[Infinity, Infinity]];
    return [[Date.parse(certificate.notAfter), Date.parse(certificate.notBefore)]];
  }) as [end: number, begin: number][];
  if (others.some(([end, begin]) => end > to || (end === to && begin > from))) return "old";
  return others.some(([end, begin]) => end < to || begin < from) ? "new" : "only";
}

/** While both slots hold certificates that are valid; what is added is not accepted before now. */
function overlapOf(
  bars: readonly TimelineBar[],
  now: number,
): { from: number; to: number } | undefined {
  const spans = bars
    .filter(({ change }) => change !== "removed")
    .flatMap(({ certificate }) => certificate ?? []);
  if (spans.length < 2) return undefined;
  const begins = bars.some(({ change }) => change === "added") ? now : -Infinity;
  const from = Math.max(begins, ...spans.map(({ notBefore }) => Date.parse(notBefore)));
  const to = Math.min(...spans.map(({ notAfter }) => Date.parse(notAfter)));
  return from < to ? { from, to } : undefined;
}

/** `2026-11-24`, UTC. */
export function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
