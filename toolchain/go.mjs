/** The Go that is installed: whether there is one, whether it fits, and the environment it runs in. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolchainError } from "./failure.mjs";
import { capture } from "./processes.mjs";
import { isAtLeast, requiredByGoMod } from "./versions.mjs";

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export function goEnvironment(environment) {
  return {
    ...environment,
    // What is built must run here.
    GOOS: "",
    GOARCH: "",
    // A toolchain is a download of its own; who wants one says so.
    GOTOOLCHAIN: environment.GOTOOLCHAIN || "local",
    // Without a C compiler the build is the same on every machine.
    CGO_ENABLED: "0",
    GOWORK: "off",
  };
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<string | undefined>} such as "go1.26.8"; undefined without Go
 */
export async function goVersion(environment) {
  const { code, output } = await capture("go", ["version"], { env: goEnvironment(environment) });
  return code === 0 ? /\bgo\d\S*/.exec(output.replace(/^go version /, ""))?.[0] : undefined;
}

/**
 * Throws unless this Go can build the modules.
 * @param {string | undefined} version what `goVersion` found
 * @param {string} sources
 * @param {{ engine: string, because: string }} need
 */
export async function checkGo(version, sources, need) {
  const goMod = await readFile(join(sources, "engine", "go.mod"), "utf8");
  const least = requiredByGoMod(goMod, "go") ?? "1.25";
  if (version && isAtLeast(version, least)) return;
  const found = version ? `, and this is ${version}` : "";
  throw new ToolchainError(
    `This needs Go >= ${least} to build the Pulumi engine${found}, because ${need.because}; ` +
      `install Go from https://go.dev/dl or Pulumi ${need.engine} from ` +
      `https://www.pulumi.com/docs/install, then run again.`,
  );
}
