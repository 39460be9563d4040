/**
 * Command line: `npm run plan`, and `dps-plan` where the package is installed. The plan of a change for
 * reviewers: what `pulumi preview` says, what the service and its hubs hold, and what becomes of the devices.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { ServiceError } from "../clients/service-error";
import { describeTarget } from "../clients/target";
import { askTargetTime, targetNow } from "../clients/target-time";
import { endWith } from "../containment/command-ending";
import { issuedLeavesOf } from "../dynamic-providers/device-registration-removal/issued-leaves-file";
import { buildPlan } from "./build";
import { html } from "./html";
import { type Inventory, readInventory } from "./inventory";
import { markdown } from "./markdown";
import type { Plan } from "./model";
import { timelineOf } from "./plan-timeline";
import { type Preview, preview } from "./preview";
import { timelineSvg } from "./timeline-svg";

export const EXIT = { plan: 0, failed: 1, usage: 2, refused: 3 } as const;

interface Flags {
  stack?: string;
  cwd?: string;
  configFile?: string;
  format: "markdown" | "json" | "html";
  markdown?: string;
  json?: string;
  html?: string;
  timeline?: string;
  deviceNames: boolean;
}

const HELP = `
It reads and changes nothing: the engine previews, and the service and its hubs are asked what they hold.
The identity that DefaultAzureCredential finds may be one that can only read. The stack that is selected
stays selected.

Exit codes:
  0  the plan of a change that can be carried out
  1  it failed, and there is no plan; or the preview broke off, and the plan is not complete
  2  what was given cannot be understood
  3  the change is refused; the plan says why

Examples:
  npm run -s plan -- --stack dev
  npm run -s plan -- --stack prod --no-device-names --html plan.html --json plan.json > comment.md
`;

function commandLine(): Command {
  return new Command("plan")
    .description("The plan of a change of certificates, for reviewers.")
    .option("--stack <name>", "the stack; default: the selected one")
    .option("--cwd <folder>", "folder of the program (Pulumi.yaml); default: this one")
    .option("--config-file <file>", "configuration of the stack, instead of its own")
    .addOption(
      new Option("--format <format>", "what is printed")
        .choices(["markdown", "json", "html"])
        .default("markdown"),
    )
    .option("--markdown <file>", "write Markdown for a comment on a pull request to a file as well")
    .option("--json <file>", "write the plan as JSON (plan/plan.schema.json) to a file as well")
    .option("--html <file>", "write one HTML page to a file as well")
    .option("--timeline <file>", "write the picture of the certificates over time (SVG) to a file")
    .option("--no-device-names", "leave out the names of devices; they are counted")
    .addHelpText("after", HELP)
    .exitOverride();
}

async function main(): Promise<number> {
  const flags = commandLine().parse().opts<Flags>();
  const files = Object.fromEntries(
    (["markdown", "json", "html", "timeline", "configFile"] as const).flatMap((name) => {
      const file = flags[name];
      return file === undefined ? [] : [[name, resolve(file)]];
    }),
  ) as Pick<Flags, "markdown" | "json" | "html" | "timeline" | "configFile">;
  // A manifest of issued leaves is named relative to the program.
  if (flags.cwd !== undefined) process.chdir(flags.cwd);
  const { configFile } = files;
  tell("Previewing: the engine also reads the devices that the change concerns.");
  const shown = await preview({
    program: process.cwd(),
    ...(flags.stack !== undefined && { stack: flags.stack }),
    ...(configFile !== undefined && { configFile }),
  });
  tell(`Previewed stack ${shown.stack} in ${shown.seconds.toFixed(1)} s.`);
  const plan = await planOf(shown, flags.deviceNames);
  const renderings: Record<string, () => string> = {
    markdown: () => markdown(plan),
    json: () => `${JSON.stringify(plan, null, 2)}\n`,
    html: () => html(plan),
    timeline: () => timelineSvg(timelineOf(plan)),
  };
  for (const name of ["markdown", "json", "html", "timeline"] as const) {
    const file = files[name];
    if (file !== undefined) writeFileSync(file, renderings[name]!());
  }
  process.stdout.write(renderings[flags.format]!());
  return { refused: EXIT.refused, failed: EXIT.failed, changes: EXIT.plan, nothing: EXIT.plan }[
    plan.verdict
  ];
}

async function planOf(shown: Preview, deviceNames: boolean): Promise<Plan> {
  const { connection } = shown;
  const common = { preview: shown, deviceNames };
  if (connection === undefined) {
    const notRead = "There is no service yet that could be read: no device is on record.";
    return buildPlan({ ...common, inventory: undefined, notRead, now: targetNow() });
  }
  tell(describeTarget(connection.target));
  const clock = await askTargetTime(connection.target);
  if (clock !== undefined) tell(`warning: ${clock}`);
  const issued = issuedLeavesOf(
    shown.judgements.findLast((each) => each.by === "manifest")?.issuedLeaves,
  );
  const started = performance.now();
  let inventory: Inventory | undefined;
  let notRead: string | undefined;
  try {
    inventory = await readInventory(connection, { issued, say: tell });
    tell(
      `Read ${inventory.devices.length} devices on record in ${((performance.now() - started) / 1000).toFixed(1)} s.`,
    );
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    notRead = `The service was not read, so nothing is said of its devices: ${error.message}`;
    tell(`warning: ${notRead}`);
  }
  return buildPlan({
    ...common,
    inventory,
    issued,
    ...(notRead !== undefined && { notRead }),
    now: targetNow(),
  });
}

/** Where it does not disturb what programs read. */
function tell(text: string): void {
  console.error(text);
}

endWith(main(), EXIT, []);
