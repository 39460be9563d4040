/** Pulumi's own downloads: the npm package `pulumi` for the engine, the engine for plugins. */
import { rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { sentenceOf, ToolchainError } from "./failure.mjs";
import { verify } from "./go-build.mjs";
import { createUnfinished, putInPlace } from "./install.mjs";
import { engineRoot, pluginFolder } from "./places.mjs";
import { capture, lastLines } from "./processes.mjs";
import { reportProgress } from "./report.mjs";

const limitMilliseconds = 15 * 60_000;

/**
 * Lets the npm package download the engine. Throws if it cannot.
 * @param {{ home: string, project: string, version: string, environment: NodeJS.ProcessEnv,
 *   log: import("./report.mjs").Log }} options
 */
export async function downloadEngine({ home, project, version, environment, log }) {
  const root = engineRoot(home, version);
  // The package writes straight to the final place; a home of its own makes that one step for us.
  const unfinished = await createUnfinished(root);
  log(`downloading Pulumi ${version} by the npm package pulumi`);
  const progress = reportProgress(log, () => "downloading");
  try {
    const script = createRequire(join(project, "package.json")).resolve("pulumi/run.js");
    const { code, output, late } = await capture(process.execPath, [script, "version"], {
      env: {
        ...environment,
        PULUMI_HOME: unfinished,
        PULUMI_VERSION: version,
        PULUMI_SKIP_UPDATE_CHECK: "1",
      },
      milliseconds: limitMilliseconds,
    });
    if (late) throw new ToolchainError("the download took too long");
    if (code !== 0) throw new ToolchainError(lastLines(output, 1));
    const made = engineRoot(unfinished, version);
    await verify(join(made, "bin", "pulumi"), ["version"], version);
    await putInPlace(made, root);
  } catch (error) {
    throw new ToolchainError(
      `the download of Pulumi ${version} failed (${sentenceOf(error)})`,
      error,
    );
  } finally {
    progress.stop();
    await rm(unfinished, { recursive: true, force: true });
  }
}

/**
 * Lets the engine download a plugin. Throws if it cannot.
 * @param {{ home: string, pulumi: string, plugin: import("./versions.mjs").Plugin,
 *   environment: NodeJS.ProcessEnv, log: import("./report.mjs").Log }} options
 */
export async function downloadPlugin({ home, pulumi, plugin, environment, log }) {
  const { name, version } = plugin;
  log(`downloading the plugin ${name} ${version}`);
  const target = pluginFolder(home, plugin);
  const unfinished = await createUnfinished(target);
  try {
    const { code, output } = await capture(
      pulumi,
      ["plugin", "install", "resource", name, version, "--exact"],
      {
        env: { ...environment, PULUMI_HOME: unfinished, PULUMI_SKIP_UPDATE_CHECK: "1" },
        milliseconds: limitMilliseconds,
      },
    );
    if (code !== 0) throw new ToolchainError(lastLines(output, 1));
    const made = pluginFolder(unfinished, plugin);
    await putInPlace(made, target);
    // The engine locks a plugin by this file, and creates it where it is missing.
    await rename(`${made}.lock`, `${target}.lock`).catch(() => {});
  } catch (error) {
    throw new ToolchainError(
      `the download of the plugin ${name} ${version} failed (${sentenceOf(error)})`,
      error,
    );
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
