/**
 * Gets a Pulumi engine: one that is installed, else the npm package's own download, else a build
 * from Go modules. docs/decisions/0002-toolchain.md tells why it is so.
 */
import { join } from "node:path";
import { downloadEngine, downloadPlugin } from "./download.mjs";
import { sentenceOf, ToolchainError } from "./failure.mjs";
import { checkGo, goVersion } from "./go.mjs";
import { buildFromModules, verify } from "./go-build.mjs";
import { sweep } from "./install.mjs";
import { findInstalled, isExecutable } from "./installed.mjs";
import { withLock } from "./lock.mjs";
import { hashInputs, stateOf } from "./marker.mjs";
import * as places from "./places.mjs";
import { createLog } from "./report.mjs";
import { wantedVersions } from "./versions.mjs";

/**
 * @typedef {"installed" | "download" | "build"} Way
 * @typedef {object} Engine
 * @property {string} root the folder above bin/, for `PulumiCommand.get({ root })`
 * @property {string} binDir
 * @property {string} pulumiHome
 * @property {string} version
 * @property {Way} way
 * @property {{ name: string, version: string, folder: string }[]} plugins
 */

/** @type {Way[]} */
const ways = ["installed", "download", "build"];

/**
 * Finds or makes the engine and the plugins that package-lock.json asks for. Takes seconds when
 * there is nothing to do, and may be called by several processes at once.
 * @param {{ home?: string, log?: import("./report.mjs").Log, project?: string, sources?: string,
 *   environment?: NodeJS.ProcessEnv }} [options] `home` is Pulumi's home
 * @returns {Promise<Engine>}
 */
export async function ensureEngine(options = {}) {
  const environment = options.environment ?? process.env;
  const task = await describeTask({ ...options, environment });
  const ready = await look(task);
  if (isReady(ready)) return answer(task, ready);
  return withLock(
    join(task.home, "versions", ".toolchain.lock"),
    async () => {
      await sweep(join(task.home, "versions"));
      await sweep(join(task.home, "plugins"));
      // Another process may have done it while this one waited.
      const found = await look(task);
      if (!isReady(found)) await provide(task, found);
      const done = await look(task);
      if (isReady(done)) return answer(task, done);
      throw new ToolchainError(
        `Pulumi ${task.versions.engine} is still not complete in ${task.home}; remove ` +
          `${task.root} and run again.`,
      );
    },
    ({ pid }) => task.log(`waiting for process ${pid}, which gets the engine at this moment`),
  );
}

/**
 * @typedef {Awaited<ReturnType<typeof describeTask>>} Task
 * @typedef {Awaited<ReturnType<typeof look>>} Found
 */

/**
 * @param {{ home?: string, log?: import("./report.mjs").Log, project?: string, sources?: string,
 *   environment: NodeJS.ProcessEnv }} options
 */
async function describeTask(options) {
  const { environment } = options;
  const project = options.project ?? places.project;
  const sources = options.sources ?? places.goSources;
  const home = options.home ?? places.pulumiHome(environment);
  const versions = await wantedVersions(project);
  const way = environment.DPS_TOOLCHAIN || undefined;
  if (way && !ways.includes(/** @type {Way} */ (way))) {
    throw new ToolchainError(
      `DPS_TOOLCHAIN is "${way}"; set it to ${ways.join(", ")}, or not at all.`,
    );
  }
  const [inputs, go] = await Promise.all([hashInputs(sources, versions), goVersion(environment)]);
  return {
    environment,
    project,
    sources,
    home,
    versions,
    inputs,
    go,
    forced: /** @type {Way | undefined} */ (way),
    root: places.engineRoot(home, versions.engine),
    log: options.log ?? createLog(),
  };
}

/** What is there now. @param {Task} task */
async function look(task) {
  const { home, versions, environment, forced, root } = task;
  const { installed, unfit } =
    forced === undefined || forced === "installed"
      ? await findInstalled({ home, wanted: versions.engine, environment })
      : { installed: undefined, unfit: [] };
  const plugins = await Promise.all(
    versions.plugins.map(async (plugin) => {
      const folder = places.pluginFolder(home, plugin);
      return { ...plugin, folder, state: await stateOf(folder, task) };
    }),
  );
  return { installed, unfit, plugins, inPlace: await stateOf(root, task) };
}

/** @param {Found} found */
function isReady({ installed, inPlace, plugins }) {
  return (
    (installed !== undefined || inPlace === "fresh" || inPlace === "foreign") &&
    plugins.every(({ state }) => state === "fresh" || state === "foreign")
  );
}
