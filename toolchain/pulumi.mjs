/** `node toolchain/pulumi.mjs <arguments>`: the project's engine, obtained first if need be. */
import { sentenceOf, ToolchainError } from "./failure.mjs";
import { runCommand } from "./run.mjs";

try {
  process.exitCode = await runCommand("pulumi", process.argv.slice(2));
} catch (error) {
  console.error(error instanceof ToolchainError ? sentenceOf(error) : error);
  process.exitCode = 1;
}
