/** Tests named by file and title, for tables that say which test shows something. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A file below test/sandbox, and the title of a test or the name of a zoo's row in it. */
export type Place = readonly [file: string, title: string];

/** Is there such a test? */
export function isThere([file, title]: Place): boolean {
  const text = readFileSync(join(__dirname, "..", file), "utf8");
  return text.includes(`"${title}"`) || text.includes(`\`${title}\``);
}
