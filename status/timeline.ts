/** A status as a timeline: what `--timeline` draws. */
import { entryKey } from "../certificates/slots";
import type { Timeline, TimelineBar, TimelineEvent } from "../plan/timeline";
import type { History } from "./history";
import type { EntryStatus, SlotStatus, Status } from "./status";

/** @param history of the same service; undefined: no rolls are shown as done */
export function timelineOf(status: Status, history?: History): Timeline {
  return {
    now: status.readAt,
    warnDays: status.windowSeconds / 86_400,
    entries: status.entries
      .filter(({ enabled }) => enabled)
      .map((entry) => ({
        name: `${entry.kind === "group" ? "enrollment group" : "individual enrollment"} ${entry.id}`,
        bars: entry.slots.flatMap((slot) => barOf(slot, entry)),
        events: [
          ...(history?.changesOf(entryKey(entry.kind, entry.id)) ?? []),
          ...plannedOf(entry),
        ],
      })),
  };
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
