/** A status for people. */
import Table from "cli-table3";
import { duration } from "../certificates/fleet-rules";
import { devicesWords } from "../certificates/fleet-usage";
import { entryKey } from "../certificates/slots";
import { displayName, printable, someOf } from "../certificates/text";
import { entryName } from "./ending";
import type { History } from "./history";
import type {
  CertificateStatus,
  DeviceCounts,
  Ending,
  EntryStatus,
  SlotStatus,
  Status,
} from "./status";

const MOST_NAMED = 20;
const MOST_READINGS = 10;
/** Entries that are shown one by one; the rest is counted. */
const MOST_SHOWN = 20;
/** So many rolls of individual enrollments are told one by one, more of them as one. */
const MOST_SINGLE_ROLLS = 3;
const MOST_ENDING = 20;

/** @param history of the same service, this reading last; undefined: none is kept */
export function told(status: Status, history?: History): string {
  const now = Date.parse(status.readAt);
  const { shown, rest } = selection(status);
  return [
    ...(shown.length === 0 ? [] : [entryTable(shown, now)]),
    ...rest,
    ...(status.entries.length === 0 ? ["There are no enrollments."] : []),
    ...rollsOf(status.entries, shown).flatMap((roll) => [
      ...rollLines(roll),
      ...(history === undefined ? [] : overTime(roll, history)),
    ]),
    ...caLines(status, now),
    endingLines(status, now),
    ...status.notRead.map((what) => `Not read: ${what}`),
  ].join("\n");
}

/** What is shown, in the order of DPS, and lines about what is not. */
function selection({ entries, ending }: Status): { shown: EntryStatus[]; rest: string[] } {
  const withEnd = new Set(ending.map(({ where }) => where.replace(/, (primary|secondary)$/, "")));
  const isBusy = (entry: EntryStatus): boolean =>
    entry.rolling || entry.devices.notKnown > 0 || withEnd.has(entryName(entry));
  const busy = entries.filter(isBusy);
  const quiet = entries.filter((entry) => !isBusy(entry));
  // Thousands of individual enrollments in which nothing happens are counted.
  const candidates = [...busy, ...quiet.filter(({ kind }) => kind === "group")];
  const chosen = new Set(candidates.slice(0, MOST_SHOWN));
  const left = candidates.filter((entry) => !chosen.has(entry));
  const individuals = quiet.filter(({ kind }) => kind === "individual").length;
  const rest = [
    ...(left.length === 0 ? [] : [leftWords(left, left.filter(isBusy).length)]),
    ...(individuals === 0
      ? []
      : [
          `${countOf(individuals, "more individual enrollment")}: one certificate each, nothing ends soon, no device at risk.`,
        ]),
  ];
  return { shown: entries.filter((entry) => chosen.has(entry)), rest };
}

function leftWords(left: EntryStatus[], busy: number): string {
  const groups = left.filter(({ kind }) => kind === "group").length;
  const kinds = [
    ...(groups > 0 ? [countOf(groups, "group")] : []),
    ...(left.length > groups ? [countOf(left.length - groups, "individual enrollment")] : []),
  ].join(" and ");
  return `Not in the table: ${kinds}, ${busy} of them in a roll, with a certificate that ends soon, or with devices not known (--json has all).`;
}

/** Enrollments whose roll is told together. */
interface TogetherRolled {
  name: string;
  entries: EntryStatus[];
}

/** Groups that are shown, one by one; individual enrollments all, as one when there are many. */
function rollsOf(all: EntryStatus[], shown: EntryStatus[]): TogetherRolled[] {
  const singles = all.filter(({ kind, rolling }) => kind === "individual" && rolling);
  const together = singles.length > MOST_SINGLE_ROLLS;
  const alone = shown.filter(
    ({ kind, rolling }) => rolling && !(together && kind === "individual"),
  );
  return [
    ...alone.map((entry) => ({ name: nameOf(entry), entries: [entry] })),
    ...(together
      ? [{ name: countOf(singles.length, "individual enrollment"), entries: singles }]
      : []),
  ];
}

function entryTable(entries: readonly EntryStatus[], now: number): string {
  const table = new Table({
    head: ["entry", "slot", "certificate", "ends", "devices"],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [28, 16, 44, 27, 10],
  });
  for (const entry of entries) {
    const { slots, devices, enabled } = entry;
    const name = `${nameOf(entry)}${enabled ? "" : " (disabled)"}`;
    slots.forEach((slot, index) =>
      table.push([
        index === 0 ? name : "",
        slot.role === "only" ? slot.name : `${slot.name}, ${slot.role}`,
        certificateWords(slot),
        endWords(slot.notAfter, now),
        String(slot.role === "old" ? devices.onOld : devices.onNew),
      ]),
    );
    const rest = slots.length === 0 ? [name, "none", ""] : ["", "", ""];
    if (devices.notKnown > 0 || slots.length === 0) {
      table.push([...rest, "not known", String(devices.notKnown)]);
    }
  }
  return table.toString();
}

function certificateWords({ ca, subject, sha1Thumbprint, sha256Thumbprint }: SlotStatus): string {
  const thumbprint =
    sha256Thumbprint === null
      ? sha1Thumbprint && `SHA-1 ${sha1Thumbprint.slice(0, 8)}…`
      : `SHA-256 ${sha256Thumbprint.slice(0, 8)}…`;
  return [
    ...(ca === null ? [] : [`CA ${displayName(ca)}:`]),
    subject === null ? "not in the service" : displayName(subject),
    ...(thumbprint === null ? [] : [`(${thumbprint})`]),
  ].join(" ");
}

function endWords(notAfter: CertificateStatus["notAfter"], now: number): string {
  if (notAfter === null) return "not known";
  const left = Date.parse(notAfter) - now;
  const when = left <= 0 ? "ENDED" : `in ${duration(left)}`;
  return `${notAfter.slice(0, 10)} (${when})`;
}

/** How far a roll is, by hub, and who is behind. */
function rollLines({ name, entries }: TogetherRolled): string[] {
  const devices = sumOf(entries.map((entry) => entry.devices));
  if (devices.onRecord === 0) return [];
  const share = Math.floor((100 * devices.onNew) / devices.onRecord);
  const progress = (counts: DeviceCounts): string =>
    `${counts.onNew} on the new certificate, ${counts.onOld} on the old one, ${counts.notKnown} not known`;
  const counts = entries.flatMap(({ hubs }) => hubs);
  const hubs = [...new Set(counts.map(({ hub }) => hub))].sort();
  const inHub = (name: string): DeviceCounts => sumOf(counts.filter(({ hub }) => hub === name));
  const named = (of: "onOld" | "notKnown", words: string): string[] => {
    const ids = entries.flatMap(({ atRisk }) => atRisk?.[of] ?? []);
    return ids.length === 0 ? [] : [`  ${words}: ${someOf(ids, MOST_NAMED)}`];
  };
  return [
    "",
    `Roll of ${name}: ${share} % done. ${devicesWords(devices.onRecord)} on record: ${progress(devices)}.`,
    ...(hubs.length > 1 ? hubs.map((hub) => `  ${hub}: ${progress(inHub(hub))}`) : []),
    ...named("onOld", "on the old one"),
    ...named("notKnown", "not known"),
    devices.onOld + devices.notKnown === 0
      ? "  Every device has the new certificate: the old one can be retired."
      : `  Retiring the old one puts ${devicesWords(devices.onOld + devices.notKnown)} at risk.`,
  ];
}

function sumOf(counts: readonly DeviceCounts[]): DeviceCounts {
  const sum = { onRecord: 0, onOld: 0, onNew: 0, notKnown: 0 };
  for (const each of counts) {
    sum.onRecord += each.onRecord;
    sum.onOld += each.onOld;
    sum.onNew += each.onNew;
    sum.notKnown += each.notKnown;
  }
  return sum;
}

function overTime({ name, entries }: TogetherRolled, history: History): string[] {
  const keys = entries.map(({ kind, id }) => entryKey(kind, id));
  const last = history.readAt.length - 1;
  const first = Math.max(0, last - MOST_READINGS + 1);
  const during = history.readAt.slice(first).flatMap((readAt, index) => {
    // Before it began there was no old one and no new one.
    const rows = keys.flatMap((key) => {
      const row = history.at(key, first + index);
      return row?.slots.join() === history.at(key, last)?.slots.join() ? (row ?? []) : [];
    });
    return rows.length === 0 ? [] : [{ readAt, ...sumOf(rows) }];
  });
  if (during.length < 2) return [];
  const table = new Table({
    head: [`${name}, read at`, "on old", "on new", "not known"],
    style: { head: [], border: [] },
  });
  for (const { readAt, onOld, onNew, notKnown } of during) {
    table.push(
      [`${readAt.slice(0, 16).replace("T", " ")} UTC`, onOld, onNew, notKnown].map(String),
    );
  }
  return [table.toString()];
}

function caLines({ caCertificates, caEntries }: Status, now: number): string[] {
  return [
    "",
    `CA certificates of the service: ${caEntries.used} of ${caEntries.limit}.`,
    ...caCertificates.map(
      ({ name, verified, notAfter, usedBy, usedByIsComplete }) =>
        `  ${displayName(name)}: ${verified ? "verified" : "NOT VERIFIED"}, ends ${endWords(notAfter, now)}, ` +
        (usedBy.length > 0
          ? `used by ${someOf(usedBy, 5)}`
          : usedByIsComplete
            ? "used by nothing"
            : "who uses it is not known"),
    ),
  ];
}

function endingLines({ ending, windowSeconds }: Status, now: number): string {
  const window = duration(windowSeconds * 1000);
  if (ending.length === 0) return `Nothing ends within ${window}.`;
  const line = ({ what, where, notAfter, devices, urgency }: Ending): string => {
    const whose =
      what === "leaves"
        ? `leaves of ${devicesWords(devices)} below ${printable(where)}, the first`
        : printable(where);
    const depending =
      urgency === "covered"
        ? ", and nothing depends on it"
        : what === "slot"
          ? `, ${devices === 0 ? "no device on record" : `${devicesWords(devices)} on record ${devices === 1 ? "depends" : "depend"} on it, or may`}`
          : "";
    return `  ${whose}: ${endWords(notAfter, now)}${depending}`;
  };
  const more = ending.slice(MOST_ENDING);
  return [
    `Ends within ${window}:`,
    ...ending.slice(0, MOST_ENDING).map(line),
    ...(more.length === 0
      ? []
      : [`  and ${more.length} more, the next of them ${more[0]!.notAfter.slice(0, 10)}`]),
  ].join("\n");
}

function nameOf({ kind, id }: EntryStatus): string {
  return `${kind === "group" ? "group" : "individual enrollment"} ${displayName(id)}`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
