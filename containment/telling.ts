/** What a containment came to, for a person. */
import { nameOf } from "../dynamic-providers/breach-containment/closing";
import type { Closed, Outcome } from "./contain";
import { isClean, type Registration, type Report } from "./report";
import type { Sought } from "./sought";

/** Exit codes of `npm run contain`; documented in its help. */
export const EXIT = {
  /** Everything that admits it is closed, as a read shows. */
  closed: 0,
  /** It failed; what was closed until then was said. */
  failed: 1,
  /** What was given cannot be understood, and nothing was done. */
  usage: 2,
  /** What was found is closed, but something could not be looked at. */
  unseen: 3,
  /** Nothing admits it, so nothing was changed. */
  nothing: 4,
  /** Dry run: something is open that a run would close. Report: something still holds the key. */
  open: 5,
} as const;

export function exitCode({ entries, unseen }: Outcome): number {
  if (entries.some(({ how }) => how === "to be closed" || how === "to be made")) return EXIT.open;
  if (unseen.length > 0) return EXIT.unseen;
  return entries.length === 0 ? EXIT.nothing : EXIT.closed;
}

export function told(sought: Sought, outcome: Outcome, dryRun: boolean): string {
  const { entries, unseen, notes } = outcome;
  const heading =
    entries.length === 0
      ? `No entry that DPS shows admits ${sought.words}. Nothing was changed.`
      : dryRun
        ? `A run would see to these entries, so that ${sought.words} is not admitted:`
        : `Read back: ${sought.words} is not admitted by any of these entries.`;
  return [
    heading,
    ...entries.map((entry) => `  ${line(entry)}`),
    ...unseen.map((text) => `Not seen: ${text}`),
    ...notes.map((text) => `Note: ${text}`),
    ...(entries.length === 0 || dryRun ? [] : [AFTERWARDS]),
  ].join("\n");
}

const AFTERWARDS =
  "Devices that are in a hub stay there, and connected. Name the certificate in `compromised` (or the ID in `denied`) of the stack: `pulumi up` goes on from here, replaces and removes. " +
  "To undo this, enable the entry in DPS again, or delete one that was made.";

function line(entry: Closed): string {
  const { how, why, since } = entry;
  const time = since === undefined || how === "to be closed" ? "" : `, disabled since ${since}`;
  return `${how}: ${nameOf(entry)}${time} (${why})`;
}

/** The closing report of a breach, for a person. */
export function toldReport(sought: Sought, one: Report, hasKnownIds: boolean): string {
  const open = one.entries.filter(({ how }) => how === "to be closed");
  const shut = one.entries.filter(({ how }) => how !== "to be closed");
  const names = (records: Registration[]): string[] =>
    records.map(
      ({ registrationId, entry, created, lastUpdated }) =>
        `${registrationId} through "${entry}", first registered ${created}, last ${lastUpdated}`,
    );
  const unknown = hasKnownIds
    ? "Registrations in the window under IDs that nobody knows"
    : "Registrations in the window (no --known-ids was given, so only those of individual enrollments count as known)";
  return [
    `Closing report of ${sought.words}: ${isClean(one) ? "nothing that could be seen holds it" : "NOT CLOSED"}.`,
    ...section("Open entries that admit it", open.map(line)),
    ...section("CA certificates of the DPS that have it", one.caCertificates),
    ...section("CA certificates of linked hubs that have it", one.hubCaCertificates),
    ...section("Device identities with it", one.identities),
    ...section("Disabled entries that still hold it", shut.map(line)),
    ...section(unknown, names(one.unknown)),
    ...section("Not registered again since the cut-off", names(one.stragglers)),
    ...section("Not seen", one.unseen),
    ...section("What undoes each step", one.undo),
  ].join("\n");
}

function section(heading: string, lines: string[]): string[] {
  return lines.length === 0
    ? [`${heading}: none.`]
    : [`${heading}:`, ...lines.map((one) => `  ${one}`)];
}

/** As `exitCode`, of a report. */
export function reportExitCode(one: Report): number {
  if (!isClean(one)) return EXIT.open;
  return one.unseen.length > 0 ? EXIT.unseen : EXIT.closed;
}
