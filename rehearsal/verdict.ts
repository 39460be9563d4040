/** A rehearsal as a command: told while it goes on, ended by a signal, a table and a verdict. */
import { appendFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Findings } from "./findings";
import { report } from "./report";
import { rehearse, type RunOptions } from "./run";

export interface VerdictOptions extends Pick<
  RunOptions,
  "procedures" | "setting" | "adopted" | "lanes"
> {
  /** Details are printed too; default: they are in a file, whose name is said. */
  verbose?: boolean | undefined;
}

/** Resolves to the exit code: 0 when every rule held, 1 when one did not, 130 after a signal. */
export async function toVerdict({ verbose = false, ...options }: VerdictOptions): Promise<number> {
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
  const full = join(mkdtempSync(join(tmpdir(), "dps-rehearsal-full-")), "rehearsal.log");
  const keep = (text: string): void => appendFileSync(full, `${text}\n`);
  if (!verbose) {
    console.log(`What devices, rules and the engine say, line by line: ${full} (or --verbose)`);
  }
  // Nobody reads any more, as in `npm start | head`.
  process.stdout.on("error", (error) => interrupted.abort(error));
  let findings: Findings;
  try {
    findings = await rehearse({
      ...options,
      program: resolve(__dirname, ".."),
      say: (line, isDetail) => {
        keep(line);
        if (verbose || !isDetail) console.log(line);
      },
      signal: interrupted.signal,
    });
  } catch (error) {
    if (interrupted.signal.aborted) {
      return 130;
    }
    throw error;
  }
  const seconds = (Date.now() - began) / 1000;
  const told = (evidence: boolean): string =>
    report(findings, options.procedures.length, seconds, { evidence });
  keep(`\n${told(true)}`);
  console.log(`\n${told(verbose)}`);
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
