/** Builds the engine, the Node language host and the resource plugins from Go modules. */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolchainError } from "./failure.mjs";
import { goEnvironment } from "./go.mjs";
import { createUnfinished, linkOrCopy, putInPlace } from "./install.mjs";
import { writeMarker } from "./marker.mjs";
import { engineRoot, pluginFolder } from "./places.mjs";
import { capture, lastLines } from "./processes.mjs";
import { duration, reportProgress } from "./report.mjs";
import { requiredByGoMod } from "./versions.mjs";

const engineModule = "github.com/pulumi/pulumi/pkg/v3";
const enginePackage = `${engineModule}/cmd/pulumi`;
const hostPackage = "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs";
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/** The engine starts it in the program's folder: its own @pulumi/pulumi serves its resources. */
const dynamicProviderScript = `#!/bin/sh
script=$(node -p "require.resolve('@pulumi/pulumi/cmd/dynamic-provider')") || exit 1
exec node "$script" "$@"
`;

/**
 * @typedef {object} Build
 * @property {string} home
 * @property {string} sources
 * @property {NodeJS.ProcessEnv} environment
 * @property {import("./versions.mjs").Versions} versions
 * @property {{ inputs: string, go: string }} made
 * @property {import("./report.mjs").Log} log
 */

/**
 * Builds what is missing and puts it into place. Only the holder of the lock may call it.
 * @param {Build} build
 * @param {{ engine: boolean, plugins: import("./versions.mjs").Plugin[] }} missing
 */
export async function buildFromModules(build, missing) {
  await checkModules(build);
  const root = engineRoot(build.home, build.versions.engine);
  const unfinished = await createUnfinished(root);
  try {
    const bin = join(unfinished, "bin");
    await mkdir(bin);
    const packages = [
      ...(missing.engine ? [enginePackage] : []),
      ...(missing.plugins.length > 0 ? ["./plugins"] : []),
    ];
    await compile(build, "engine", packages, bin);
    // The plugins' binary is for other places, so it must not stay beside the engine.
    const plugins = join(bin, "plugins");
    for (const plugin of missing.plugins) await placePlugin(build, plugin, plugins);
    await rm(plugins, { force: true });
    if (missing.engine) {
      await compile(build, "language-host", [hostPackage], bin);
      const script = join(bin, "pulumi-resource-pulumi-nodejs");
      await writeFile(script, dynamicProviderScript);
      await chmod(script, 0o755);
      await verify(join(bin, "pulumi"), ["version"], build.versions.engine);
      await writeMarker(unfinished, build.made);
      await putInPlace(unfinished, root);
    }
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** @param {Build} build @param {import("./versions.mjs").Plugin} plugin @param {string} binary */
async function placePlugin(build, plugin, binary) {
  const target = pluginFolder(build.home, plugin);
  const unfinished = await createUnfinished(target);
  try {
    const executable = join(unfinished, `pulumi-resource-${plugin.name}`);
    await linkOrCopy(binary, executable);
    await verify(executable, ["-version"], plugin.version);
    await writeMarker(unfinished, build.made);
    await putInPlace(unfinished, target);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Go cannot read package-lock.json, so its engine has a version of its own. @param {Build} build */
async function checkModules({ sources, versions }) {
  const path = join(sources, "engine", "go.mod");
  const version = requiredByGoMod(await readFile(path, "utf8"), engineModule);
  if (version !== `v${versions.engine}`) {
    throw new ToolchainError(
      `${path} has the engine at ${version ?? "no version"}, but package-lock.json asks for ` +
        `${versions.engine}; run "go get ${engineModule}@v${versions.engine}" beside it, then again.`,
    );
  }
}

/**
 * @param {Build} build
 * @param {string} module the folder of the module
 * @param {string[]} packages
 * @param {string} bin
 */
async function compile(build, module, packages, bin) {
  const { versions, log } = build;
  const variables = [
    `${versionVariable}=${versions.engine}`,
    ...versions.plugins.map(({ name, version }) => `main.${name}Version=${version}`),
  ];
  const flags = ["-s", "-w", ...variables.flatMap((variable) => ["-X", variable])];
  const options = {
    cwd: join(build.sources, module),
    env: goEnvironment(build.environment),
  };
  log(`compiling ${packages.map((name) => name.split("/").at(-1)).join(" and ")}`);
  const listed = await capture("go", ["list", "-deps", ...packages], {
    ...options,
    onLine: downloads(log),
  });
  const total = listed.output.split("\n").filter((line) => line && !line.includes(": ")).length;
  let compiled = 0;
  const progress = reportProgress(log, () => `compiled ${compiled} of up to ${total} packages`);
  try {
    const { code, output } = await capture(
      "go",
      // -v names each package as it is compiled. What version control says about this folder is
      // no input, and asking fails in a folder of another owner.
      ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", flags.join(" ")].concat(
        ["-o", `${bin}/`],
        packages,
      ),
      { ...options, onLine: (line) => void (line.includes(" ") || (compiled += 1)) },
    );
    if (code !== 0) {
      log(`go build failed:\n${lastLines(output)}`);
      throw new ToolchainError(
        "The Pulumi engine could not be built from its Go modules, Go's own words are above; if " +
          "they speak of the network, set GOPROXY to a module proxy that can be reached; else " +
          `install Pulumi ${versions.engine} from https://www.pulumi.com/docs/install; then run again.`,
      );
    }
  } finally {
    progress.stop();
  }
  log(`compiled ${compiled} packages in ${duration(progress.seconds())}`);
}

/** Modules that are not on this machine yet. @param {import("./report.mjs").Log} log */
function downloads(log) {
  let count = 0;
  /** @param {string} line */
  return (line) => {
    if (!line.startsWith("go: downloading ")) return;
    count += 1;
    if (count % 50 === 1) log(`downloading Go modules (${count} so far)`);
  };
}

/**
 * Throws unless the executable says that it is of this version.
 * @param {string} executable
 * @param {string[]} args
 * @param {string} version
 */
export async function verify(executable, args, version) {
  const { output, code } = await capture(executable, args, { milliseconds: 60_000 });
  const said = output.trim().replace(/^v/, "");
  if (code === 0 && said === version) return;
  throw new ToolchainError(
    `${executable} should be of version ${version} but says "${lastLines(said, 1)}"; remove what ` +
      `is wrong with it and run again.`,
  );
}
