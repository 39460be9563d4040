/** Which versions are wanted. package-lock.json is the one source; Go's modules are held to it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolchainError } from "./failure.mjs";

/** The resource plugins that the toolchain provides; each belongs to the npm package of its name. */
export const pluginNames = ["tls", "random"];

/**
 * @typedef {{ name: string, version: string }} Plugin
 * @typedef {{ engine: string, plugins: Plugin[] }} Versions
 */

/**
 * @param {string} project the folder of package-lock.json
 * @returns {Promise<Versions>}
 */
export async function wantedVersions(project) {
  const path = join(project, "package-lock.json");
  const { packages } = JSON.parse(await readFile(path, "utf8"));
  /** @param {string} name */
  const versionOf = (name) => {
    const version = packages[`node_modules/${name}`]?.version;
    if (!version) {
      throw new ToolchainError(
        `${path} does not list the package ${name}; run "npm install --save-exact ${name}", then again.`,
      );
    }
    return version;
  };
  const engine = versionOf("pulumi");
  const library = versionOf("@pulumi/pulumi");
  if (engine !== library) {
    throw new ToolchainError(
      `The packages pulumi (${engine}) and @pulumi/pulumi (${library}) must have the same version; ` +
        `make them equal in package.json and run "npm install".`,
    );
  }
  return {
    engine,
    plugins: pluginNames.map((name) => ({ name, version: versionOf(`@pulumi/${name}`) })),
  };
}

/**
 * The numbers of a version such as "v3.256.0" or "go1.26.8"; undefined where there is none.
 * @param {string} text
 * @returns {[number, number, number] | undefined}
 */
export function parseVersion(text) {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

/**
 * Whether `text` is a version of at least `least`.
 * @param {string} text
 * @param {string} least
 */
export function isAtLeast(text, least) {
  const [found, wanted] = [parseVersion(text), parseVersion(least)];
  if (!found || !wanted) return false;
  const different = [0, 1, 2].find((i) => found[i] !== wanted[i]);
  return different === undefined || found[different] > wanted[different];
}

/**
 * Whether an engine that somebody installed serves programs written for `wanted`: the same major
 * version and not older. docs/decisions/0002-toolchain.md says why a newer one is taken.
 * @param {string} installed
 * @param {string} wanted
 */
export function fits(installed, wanted) {
  // A pre-release such as 3.256.0-alpha.1 comes before the release of its number.
  if (installed.includes("-")) return false;
  return isAtLeast(installed, wanted) && parseVersion(installed)?.[0] === parseVersion(wanted)?.[0];
}

/**
 * The version a go.mod requires of a module, or of Go itself for the module "go".
 * @param {string} goMod the text of go.mod
 * @param {string} module
 */
export function requiredByGoMod(goMod, module) {
  for (const line of goMod.split("\n")) {
    const [name, version] = line.replace(/^\s*(require\s+)?/, "").split(/\s+/);
    if (name === module && version) return version;
  }
  return undefined;
}
