/** Child processes that are gone, with everything they started, when the rehearsal is. */
import { type ChildProcess, execFileSync, spawn, type SpawnOptions } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
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

/** SIGKILL for the process and everything below it, at once. */
export function kill({ pid }: ChildProcess): void {
  killAll(treeOf(pid));
}

/** The process and everything below it: an engine has its language host, program and plugins. */
function treeOf(root: number | undefined): number[] {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of processes()) {
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = root === undefined ? [] : [root];
  for (let at = 0; at < tree.length; at += 1) {
    tree.push(...(children.get(tree[at]!) ?? []));
  }
  return tree;
}

/** All processes. Linux tells in files; small images of it have no `ps`. */
function processes(): { pid: number; parent: number }[] {
  if (!existsSync("/proc/self/stat")) {
    const lines = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" })
      .trim()
      .split("\n");
    return lines.map((line) => {
      const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
      return { pid, parent };
    });
  }
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The name of the program, in parentheses, may hold anything: proc(5).
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return [{ pid: Number(name), parent: Number(parent) }];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
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
