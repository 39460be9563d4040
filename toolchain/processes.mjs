/** Child processes: quiet ones whose output is read, and the one the user came for. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { failedWith } from "./failure.mjs";

/**
 * @typedef {object} Finished
 * @property {boolean} found false when there is no such command
 * @property {number | null} code
 * @property {string} output stdout and stderr, in the order in which they came
 * @property {boolean} late true when it was ended because its time was over
 */

/**
 * Runs a command to its end and returns what it wrote. Never throws for what the command does.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, milliseconds?: number,
 *   onLine?: (line: string) => void }} [options]
 * @returns {Promise<Finished>}
 */
export async function capture(command, args, options = {}) {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let rest = "";
  /** @param {string} text */
  const take = (text) => {
    output += text;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (options.onLine) lines.forEach(options.onLine);
  };
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  let late = false;
  const limit = options.milliseconds
    ? setTimeout(() => {
        late = true;
        child.kill("SIGKILL");
      }, options.milliseconds)
    : undefined;
  // Our own end must not leave a compiler working for minutes on.
  // Go removes its temporary files when it is interrupted, not when it is terminated.
  const end = () => void child.kill("SIGINT");
  process.once("exit", end);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (error) => {
        if (failedWith(error, "ENOENT", "EACCES", "ENOEXEC")) {
          resolve({ found: false, code: null, output: error.message, late });
        } else reject(error);
      });
      child.once("close", (code) => resolve({ found: true, code, output, late }));
    });
  } finally {
    clearTimeout(limit);
    process.removeListener("exit", end);
  }
}

/**
 * Hands the terminal over to a command and answers with its exit code.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>}
 */
export async function handOver(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: "inherit" });
  // A terminal sends Ctrl-C to the child as well, and Pulumi takes a second interrupt as "stop at
  // once, the state may be lost": pass an interrupt on only where the child did not get it itself.
  const terminal = [process.stdin, process.stdout, process.stderr].some((each) => each.isTTY);
  /** @type {[NodeJS.Signals, () => void][]} */
  const handlers = [
    ["SIGINT", () => void (terminal || child.kill("SIGINT"))],
    ["SIGTERM", () => void child.kill("SIGTERM")],
    ["SIGHUP", () => void child.kill("SIGHUP")],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      // 128 + the signal's number is how a shell reports it.
      child.once("close", (code, signal) =>
        resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)),
      );
    });
  } finally {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
  }
}

/**
 * Makes `work` end tidily on a signal: locks are released and children ended by exit listeners.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {() => Promise<T>}
 */
export function whileInterruptible(work) {
  return async () => {
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
    /** @param {NodeJS.Signals} signal */
    const end = (signal) => process.exit(128 + constants.signals[signal]);
    for (const signal of signals) process.on(signal, end);
    try {
      return await work();
    } finally {
      for (const signal of signals) process.removeListener(signal, end);
    }
  };
}

/** The last lines of a command's output: where it says what went wrong. @param {string} output */
export function lastLines(output, count = 15) {
  return output.trimEnd().split("\n").slice(-count).join("\n");
}
