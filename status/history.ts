/**
 * Readings over time: a file with one JSON object a line, to which a run adds one. A line has what is
 * different from the reading before it, and a reading without a difference is added once a day: so the file
 * grows with what happens, not with how often somebody looks. It knows nothing of stacks: a service is told
 * by its host name, and one file may hold several.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { entryKey } from "../certificates/slots";
import type { TimelineEvent } from "../plan/timeline";
import type { DeviceCounts, Status } from "./status";

/** A line of the file. */
export interface HistoryLine {
  version: 1;
  /** ISO 8601. */
  readAt: string;
  /** Host name. */
  service: string;
  /** Entries that are not as they were in the reading of this service before; at first all. */
  entries: ReadingOfEntry[];
  /** Keys of entries that are not there any more. Absent: none. */
  gone?: string[];
}

export interface ReadingOfEntry extends DeviceCounts {
  /** `group:sensors`. */
  key: string;
  /** What stood in the slots: thumbprints, or names of CA certificates. */
  slots: string[];
}

export class HistoryError extends Error {
  override readonly name = "HistoryError";
}

const UNCHANGED_AGAIN_MS = 86_400_000;

/** The readings of one service, in the order in which they were made. */
export class History {
  readonly readAt: string[] = [];
  /** By key: from which reading on an entry was so; undefined: not there. */
  private readonly states = new Map<string, { from: number; row: ReadingOfEntry | undefined }[]>();

  add({ readAt, entries, gone = [] }: Omit<HistoryLine, "version" | "service">): void {
    const from = this.readAt.push(readAt) - 1;
    for (const row of entries) this.put(row.key, from, row);
    for (const key of gone) this.put(key, from, undefined);
  }

  /** How an entry was at a reading, by the reading's number. */
  at(key: string, reading: number): ReadingOfEntry | undefined {
    return this.states.get(key)?.findLast(({ from }) => from <= reading)?.row;
  }

  /** What a line about this reading has to say. */
  difference(rows: readonly ReadingOfEntry[]): Pick<HistoryLine, "entries" | "gone"> {
    const last = this.readAt.length - 1;
    const keys = new Set(rows.map(({ key }) => key));
    const gone = [...this.states.keys()].filter(
      (key) => !keys.has(key) && this.at(key, last) !== undefined,
    );
    return {
      entries: rows.filter((row) => !isDeepStrictEqual(row, this.at(row.key, last))),
      ...(gone.length > 0 && { gone }),
    };
  }

  /** When what stands in an entry's slots was seen to have changed: a roll was done since the reading before. */
  changesOf(key: string): TimelineEvent[] {
    const states = this.states.get(key) ?? [];
    return states.slice(1).flatMap(({ from, row }, index) => {
      const before = states[index]!.row?.slots ?? [];
      const slots = row?.slots ?? [];
      const added = slots.filter((slot) => !before.includes(slot)).length;
      const gone = before.filter((slot) => !slots.includes(slot)).length;
      if (before.length === 0 || added + gone === 0) return [];
      const words = added === 0 ? "retire" : gone === 0 ? "prepare" : "replace";
      return [{ at: this.readAt[from]!, words, done: true }];
    });
  }

  private put(key: string, from: number, row: ReadingOfEntry | undefined): void {
    const states = this.states.get(key);
    if (states === undefined) this.states.set(key, [{ from, row }]);
    else states.push({ from, row });
  }
}

/** Adds this reading to the file, where it says something; resolves to all of this service, this one last. */
export function record(file: string, status: Status): History {
  const history = readHistory(file, status.service);
  const { readAt, service } = status;
  const last = history.readAt.at(-1);
  const difference = history.difference(rowsOf(status));
  const isSame = difference.entries.length === 0 && difference.gone === undefined;
  if (
    !isSame ||
    last === undefined ||
    Date.parse(readAt) - Date.parse(last) >= UNCHANGED_AGAIN_MS
  ) {
    const line: HistoryLine = { version: 1, readAt, service, ...difference };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  }
  history.add({ readAt, ...difference });
  return history;
}

function rowsOf({ entries }: Status): ReadingOfEntry[] {
  return entries.map(({ kind, id, slots, devices }) => ({
    key: entryKey(kind, id),
    slots: slots.map(
      ({ ca, sha1Thumbprint, sha256Thumbprint }) =>
        sha256Thumbprint ?? sha1Thumbprint ?? ca ?? "unknown",
    ),
    ...devices,
  }));
}

/** Empty when there is no such file. */
function readHistory(file: string, service: string): History {
  const history = new History();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return history;
    throw new HistoryError(`${file} cannot be read: ${(error as Error).message}`);
  }
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = parsed(line);
    if (read?.version !== 1 || !Array.isArray(read.entries)) {
      throw new HistoryError(
        `${file}, line ${index + 1}, is no reading of version 1. Nothing was added; give another file, or mend the line.`,
      );
    }
    if (read.service === service) history.add(read);
  }
  return history;
}

function parsed(line: string): HistoryLine | undefined {
  try {
    return JSON.parse(line) as HistoryLine;
  } catch {
    return undefined;
  }
}
