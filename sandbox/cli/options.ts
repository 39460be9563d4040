/** What the sandbox's commands have in common. */
import { basename } from "node:path";
import type { Command } from "commander";
import { SandboxFolder } from "../folder";

export const DEFAULT_DIR = ".sandbox";

/** The package is installed, this is not the repository. */
const isInstalled = basename(process.argv[1] ?? "") !== "main.ts";

/** The name of the command in its own help. */
export const COMMAND = isInstalled ? "dps-sandbox" : "sandbox";

/**
 * How this command line is called, for sentences that tell people what to type: by npm in the
 * repository, by its own name where the package is installed, by npx where npx has called it.
 */
export function invocation(...words: string[]): string {
  const byNpx = process.env["npm_command"] === "exec";
  if (isInstalled) return [...(byNpx ? ["npx"] : []), COMMAND, ...words].join(" ");
  return words.length === 0 ? "npm run sandbox" : ["npm run -s sandbox --", ...words].join(" ");
}

/** Adds `--dir`, which `folderOf` reads. */
export function withDir(command: Command): Command {
  return command.option("--dir <dir>", "folder of the sandbox", DEFAULT_DIR);
}

/** The folder that was named: `--dir` is understood before and after the command's word. */
export function folderOf(command: Command): SandboxFolder {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    if (at.getOptionValueSource("dir") === "cli") {
      return new SandboxFolder(String(at.getOptionValue("dir")));
    }
  }
  return new SandboxFolder(DEFAULT_DIR);
}

/** Text of others for a terminal: what would move its cursor or change its colours is shown as a mark. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}
