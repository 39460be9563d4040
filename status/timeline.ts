/** A status as a timeline: what `--timeline` draws. */
import type { PastRoll } from "../certificates/past-rolls";
import { entryKey, entryPath } from "../certificates/slots";
import { doneEvents, type Timeline, type TimelineBar, type TimelineEvent } from "../plan/timeline";
import type { History } from "./history";
import type { EntryStatus, SlotStatus, Status } from "./status";

export interface Past {
  /** What the stack remembers, oldest first. */
  pastRolls?: readonly PastRoll[];
  /** Readings of the same service: for entries of which the stack remembers nothing. */
  history?: History;
}

/** @param past which rolls were done. Default: none is known */
export function timelineOf(status: Status, { pastRolls = [], history }: Past = {}): Timeline {
  return {
    now: status.readAt,
    warnDays: status.windowSeconds / 86_400,
    entries: status.entries
      .filter(({ enabled }) => enabled)
      .map((entry) => ({
        name: `${entry.kind === "group" ? "enrollment group" : "individual enrollment"} ${entry.id}`,
        bars: entry.slots.flatMap((slot) => barOf(slot, entry)),
        events: [...doneOf(entry, pastRolls, history), ...plannedOf(entry)],
      })),
  };
}

function doneOf(
  { kind, id }: EntryStatus,
  pastRolls: readonly PastRoll[],
  history: History | undefined,
): TimelineEvent[] {
  const path = entryPath(kind, id);
  const remembered = pastRolls.filter(({ entry }) => entry === path);
  return remembered.length === 0
    ? (history?.changesOf(entryKey(kind, id)) ?? [])
    : doneEvents(remembered);
}

function barOf(slot: SlotStatus, { devices }: EntryStatus): TimelineBar[] {
  const { name, subject, notBefore, notAfter, sha256Thumbprint, ca } = slot;
  if (notAfter === null) return [];
  return [
    {
      slot: name,
      change: "kept",
      devices: slot.role === "old" ? devices.onOld : devices.onNew,
      certificate: {
        subjectCommonName: /^CN=([^,+]+)/.exec(subject ?? "")?.[1] ?? ca ?? "",
        subject: subject ?? ca ?? "",
        sha256Thumbprint: sha256Thumbprint ?? "",
        // The resource manager does not say when a CA certificate begins.
        notBefore: notBefore ?? new Date(0).toISOString(),
        notAfter,
      },
    },
  ];
}

/* An overlap has to be over when the old certificate ends. */
function plannedOf({ slots }: EntryStatus): TimelineEvent[] {
  return slots.flatMap(({ role, notAfter }) =>
    role === "old" && notAfter !== null
      ? [{ at: notAfter, words: "retire the old one by then", done: false }]
      : [],
  );
}
