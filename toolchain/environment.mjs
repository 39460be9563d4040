/** The environment in which commands find the engine. */
import { access, readdir, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { preloading } from "../sandbox/node-options.cjs";
import { loadWhenUsed, pluginFolder, project as ownProject } from "./places.mjs";

/**
 * @param {import("./engine.mjs").Engine} engine
 * @param {NodeJS.ProcessEnv} [environment]
 * @param {string} [project]
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
export async function engineEnvironment(engine, environment = process.env, project = ownProject) {
  /** @type {NodeJS.ProcessEnv} */
  const result = {
    PULUMI_SKIP_UPDATE_CHECK: "1",
    ...environment,
    PULUMI_HOME: engine.pulumiHome,
    NODE_OPTIONS: preloading(environment.NODE_OPTIONS, loadWhenUsed),
    PATH: [engine.binDir, environment.PATH].filter(Boolean).join(delimiter),
  };
  if (await allPluginsInPlace(engine, environment, project)) {
    // Else the engine must be free to download what is lacking, azure-native's plugin above all.
    result.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION ??= "true";
  }
  return result;
}

/**
 * Whether each @pulumi package's plugin is in Pulumi's home, or served by a running process.
 * @param {import("./engine.mjs").Engine} engine
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} project
 */
async function allPluginsInPlace(engine, environment, project) {
  const folder = join(project, "node_modules", "@pulumi");
  const served = (environment.PULUMI_DEBUG_PROVIDERS ?? "")
    .split(",")
    .map((each) => each.split(":")[0]);
  for (const name of await readdir(folder)) {
    const { pulumi, version } = JSON.parse(
      await readFile(join(folder, name, "package.json"), "utf8"),
    );
    if (!pulumi?.resource || served.includes(pulumi.name)) continue;
    const plugin = pluginFolder(engine.pulumiHome, {
      name: pulumi.name ?? name,
      version: pulumi.version ?? version,
    });
    const there = await access(plugin).then(
      () => true,
      () => false,
    );
    if (!there) return false;
  }
  return true;
}
