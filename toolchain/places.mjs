/** Where things are: the project, Pulumi's home and what is installed in it. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of package.json. */
export const project = fileURLToPath(new URL("..", import.meta.url));

/** The Go modules that the engine and its plugins are built from. */
export const goSources = fileURLToPath(new URL("go", import.meta.url));

/** Preloaded where Pulumi programs run. */
export const loadWhenUsed = fileURLToPath(new URL("load-when-used.cjs", import.meta.url));

/**
 * Pulumi's own rule for its home, the npm package `pulumi` follows it too.
 * @param {NodeJS.ProcessEnv} environment
 */
export function pulumiHome(environment) {
  return resolve(environment.PULUMI_HOME || join(homedir(), ".pulumi"));
}

/**
 * The folder in which the npm package `pulumi` and the Automation API look for this version.
 * @param {string} home
 * @param {string} version
 */
export function engineRoot(home, version) {
  return join(home, "versions", version);
}

/**
 * @param {string} home
 * @param {{ name: string, version: string }} plugin
 */
export function pluginFolder(home, plugin) {
  return join(home, "plugins", `resource-${plugin.name}-v${plugin.version}`);
}

/** Half-made installs carry this prefix until they are renamed into place. */
export const unfinishedPrefix = ".unfinished-";
