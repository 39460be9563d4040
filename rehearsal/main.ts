/** `npm run rehearse -- P4`: procedures of a roll, each in a fresh sandbox, or `all` of them. */
import { Command } from "commander";
import { catalogue } from "./catalogue";
import { listOf, select, UnknownProcedureError } from "./selection";
import { exitWith, toVerdict } from "./verdict";

async function main(): Promise<number> {
  const command = new Command("rehearse")
    .description(
      "Rehearses procedures of a certificate roll on the real Pulumi engine with real device clients, in a sandbox that is thrown away. Exit code 0: every rule held.",
    )
    .argument("[procedures...]", "P1 to P12, a variant by its name, all, or kills")
    .option(
      "--adopted",
      "service, hubs, CA certificates and entries are made by hand before, and taken over",
    )
    .option("--at-once <n>", "sandboxes that run at once, at most (default: 3)", Number)
    .option("--verbose", "print what devices, rules and the engine say, line by line")
    .option("--list", "say what there is, and do nothing")
    .parse();
  const flags = command.opts<{ list?: true; adopted?: true; atOnce?: number; verbose?: true }>();
  if (flags.list) {
    console.log(listOf(catalogue));
    return 0;
  }
  if (command.args.length === 0) {
    command.error("Which procedure? P1 to P12, all, kills, or one of those that --list shows.");
  }
  if (flags.atOnce !== undefined && !(Number.isInteger(flags.atOnce) && flags.atOnce > 0)) {
    command.error("--at-once: a whole number from 1 on.");
  }
  try {
    return await toVerdict({
      procedures: select(catalogue, command.args),
      adopted: flags.adopted,
      lanes: flags.atOnce,
      verbose: flags.verbose,
    });
  } catch (error) {
    if (error instanceof UnknownProcedureError) {
      command.error(error.message);
    }
    throw error;
  }
}

exitWith(main());
