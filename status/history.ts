/**
 * Readings over time: a file with one JSON object a line, `{ version, readAt, service, entries }`, to which
 * each run adds one. It knows nothing of stacks: a service is told by its host name, and one file may
 * hold several.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { entryKey } from "../certificates/slots";
import type { TimelineEvent } from "../plan/timeline";
import type { DeviceCounts, Status } from "./status";

export interface Reading {
  version: 1;
  /** ISO 8601. */
  readAt: string;
  /** Host name. */
  service: string;
  entries: ReadingOfEntry[];
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

export function readingOf({ readAt, service, entries }: Status): Reading {
  return {
    version: 1,
    readAt,
    service,
    entries: entries.map(({ kind, id, slots, devices }) => ({
      key: entryKey(kind, id),
      slots: slots.map(
        ({ ca, sha1Thumbprint, sha256Thumbprint }) =>
          sha256Thumbprint ?? sha1Thumbprint ?? ca ?? "unknown",
      ),
      ...devices,
    })),
  };
}

/** Adds this reading; resolves to all of this service, in the order of their time. */
export function record(file: string, status: Status): Reading[] {
  const before = readHistory(file);
  const reading = readingOf(status);
  appendFileSync(file, `${JSON.stringify(reading)}\n`);
  return [...before, reading]
    .filter(({ service }) => service === status.service)
    .sort((one, other) => Date.parse(one.readAt) - Date.parse(other.readAt));
}

/** Empty when there is no such file. */
function readHistory(file: string): Reading[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new HistoryError(`${file} cannot be read: ${(error as Error).message}`);
  }
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const reading = parsed(line);
    if (reading?.version !== 1 || !Array.isArray(reading.entries)) {
      throw new HistoryError(
        `${file}, line ${index + 1}, is no reading of version 1. Nothing was added; give another file, or mend the line.`,
      );
    }
    return [reading];
  });
}

function parsed(line: string): Reading | undefined {
  try {
    return JSON.parse(line) as Reading;
  } catch {
    return undefined;
  }
}

/** When what stands in an entry's slots was seen to have changed: a roll was done since the reading before. */
export function changesOf(readings: readonly Reading[], key: string): TimelineEvent[] {
  const events: TimelineEvent[] = [];
  let before: string[] | undefined;
  for (const { readAt, entries } of readings) {
    const slots = entries.find((entry) => entry.key === key)?.slots ?? [];
    if (before !== undefined && before.length > 0) {
      const added = slots.filter((slot) => !before!.includes(slot)).length;
      const gone = before.filter((slot) => !slots.includes(slot)).length;
      if (added > 0 || gone > 0) {
        const words = added === 0 ? "retire" : gone === 0 ? "prepare" : "replace";
        events.push({ at: readAt, words, done: true });
      }
    }
    before = slots;
  }
  return events;
}
