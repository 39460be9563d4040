/** Runs the engine and answers what it prints. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
/** A state of a few thousand resources is tens of megabytes. */
const LARGEST_OUTPUT = 1024 * 1024 * 1024;

/**
 * What to do where the engine's words say that it is signed in to no backend: empty, or a sentence that follows
 * them. A shell that was not attached to the sandbox meets this first.
 */
export function wayIn(words: string): string {
  return words.includes("PULUMI_ACCESS_TOKEN")
    ? 'This shell is signed in to no backend of Pulumi: sign in with `pulumi login`, or attach it to a running sandbox with `eval "$(npm run -s sandbox -- env)"`.'
    : "";
}

/** Throws with the engine's own words when it fails. */
export async function runEngine(
  args: string[],
  cwd: string,
  variables: Record<string, string> = {},
): Promise<string> {
  try {
    const { stdout } = await run("pulumi", [...args, "--non-interactive", "--color=never"], {
      cwd,
      env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "1", ...variables },
      maxBuffer: LARGEST_OUTPUT,
    });
    return stdout;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`pulumi ${args.slice(0, 2).join(" ")}: ${stderr?.trim() ?? String(error)}`, {
      cause: error,
    });
  }
}
