/** From what stands on the command line to procedures. */
import type { Procedure } from "./procedures/procedure";

/** A name that no procedure has. */
export class UnknownProcedureError extends Error {
  override readonly name = "UnknownProcedureError";
}

/**
 * `P4` is the procedure and its variants, `P4-both-slots` one of them, `all` those of P1 to P12, `kills`
 * those that are killed half way; in the order of the catalogue, each once, whatever the case of the
 * names.
 */
export function select(catalogue: Procedure[], names: string[]): Procedure[] {
  const wanted = names.map((name) => ({ name, folded: name.toLowerCase() }));
  const isWanted = (procedure: Procedure, folded: string): boolean =>
    (folded === "all" && procedure.of.some((one) => /^P\d+$/.test(one))) ||
    [procedure.name, ...procedure.of].some((name) => name.toLowerCase() === folded);
  const unknown = wanted.filter(
    ({ folded }) => !catalogue.some((procedure) => isWanted(procedure, folded)),
  );
  if (unknown.length > 0) {
    const list = unknown.map(({ name }) => `"${name}"`).join(", ");
    throw new UnknownProcedureError(
      `${list}: no such procedure. P1 to P12, all, kills, or one of those that --list shows.`,
    );
  }
  return catalogue.filter((procedure) => wanted.some(({ folded }) => isWanted(procedure, folded)));
}

/** A line for each: its name and what it is. */
export function listOf(catalogue: Procedure[]): string {
  const width = Math.max(...catalogue.map(({ name }) => name.length));
  return catalogue.map(({ name, title }) => `${name.padEnd(width)}  ${title}`).join("\n");
}
