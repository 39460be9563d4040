/** A Pulumi that the user installed, found on PATH. */
import { access, constants, realpath } from "node:fs/promises";
import { basename, delimiter, dirname, join, sep } from "node:path";
import { capture } from "./processes.mjs";
import { fits } from "./versions.mjs";

/** What a program for Node needs beside `pulumi`; the official download brings them along. */
const companions = ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];

/**
 * @typedef {{ root: string, version: string }} Installed
 */

/**
 * The first Pulumi on PATH that serves this project, and why those before it do not.
 * @param {{ home: string, wanted: string, environment: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ installed?: Installed, unfit: string[] }>}
 */
export async function findInstalled({ home, wanted, environment }) {
  /** @type {string[]} */
  const unfit = [];
  for (const executable of await candidates(home, environment)) {
    const { output, code } = await capture(executable, ["version"], {
      env: { ...environment, PULUMI_SKIP_UPDATE_CHECK: "1" },
      milliseconds: 30_000,
    });
    const version = output.trim().split("\n").at(-1)?.replace(/^v/, "") ?? "";
    const lacking = await firstLacking(dirname(executable));
    if (code !== 0) unfit.push(`${executable} does not run`);
    else if (!fits(version, wanted))
      unfit.push(`${executable} is ${version}, not ${wanted} or later`);
    else if (lacking) unfit.push(`${executable} has no ${lacking} beside it`);
    else return { installed: { root: dirname(dirname(executable)), version }, unfit };
  }
  return { unfit };
}

/**
 * @param {string} home
 * @param {NodeJS.ProcessEnv} environment
 */
async function candidates(home, environment) {
  const versions = await realpath(join(home, "versions")).catch(() => join(home, "versions"));
  const found = new Set();
  for (const folder of (environment.PATH ?? "").split(delimiter).filter(Boolean)) {
    const path = join(folder, "pulumi");
    if (!(await isExecutable(path))) continue;
    const real = await realpath(path);
    // npm puts its own `pulumi` on PATH, which would download; and the versions in Pulumi's home
    // are looked at by themselves, not as something the user installed.
    if (real.includes(`${sep}node_modules${sep}`) || real.startsWith(versions + sep)) continue;
    // The Automation API is given the folder above bin/.
    if (basename(dirname(real)) === "bin") found.add(real);
  }
  return found;
}

/** @param {string} folder */
async function firstLacking(folder) {
  for (const name of companions) {
    if (!(await isExecutable(join(folder, name)))) return name;
  }
  return undefined;
}

/** @param {string} path */
export function isExecutable(path) {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
