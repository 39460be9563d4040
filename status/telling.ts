/** A status for people. */
import Table from "cli-table3";
import { duration } from "../certificates/fleet-rules";
import { devicesWords } from "../certificates/fleet-usage";
import { entryKey } from "../certificates/slots";
import { displayName, printable, someOf } from "../certificates/text";
import type { Reading } from "./history";
import type { CertificateStatus, Ending, EntryStatus, SlotStatus, Status } from "./status";

const MOST_NAMED = 20;
const MOST_READINGS = 10;

/** @param readings of the same service, this one last; empty: no history is kept */
export function told(status: Status, readings: readonly Reading[]): string {
  const now = Date.parse(status.readAt);
  const shown = status.entries.filter((entry) => isOfInterest(entry, status.ending));
  const others = status.entries.length - shown.length;
  return [
    ...(shown.length === 0 ? [] : [entryTable(shown, now)]),
    ...(others > 0
      ? [
          `${others === 1 ? "1 more individual enrollment" : `${others} more individual enrollments`}: one certificate each, nothing ends soon, no device at risk.`,
        ]
      : []),
    ...(status.entries.length === 0 ? ["There are no enrollments."] : []),
    ...shown.flatMap(rollLines),
    ...shown.flatMap((entry) => overTime(entry, readings)),
    ...caLines(status, now),
    endingLines(status, now),
    ...status.notRead.map((what) => `Not read: ${what}`),
  ].join("\n");
}

/* Thousands of individual enrollments in which nothing happens are counted. */
function isOfInterest(entry: EntryStatus, ending: readonly Ending[]): boolean {
  const { kind, id, rolling, devices } = entry;
  return (
    kind === "group" ||
    rolling ||
    devices.notKnown > 0 ||
    ending.some(({ where }) => where.startsWith(`individual enrollment ${id},`))
  );
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
function rollLines(entry: EntryStatus): string[] {
  const { rolling, devices, hubs, atRisk } = entry;
  if (!rolling || devices.onRecord === 0) return [];
  const share = Math.floor((100 * devices.onNew) / devices.onRecord);
  const progress = (counts: EntryStatus["devices"]): string =>
    `${counts.onNew} on the new certificate, ${counts.onOld} on the old one, ${counts.notKnown} not known`;
  return [
    "",
    `Roll of ${nameOf(entry)}: ${share} % done. ${devicesWords(devices.onRecord)} on record: ${progress(devices)}.`,
    ...(hubs.length > 1 ? hubs.map(({ hub, ...counts }) => `  ${hub}: ${progress(counts)}`) : []),
    ...(atRisk !== null && atRisk.onOld.length > 0
      ? [`  on the old one: ${someOf(atRisk.onOld, MOST_NAMED)}`]
      : []),
    ...(atRisk !== null && atRisk.notKnown.length > 0
      ? [`  not known: ${someOf(atRisk.notKnown, MOST_NAMED)}`]
      : []),
    devices.onOld + devices.notKnown === 0
      ? "  Every device has the new certificate: the old one can be retired."
      : `  Retiring the old one puts ${devicesWords(devices.onOld + devices.notKnown)} at risk.`,
  ];
}

function overTime(entry: EntryStatus, readings: readonly Reading[]): string[] {
  const { kind, id, rolling } = entry;
  const rows = readings.flatMap(({ readAt, entries }) => {
    const found = entries.find(({ key }) => key === entryKey(kind, id));
    return found === undefined ? [] : [{ readAt, ...found }];
  });
  // Before it began there was no old one and no new one.
  const during = rows.filter(({ slots }) => slots.join() === rows.at(-1)?.slots.join());
  if (!rolling || during.length < 2) return [];
  const table = new Table({
    head: [`${nameOf(entry)}, read at`, "on old", "on new", "not known"],
    style: { head: [], border: [] },
  });
  for (const { readAt, onOld, onNew, notKnown } of during.slice(-MOST_READINGS)) {
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
  return [`Ends within ${window}:`, ...ending.map(line)].join("\n");
}

function nameOf({ kind, id }: EntryStatus): string {
  return `${kind === "group" ? "group" : "individual enrollment"} ${displayName(id)}`;
}
