/** Runs the real Pulumi engine as a child process, in a home and with a state of the test's own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";

export interface PulumiRun {
  exitCode: number | null;
  /** stdout and stderr, in the order in which they came. */
  output: string;
}

/**
 * Runs `pulumi <args>` and waits for its end.
 * @param environment added to this process's own
 * @param started is given the child process, to be able to kill it
 */
export async function runPulumi(
  args: string[],
  options: {
    cwd: string;
    environment: Record<string, string>;
    started?: (child: ChildProcess) => void;
  },
): Promise<PulumiRun> {
  const child = spawn("pulumi", [...args, "--non-interactive", "--color=never"], {
    cwd: options.cwd,
    env: {
      ...process.env,
      PULUMI_SKIP_UPDATE_CHECK: "1",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      ...options.environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  options.started?.(child);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { exitCode, output };
}

/** kill -9 for a process and everything below it: engine, language host, program and providers. */
export function killTree(pid: number): void {
  const children = new Map<number, number[]>();
  for (const line of execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).split("\n")) {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    if (child !== undefined && parent !== undefined) {
      children.set(parent, [...(children.get(parent) ?? []), child]);
    }
  }
  const tree = [pid];
  for (let index = 0; index < tree.length; index += 1) {
    tree.push(...(children.get(tree[index] ?? 0) ?? []));
  }
  for (const member of tree) {
    try {
      process.kill(member, "SIGKILL");
    } catch {
      // gone already
    }
  }
}
