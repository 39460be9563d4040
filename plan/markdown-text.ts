/** Text in Markdown, so that it stays text: names from certificates are made by whoever made the certificate. */
import { printable } from "../certificates/text";

/** Whether a column's cells are numbers, and stand on the right. */
export type Column = readonly [title: string, kind?: "number"];

/**
 * A table of cells that are Markdown already. With a bar at both ends of every line: a line that begins with
 * `- |` is an item of a list.
 */
export function table(columns: readonly Column[], rows: (string | number)[][]): string {
  const line = (cells: (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map(([title]) => title)),
    line(columns.map(([, kind]) => (kind === "number" ? "-:" : "-"))),
    ...rows.map(line),
  ].join("\n");
}

const WORD_JOINER = "\u2060";

/** A name or value, in a code span: nothing in it is markup, a link or a mention. */
export function code(text: string): string {
  const shown = printable(text).replaceAll("|", "\\u{7c}");
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  const space = longest > 0 || shown === "" ? " " : "";
  return `${fence}${space}${shown}${space}${fence}`;
}

/**
 * A sentence of this project's, in which names stand between backticks or in the text: the first become
 * code spans, and nothing of the second is markup. One line whatever it holds.
 */
export function sentence(text: string): string {
  const parts = printable(text).split("`");
  // A backtick without its pair is not one of ours.
  if (parts.length % 2 === 0) return plain(printable(text));
  return parts
    .map((part, index) => (index % 2 === 0 ? plain(part) : part === "" ? "" : code(part)))
    .join("");
}

function plain(text: string): string {
  return (
    text
      .replace(/[\\`*_{}[\]<>#|~&$]/g, "\\$&")
      // What GitHub makes a link of by itself: addresses, mentions, references to issues.
      .replace(/:\/\//g, ":\\/\\/")
      .replace(/\bwww\./gi, `www${WORD_JOINER}.`)
      .replace(/@(?=\w)/g, `@${WORD_JOINER}`)
      .replace(/\\#(?=\w)/g, `\\#${WORD_JOINER}`)
  );
}
