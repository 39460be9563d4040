/** Child processes that are gone, with everything they started, when the rehearsal is. */
import { type ChildProcess, execFileSync, spawn, type SpawnOptions } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** How long a process may take to end by itself, milliseconds. */
const PATIENCE_MS = 5000;

const running = new Set<ChildProcess>();

// The last resort, for an exit that nobody saw coming: no process outlives this one.
process.on("exit", () => {
  for (const child of running) {
    killAll(treeOf(child.pid));
  }
});

/**
 * Starts a process in a process group of its own, so that Ctrl-C in the terminal reaches only this
 * process, which then ends the others in the right order.
 */
export function start(command: string, args: string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, {
    ...options,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

/** Asks the process to end, and makes it end when it does not. Resolves when it has. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const tree = treeOf(child.pid);
  const over = new AbortController();
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.kill(signal);
  await Promise.race([
    ended.then(() => over.abort()),
    delay(PATIENCE_MS, undefined, { signal: over.signal }).catch(() => undefined),
  ]);
  // Also what a process left behind that ended in time.
  killAll(tree);
  await ended;
}

/** The process and everything below it: an engine has its language host, program and plugins. */
function treeOf(root: number | undefined): number[] {
  const children = new Map<number, number[]>();
  for (const line of execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).split("\n")) {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    if (pid !== undefined && parent !== undefined) {
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    }
  }
  const tree = root === undefined ? [] : [root];
  for (let at = 0; at < tree.length; at += 1) {
    tree.push(...(children.get(tree[at]!) ?? []));
  }
  return tree;
}

function killAll(pids: number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // gone already
    }
  }
}
