/** `npm start`: four procedures with eight devices on the dev stack, in a sandbox of their own. */
import { Command } from "commander";
import { individualBreach } from "./procedures/p04-individual-breach";
import { individualExpiration } from "./procedures/p05-individual-expiration";
import { rootBreach } from "./procedures/p06-root-breach";
import { rootExpiration } from "./procedures/p08-root-expiration";
import { devStack } from "./setting";
import { exitWith, toVerdict } from "./verdict";

const { verbose } = new Command("start")
  .description("Four rolls of certificates with eight devices, in a sandbox that is thrown away.")
  .option("--verbose", "print what devices, rules and the engine say, line by line")
  .parse()
  .opts<{ verbose?: true }>();

exitWith(
  toVerdict({
    procedures: [individualExpiration, rootExpiration, individualBreach, rootBreach],
    setting: devStack,
    verbose,
  }),
);
