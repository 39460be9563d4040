/** Writes sandbox-switches.md beside it. A script, not for import. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { switchesPage } from "../../sandbox/common/switches";

writeFileSync(join(__dirname, "sandbox-switches.md"), switchesPage());
