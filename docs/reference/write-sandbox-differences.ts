/** Writes sandbox-differences.md beside it. A script, not for import. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { page } from "./sandbox-assumptions";

writeFileSync(join(__dirname, "sandbox-differences.md"), page());
