/** Makes node_modules fit package-lock.json. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { basename, join, resolve } from "node:path";
import { failedWith, ToolchainError } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import * as places from "./places.mjs";
import { capture, whileInterruptible } from "./processes.mjs";
import { createLog, duration, reportProgress } from "./report.mjs";
import { isAtLeast } from "./versions.mjs";

/**
 * Installs the packages unless those of package-lock.json are there.
 * @param {{ project?: string, log?: import("./report.mjs").Log,
 *   environment?: NodeJS.ProcessEnv }} [options]
 */
export async function ensurePackages(options = {}) {
  const project = options.project ?? places.project;
  if (!(await firstUnfit(project))) return;
  const log = options.log ?? createLog();
  await withLock(
    lockPath(project),
    whileInterruptible(async () => {
      const unfit = await firstUnfit(project);
      if (unfit) await installPackages(project, unfit, log, options.environment ?? process.env);
    }),
    ({ pid }) => log(`waiting for process ${pid}, which installs the packages at this moment`),
  );
}

/**
 * Throws unless this Node can run the project.
 * @param {string} [project]
 * @param {string} [version]
 */
export async function checkNode(project = places.project, version = process.versions.node) {
  const { engines } = JSON.parse(await readFile(join(project, "package.json"), "utf8"));
  const least = String(engines?.node ?? "20").replace(/^\D+/, "");
  if (isAtLeast(version, least)) return;
  throw new ToolchainError(
    `This needs Node >= ${least}, and this is ${version}; install Node from ` +
      `https://nodejs.org, then run again.`,
  );
}

/**
 * Why node_modules does not fit; undefined when it does. npm writes its own list of what it
 * installed at the very end, so an interrupted run leaves none. Packages beyond the lock are left
 * alone: somebody may be trying one.
 * @param {string} project
 */
export async function firstUnfit(project) {
  const [wanted, present] = await Promise.all([
    readPackages(join(project, "package-lock.json")),
    readPackages(join(project, "node_modules", ".package-lock.json")),
  ]);
  if (!wanted) throw new ToolchainError(`${project} has no package-lock.json; restore it.`);
  if (!present) return "there is no complete node_modules";
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "" || entry.link) continue;
    const found = present[path];
    // A package for another platform is optional, and npm leaves it out.
    if (!found && (entry.optional || entry.devOptional)) continue;
    if (found?.version !== entry.version || found?.integrity !== entry.integrity) {
      const name = path.replace(/^.*node_modules\//, "");
      return `${name} is ${found?.version ?? "missing"}, not ${entry.version}`;
    }
  }
  return undefined;
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean,
 *   link?: boolean }} LockEntry
 * @param {string} path
 * @returns {Promise<Record<string, LockEntry> | undefined>}
 */
async function readPackages(path) {
  try {
    return JSON.parse(await readFile(path, "utf8")).packages;
  } catch (error) {
    if (failedWith(error, "ENOENT", "ENOTDIR") || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * @param {string} project
 * @param {string} unfit
 * @param {import("./report.mjs").Log} log
 * @param {NodeJS.ProcessEnv} environment
 */
async function installPackages(project, unfit, log, environment) {
  log(`installing packages (npm ci), because ${unfit}`);
  const progress = reportProgress(log, () => "installing packages");
  const [command, ...first] = npm(environment);
  try {
    const { found, code, output } = await capture(
      command,
      // Tests, the sandbox and the engine are development dependencies.
      [...first, "ci", "--include=dev", "--no-audit", "--no-fund"],
      { cwd: project, env: environment },
    );
    if (!found) {
      throw new ToolchainError(
        "npm was not found; install Node with npm from https://nodejs.org, then run again.",
      );
    }
    if (code !== 0) {
      log(`npm ci failed:\n${complaint(output)}`);
      throw new ToolchainError(
        "The packages could not be installed, npm's own words are above; mend what they name " +
          "and run again.",
      );
    }
  } finally {
    progress.stop();
  }
  log(`packages installed in ${duration(progress.seconds())}`);
}

/** npm says what is wrong first, then may add pages of usage. @param {string} output */
function complaint(output) {
  const lines = output.trimEnd().split("\n");
  const first = Math.max(
    lines.findIndex((line) => line.startsWith("npm error")),
    0,
  );
  return lines.slice(first, first + 20).join("\n");
}

/** The npm that started this, if one did, since it may not be on PATH. @param {NodeJS.ProcessEnv} environment */
function npm(environment) {
  const path = environment.npm_execpath;
  return path && /^npm(-cli)?\.c?js$/.test(basename(path)) ? [process.execPath, path] : ["npm"];
}

/** npm removes node_modules and git sees the project, so the lock is in neither. @param {string} project */
function lockPath(project) {
  const name = createHash("sha256").update(resolve(project)).digest("hex").slice(0, 16);
  return join(tmpdir(), `npm-ci-${userInfo().uid}-${name}.lock`);
}
