/**
 * Command line: `npm run state-copy -- --stack prod --to <folder>`. Prints what a preview of the copy needs,
 * as `NAME=value` lines (for a workflow's environment file), and what it did on the standard error.
 */
import { resolve } from "node:path";
import { Command } from "commander";
import { copyState } from "./state-copy";

async function main(): Promise<void> {
  const { stack, to } = new Command("state-copy")
    .description(
      "Copies a stack without its secrets, so that `pulumi preview` needs no passphrase and only reads.",
    )
    .requiredOption("--stack <name>", "stack of the current backend")
    .requiredOption("--to <folder>", "where the copy goes")
    .parse()
    .opts<{ stack: string; to: string }>();
  const folder = resolve(to);
  const { variables, stacks, missing } = await copyState(process.cwd(), stack, folder);
  for (const [name, value] of Object.entries(variables)) console.log(`${name}=${value}`);
  console.error(`Copied ${stacks.join(", ")} to ${folder}, without secrets.`);
  if (missing !== undefined) console.error(`warning: stack ${missing}, before it, does not exist.`);
  console.error(`Preview with --config-file ${resolve(folder, `Pulumi.${stack}.yaml`)}`);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
