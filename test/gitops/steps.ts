/** The shell steps of the workflows, as they stand there, run as the runner runs them. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const WORKFLOWS = join(__dirname, "../../.github/workflows");

export interface Job {
  permissions?: Record<string, string>;
  environment?: string;
  if?: string;
  uses?: string;
  with?: Record<string, string>;
  concurrency?: { group: string; "cancel-in-progress": boolean | string };
  env?: Record<string, string>;
  steps?: {
    name?: string;
    if?: string;
    run?: string;
    uses?: string;
    env?: Record<string, string>;
  }[];
}

export interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  defaults: { run: { shell: string } };
  jobs: Record<string, Job>;
}

export function workflow(file: string): Workflow {
  return parse(readFileSync(join(WORKFLOWS, file), "utf8")) as Workflow;
}

export interface StepRun {
  exitCode: number | null;
  output: string;
}

/** Runs a step by its name, with these variables for what the runner would fill in. */
export async function runStep(
  file: string,
  job: string,
  name: string,
  options: {
    cwd: string;
    environment: Record<string, string>;
    /** Is given the shell, as the runner has it. */
    started?: (shell: ChildProcess) => void;
  },
): Promise<StepRun> {
  const step = workflow(file).jobs[job]?.steps?.find((each) => each.name === name);
  if (step?.run === undefined) throw new Error(`${file} has no step "${name}" in ${job}.`);
  // What the runner does for `shell: bash`.
  const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run], {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  options.started?.(child);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
  return { exitCode, output };
}
