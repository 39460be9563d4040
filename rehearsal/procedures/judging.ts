/** Judgements that several procedures make. */
import { type Edit, set } from "../configuration";
import type { Rehearsal } from "../rehearsal";
import type { Course } from "./course";
import type { Roll } from "./rolls";

/** Pulumi says in words what a change is, entry by entry. */
export function declareEach(
  course: Course,
  { entries }: Pick<Roll, "entries">,
  phase: string,
  printed: string,
  kind = "expiration",
): void {
  const unsaid = entries.filter((entry) => !printed.includes(`${kind} roll of ${entry}: ${phase}`));
  course.hold(
    `Pulumi calls it by its name: ${kind} roll, ${phase}`,
    entries.length > 0 && unsaid.length === 0,
    unsaid.length === 0 ? entries.join(", ") : `not said of ${unsaid.join(", ")}`,
  );
}

/** A change is refused at the preview, with the code that says why, and nothing has been written. */
export async function refuses(
  rehearsal: Rehearsal,
  course: Course,
  what: string,
  edits: Edit[],
  expected: { code: string; words: string[] },
): Promise<void> {
  const written = course.window.moments.length;
  const message = await rehearsal.refused(what, edits);
  const line = message?.split("\n").find((each) => each.includes(expected.code));
  const unsaid = expected.words.filter((word) => line?.includes(word) !== true);
  course.hold(
    `${what}: refused before anything is written (${expected.code})`,
    line !== undefined && unsaid.length === 0 && course.window.moments.length === written,
    line?.trim() ??
      (message === undefined ? "not refused" : message.split("\n").slice(-6).join(" ")),
  );
}

/** Waivable faults are accepted until tomorrow. */
export function waive(
  rehearsal: Rehearsal,
  reason: string,
  faults: { code: string; path: string }[],
): Edit {
  const before = (rehearsal.configured("waivers") ?? []) as object[];
  const until = new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
  return set(["waivers"], [...before, ...faults.map((fault) => ({ ...fault, reason, until }))]);
}
