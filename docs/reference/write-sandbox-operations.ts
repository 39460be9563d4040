/** Writes sandbox-operations.md beside it. A script, not for import. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { supportPage } from "../../sandbox/support-matrix";

writeFileSync(join(__dirname, "sandbox-operations.md"), supportPage());
