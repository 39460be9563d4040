/** The certificates of a plan over time: what its picture and its table show. */
import { isLookedBackAt } from "../certificates/past-rolls";
import type { Plan, PlanCertificate, PlanChange, PlanSlot } from "./model";
import {
  doneEvents,
  rollWords,
  type Timeline,
  type TimelineBar,
  type TimelineEntry,
} from "./timeline";

/** So many days before its end a certificate counts as about to end. */
const WARN_DAYS = 30;

export function timelineOf({ changes, madeAt }: Plan): Timeline {
  return {
    now: madeAt,
    warnDays: WARN_DAYS,
    entries: changes
      .filter(({ slots }) => slots.length > 0)
      .map((change) => entryOf(change, madeAt)),
  };
}

function entryOf(change: PlanChange, madeAt: string): TimelineEntry {
  const { kind, past, path, phase, procedure, slots } = change;
  const bars = kind === "ca" ? slots.flatMap(caBars) : slots.flatMap((slot) => barsOf(slot, slots));
  return {
    name: path,
    bars,
    events: [
      ...doneEvents(past),
      ...(isLookedBackAt(phase)
        ? [{ at: madeAt, words: rollWords({ phase, procedure }), done: false }]
        : []),
    ],
  };
}

function caBars({ before, after }: PlanSlot): TimelineBar[] {
  return barsOf({ slot: "primary", before, after }, []);
}

function barsOf({ slot, before, after }: PlanSlot, all: PlanSlot[]): TimelineBar[] {
  if (slot === "certificate") return [];
  const isKept = (one: PlanCertificate, others: (PlanCertificate | null)[]): boolean =>
    others.some((other) => other?.facts?.sha256 === one.facts?.sha256 && other?.name === one.name);
  const bars: TimelineBar[] = [];
  if (after !== null) {
    const kept = isKept(after, [before, ...all.map((each) => each.before)]);
    bars.push(barOf(slot, after, kept ? "kept" : "added"));
  }
  if (before !== null && !isKept(before, [after, ...all.map((each) => each.after)])) {
    bars.push(barOf(slot, before, "removed"));
  }
  return bars;
}

function barOf(
  slot: "primary" | "secondary",
  { facts }: PlanCertificate,
  change: TimelineBar["change"],
): TimelineBar {
  if (facts === null) return { slot, change };
  const { commonName, notAfter, notBefore, sha256, subject } = facts;
  return {
    slot,
    change,
    certificate: {
      subjectCommonName: commonName,
      subject,
      sha256Thumbprint: sha256,
      notBefore,
      notAfter,
    },
  };
}
