/** The reference page of all fault codes, made from the table. */
import { FAULTS, type Severity } from "./fault-table";

const MEANING: Record<Severity, string> = {
  refusal: "refused",
  waivable: "refused unless waived",
  warning: "warned",
};

const INTRODUCTION = `# Fault codes

Every fault names its code, the place in the configuration, what was found there and what to do:
\`DPS-CERT-045 at individualEnrollments.device-1.primary.certificate: found …; fix: …\`. All faults of
a configuration are reported together, before anything is registered.

- **refused**: nothing is registered while it stands.
- **refused unless waived**: an entry of \`waivers\` with this code and path, a reason and a last day
  turns it into a warning.
- **warned**: reported, and stops nothing.

This page is made from \`certificates/fault-table.ts\`:
\`npx tsx docs/reference/write-fault-codes.ts\`.
`;

/** The whole page, with a final newline, as Prettier leaves it. */
export function faultTableMarkdown(): string {
  const sections = Object.entries(FAULTS).map(
    ([code, { title, severity, explanation }]) =>
      `## ${code}\n\n**${title}** (${MEANING[severity]})\n\n${explanation}\n`,
  );
  return [INTRODUCTION, ...sections].join("\n");
}
