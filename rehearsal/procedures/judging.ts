/** Judgements that several procedures make. */
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
