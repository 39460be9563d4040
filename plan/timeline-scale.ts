/** Which stretch of time a picture shows, and the marks on its axis. All times in milliseconds, UTC. */
import type { TimelineLine } from "./timeline";

export interface Stretch {
  from: number;
  to: number;
}

export interface Mark {
  at: number;
  label: string;
}

const DAY_MS = 86_400_000;
/** Ends up to here are shown, whichever is the next one. */
const SOON_MS = 200 * DAY_MS;
const SHORTEST_MS = 30 * DAY_MS;
const LONGEST_MS = 4 * 365 * DAY_MS;

/**
 * From before today to after the last end that matters soon. A root of thirty years does not press the
 * next weeks together: what goes on beyond the edge is drawn as going on.
 */
export function stretchOf(lines: readonly TimelineLine[], now: number): Stretch {
  const begins: number[] = [];
  const marks: number[] = [];
  const ends: number[] = [];
  for (const line of lines) {
    if (line.kind === "bar" && line.span !== undefined) {
      begins.push(line.span.from);
      if (line.span.to > now) ends.push(line.span.to);
      else marks.push(line.span.to);
    }
    if (line.kind === "event") marks.push(line.at);
  }
  const next = Math.min(Infinity, ...ends);
  const near = ends.filter((end) => end - now <= Math.max(SOON_MS, 4 * (next - now)));
  const wanted = Math.max(0, ...[...near, ...marks].map((end) => end - now)) * 1.15;
  const ahead = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, wanted));
  const first = Math.min(now, ...begins, ...marks);
  return { from: Math.max(first, now - ahead) - ahead / 30, to: now + ahead };
}

type Step = { unit: "day" | "month" | "year"; count: number };

const STEPS: (Step & { ms: number })[] = [
  { unit: "day", count: 1, ms: DAY_MS },
  { unit: "day", count: 7, ms: 7 * DAY_MS },
  { unit: "month", count: 1, ms: 30.4 * DAY_MS },
  { unit: "month", count: 3, ms: 91 * DAY_MS },
  { unit: "month", count: 6, ms: 182 * DAY_MS },
  { unit: "year", count: 1, ms: 365 * DAY_MS },
  { unit: "year", count: 2, ms: 730 * DAY_MS },
];

/** Calendar marks, at most `most` of them. */
export function marksOf({ from, to }: Stretch, most: number): Mark[] {
  const step = STEPS.find(({ ms }) => (to - from) / ms <= most) ?? STEPS.at(-1)!;
  const marks: Mark[] = [];
  for (let at = firstOf(step, from); at <= to; at = after(step, at)) {
    if (at >= from) marks.push({ at, label: labelOf(step, at) });
  }
  return marks;
}

function firstOf({ unit, count }: Step, time: number): number {
  const date = new Date(time);
  const year = date.getUTCFullYear();
  if (unit === "year") return Date.UTC(year - (year % count), 0, 1);
  const month = date.getUTCMonth();
  if (unit === "month") return Date.UTC(year, month - (month % count), 1);
  return Date.UTC(year, month, date.getUTCDate());
}

function after({ unit, count }: Step, time: number): number {
  const date = new Date(time);
  const year = date.getUTCFullYear();
  if (unit === "year") return Date.UTC(year + count, 0, 1);
  if (unit === "month") return Date.UTC(year, date.getUTCMonth() + count, 1);
  return time + count * DAY_MS;
}

function labelOf({ unit }: Step, time: number): string {
  const iso = new Date(time).toISOString();
  return unit === "year" ? iso.slice(0, 4) : unit === "month" ? iso.slice(0, 7) : iso.slice(0, 10);
}
