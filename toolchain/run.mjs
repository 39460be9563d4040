/**
 * Runs one of the project's commands on a fresh clone: installs the packages, gets the engine if
 * the command needs one, then hands over.
 *
 *     node toolchain/run.mjs <command> [arguments]
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describeEngine, ensureEngine } from "./engine.mjs";
import { engineEnvironment } from "./environment.mjs";
import { sentenceOf, ToolchainError } from "./failure.mjs";
import { checkNode, ensurePackages } from "./packages.mjs";
import { project } from "./places.mjs";
import { handOver } from "./processes.mjs";

/** @param {string} script a TypeScript file of this project */
const typescript = (script) => [process.execPath, "--require", "tsx/cjs", join(project, script)];

/**
 * What each command runs, and whether that needs the engine.
 * @type {Record<string, { run: string[], engine: boolean | ((args: string[]) => boolean) }>}
 */
const commands = {
  engine: { run: [], engine: true },
  start: { run: typescript("rehearsal/start.ts"), engine: true },
  rehearse: { run: typescript("rehearsal/main.ts"), engine: true },
  sandbox: { run: typescript("sandbox/main.ts"), engine: false },
  device: { run: typescript("device/main.ts"), engine: false },
  status: {
    run: typescript("status/main.ts"),
    engine: (args) => !args.some((arg) => /^--(no-stack|state|service|host|help)(=|$)/.test(arg)),
  },
  contain: { run: typescript("containment/main.ts"), engine: false },
  "state-copy": { run: typescript("gitops/main.ts"), engine: true },
  plan: { run: typescript("plan/main.ts"), engine: true },
  "bench-plan": { run: typescript("bench/plan.ts"), engine: true },
  pulumi: { run: ["pulumi"], engine: true },
  test: { run: ["npm", "run", "--silent", "test:all", "--"], engine: true },
};

/**
 * @param {string | undefined} name
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
export async function runCommand(name, args) {
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    throw new ToolchainError(
      `"${name ?? ""}" is no command; use one of ${Object.keys(commands).join(", ")}.`,
    );
  }
  await checkNode();
  await ensurePackages();
  const needsEngine = typeof command.engine === "boolean" ? command.engine : command.engine(args);
  const engine = needsEngine ? await ensureEngine() : undefined;
  const environment = engine ? await engineEnvironment(engine) : process.env;
  const [executable, ...first] = command.run;
  if (!executable) {
    if (engine) console.log(describeEngine(engine));
    return 0;
  }
  return handOver(executable, [...first, ...args], { cwd: project, env: environment });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    process.exitCode = await runCommand(process.argv[2], process.argv.slice(3));
  } catch (error) {
    // A sentence for what the user can mend; anything else is our mistake and shows where.
    console.error(error instanceof ToolchainError ? sentenceOf(error) : error);
    process.exitCode = 1;
  }
}
