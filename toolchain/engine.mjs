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
import { whileInterruptible } from "./processes.mjs";
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
    whileInterruptible(async () => {
      await sweep(join(task.home, "versions"));
      await sweep(join(task.home, "plugins"));
      // Another process may have done it while this one waited.
      const found = await look(task);
      if (!isReady(found)) await provide(task, found);
      const done = await look(task);
      if (isReady(done)) {
        const engine = await answer(task, done);
        task.log(describeEngine(engine));
        return engine;
      }
      throw new ToolchainError(
        `Pulumi ${task.versions.engine} is still not complete in ${task.home}; remove ` +
          `${task.root} and run again.`,
      );
    }),
    ({ pid }) => task.log(`waiting for process ${pid}, which gets the engine at this moment`),
  );
}

/**
 * Which engine it is, in one line. Said when it was got; where nothing is to be done, nothing is said.
 * @param {Engine} engine
 */
export function describeEngine({ version, way, root }) {
  const how = {
    installed: "installed",
    download: "Pulumi's own download",
    build: "built from Go modules",
  };
  return `Pulumi ${version}, ${how[way]}, in ${root}`;
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
  const inPlace = await stateOf(root, task);
  return { installed, unfit, plugins, inPlace, way: wayOf(forced, installed, inPlace) };
}

/**
 * The way that has led to an engine; undefined while there is none to use.
 * @param {Way | undefined} forced
 * @param {unknown} installed
 * @param {"absent" | "foreign" | "fresh" | "stale"} inPlace
 * @returns {Way | undefined}
 */
function wayOf(forced, installed, inPlace) {
  if (installed) return "installed";
  if (inPlace === "foreign" && (!forced || forced === "download")) return "download";
  if (inPlace === "fresh" && (!forced || forced === "build")) return "build";
  return undefined;
}

/** @param {Found} found */
function lackingPlugins({ plugins }) {
  return plugins.filter(({ state }) => state !== "fresh" && state !== "foreign");
}

/** @param {Found} found */
function isReady(found) {
  return found.way !== undefined && lackingPlugins(found).length === 0;
}

/**
 * Gets what is lacking. Only the holder of the lock may call it.
 * @param {Task} task
 * @param {Found} found
 */
async function provide(task, found) {
  const { forced, versions, log } = task;
  const wanted = versions.engine;
  for (const reason of found.unfit) log(`not used: ${reason}`);
  if (!found.way && forced === "installed") {
    throw new ToolchainError(
      `There is no fitting Pulumi on PATH and DPS_TOOLCHAIN=installed asks for one; install ` +
        `Pulumi ${wanted} from https://www.pulumi.com/docs/install or unset DPS_TOOLCHAIN.`,
    );
  }
  if (!found.way && forced === "build" && found.inPlace === "foreign") {
    throw new ToolchainError(
      `${task.root} was not built here, so it is not replaced, and DPS_TOOLCHAIN=build asks for ` +
        `a build; move it away or unset DPS_TOOLCHAIN.`,
    );
  }
  let because = forced === "build" ? "DPS_TOOLCHAIN=build asks for a build" : "";
  let way = found.way;
  if (!way && forced !== "build") {
    try {
      await downloadEngine({ ...task, version: wanted });
      way = "download";
    } catch (error) {
      because = sentenceOf(error);
    }
  }
  // Where the engine had to be built, the plugins' server cannot be reached either.
  if (way && way !== "build") because = await downloadPlugins(task, found, way);
  const plugins = lackingPlugins(await look(task));
  if (way && plugins.length === 0) return;
  because ||= `${plugins.map(({ name }) => name).join(" and ")} must be built`;
  if (forced === "download") {
    throw new ToolchainError(
      `DPS_TOOLCHAIN=download asks for a download, but ${because}; unset DPS_TOOLCHAIN to build ` +
        `from Go modules, or install Pulumi ${wanted} from https://www.pulumi.com/docs/install.`,
    );
  }
  log(`${because}; building from Go modules, which takes about 8 minutes the first time`);
  await checkGo(task.go, task.sources, { engine: wanted, because });
  const made = { inputs: task.inputs, go: task.go ?? "" };
  await buildFromModules({ ...task, made }, { engine: !way, plugins });
}

/**
 * @param {Task} task
 * @param {Found} found
 * @param {Way} way
 * @returns {Promise<string>} why not all of them could be had; "" when they could
 */
async function downloadPlugins(task, found, way) {
  const root = way === "installed" && found.installed ? found.installed.root : task.root;
  const pulumi = join(root, "bin", "pulumi");
  try {
    for (const plugin of lackingPlugins(found)) await downloadPlugin({ ...task, pulumi, plugin });
    return "";
  } catch (error) {
    return sentenceOf(error);
  }
}

/**
 * @param {Task} task
 * @param {Found} found
 * @returns {Promise<Engine>}
 */
async function answer(task, { installed, way, plugins }) {
  const root = installed?.root ?? task.root;
  const binDir = join(root, "bin");
  const version = installed?.version ?? task.versions.engine;
  if (way === "download") await verifyForeign(join(binDir, "pulumi"), version, root);
  return {
    root,
    binDir,
    pulumiHome: task.home,
    version,
    way: way ?? "installed",
    plugins: plugins.map(({ name, version: its, folder }) => ({ name, version: its, folder })),
  };
}

/** @param {string} pulumi @param {string} version @param {string} root */
async function verifyForeign(pulumi, version, root) {
  if (!(await isExecutable(pulumi))) {
    throw new ToolchainError(
      `${root} was not built here and has no bin/pulumi; move it away and run again.`,
    );
  }
  await verify(pulumi, ["version"], version);
}
