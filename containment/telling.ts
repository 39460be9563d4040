/** What a containment came to, for a person. */
import { type Closed, nameOf, type Outcome } from "./contain";
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
  /** Dry run: something is open that a run would close. */
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
