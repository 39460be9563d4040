/** Writes fault-codes.md beside it. A script, not for import. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { faultTableMarkdown } from "../../certificates/fault-table-markdown";

writeFileSync(join(__dirname, "fault-codes.md"), faultTableMarkdown());
