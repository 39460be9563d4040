/** A rehearsal as a command: told while it goes on, ended by a signal, a table and a verdict. */
import { resolve } from "node:path";
import type { Findings } from "./findings";
import { report } from "./report";
import { rehearse, type RunOptions } from "./run";

/** Resolves to the exit code: 0 when every rule held, 1 when one did not, 130 after a signal. */
export async function toVerdict(
  options: Pick<RunOptions, "procedures" | "setting" | "adopted" | "lanes">,
): Promise<number> {
  const began = Date.now();
  const interrupted = new AbortController();
  let signals = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      signals += 1;
      // A second signal: somebody is in a hurry. What still runs is killed at the exit.
      if (signals > 1) process.exit(130);
      console.log(`\n${signal}: cleaning up.`);
      interrupted.abort(new Error(`ended by ${signal}`));
    });
  }
  // Nobody reads any more, as in `npm start | head`.
  process.stdout.on("error", (error) => interrupted.abort(error));
  let findings: Findings;
  try {
    findings = await rehearse({
      ...options,
      program: resolve(__dirname, ".."),
      say: (line) => console.log(line),
      signal: interrupted.signal,
    });
  } catch (error) {
    if (interrupted.signal.aborted) {
      return 130;
    }
    throw error;
  }
  console.log(`\n${report(findings, options.procedures.length, (Date.now() - began) / 1000)}`);
  return findings.failures.length === 0 ? 0 : 1;
}

/** Ends the process with the exit code of `command`. */
export function exitWith(command: Promise<number>): void {
  command.then(
    (exitCode) => process.exit(exitCode),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exit(1);
    },
  );
}
