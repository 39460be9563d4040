/** Which certificates end within a window. Pure; all times in milliseconds. */
import type { ReadEntry, StatusOptions } from "./roll-status";
import type { CaStatus, Ending } from "./status";

const UNITS: Record<string, number> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** `30d`, `12h`, `2w`; undefined for anything else. */
export function windowOf(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * UNITS[unit]!;
}

/** What ends until then or has ended, the soonest first. Nothing of disabled entries. */
export function endingOf(
  entries: readonly ReadEntry[],
  caCertificates: readonly CaStatus[],
  now: number,
  { windowMs, leavesWindowMs }: Pick<StatusOptions, "windowMs" | "leavesWindowMs">,
): Ending[] {
  const until = now + windowMs;
  const enabled = entries.filter(({ status }) => status.enabled);
  return [
    ...enabled.flatMap((entry) => [
      ...slotsEnding(entry, now, until),
      ...leavesEnding(entry, now, now + leavesWindowMs),
    ]),
    ...caCertificates.flatMap((ca) => caEnding(ca, enabled, now, until)),
  ].sort((one, other) => Date.parse(one.notAfter) - Date.parse(other.notAfter));
}

function slotsEnding({ status }: ReadEntry, now: number, until: number): Ending[] {
  const { devices, slots } = status;
  return slots.flatMap(({ name, role, subject, notAfter }) => {
    const end = notAfter === null ? Infinity : Date.parse(notAfter);
    if (notAfter === null || end > until) return [];
    const lasts = slots.some((other) => {
      const otherEnd = other.notAfter === null ? Infinity : Date.parse(other.notAfter);
      return other.name !== name && otherEnd > until;
    });
    const depending = role === "old" ? devices.onOld + devices.notKnown : devices.onRecord;
    const isCovered = role === "old" && lasts && depending === 0;
    return [
      {
        what: "slot" as const,
        where: `${entryName(status)}, ${name}`,
        subject,
        notAfter,
        devices: depending,
        urgency: isCovered ? ("covered" as const) : urgencyOf(end, now),
      },
    ];
  });
}

function leavesEnding({ status, leafEnds }: ReadEntry, now: number, until: number): Ending[] {
  const ends = leafEnds.filter((end) => end <= until);
  // An individual enrollment holds the leaf itself.
  if (ends.length === 0 || status.kind === "individual") return [];
  const first = Math.min(...ends);
  return [
    {
      what: "leaves",
      where: entryName(status),
      subject: null,
      notAfter: new Date(first).toISOString(),
      devices: ends.length,
      urgency: urgencyOf(first, now),
    },
  ];
}

/* What slots refer to was said there. What stands above a certificate in a slot, or may, is said here. */
function caEnding(
  { name, subject, notAfter, usedBy, usedByIsComplete }: CaStatus,
  enabled: readonly ReadEntry[],
  now: number,
  until: number,
): Ending[] {
  const end = notAfter === null ? Infinity : Date.parse(notAfter);
  if (notAfter === null || end > until) return [];
  const refers = enabled.filter(({ status: { slots } }) =>
    slots.some(({ ca }) => ca?.toLowerCase() === name.toLowerCase()),
  );
  if (usedBy.length > 0 && refers.length === usedBy.length) return [];
  const isUnused = usedBy.length === 0 && usedByIsComplete;
  return [
    {
      what: "ca",
      where: `CA certificate ${name}`,
      subject,
      notAfter,
      devices: 0,
      urgency: isUnused ? "covered" : urgencyOf(end, now),
    },
  ];
}

function urgencyOf(end: number, now: number): "ended" | "due" {
  return end <= now ? "ended" : "due";
}

/** As `Ending.where` begins: `group sensors`. */
export function entryName({ kind, id }: ReadEntry["status"]): string {
  return `${kind === "group" ? "group" : "individual enrollment"} ${id}`;
}
