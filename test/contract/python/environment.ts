/** A Python virtual environment with Microsoft's packages, made once and kept under node_modules/.cache. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "../../sandbox/openssl/plant";

const CACHE = resolve(__dirname, "../../../node_modules/.cache");
const REQUIREMENTS = join(__dirname, "requirements.txt");

/** Why there can be no such environment here: no Python, no venv module, no package index. */
export class NoPython extends Error {}

/** @returns the interpreter of an environment with `requirements.txt`. Throws `NoPython` with the reason. */
export async function pythonWithPackages(): Promise<string> {
  const version = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex");
  const folder = join(CACHE, `python-${version.slice(0, 12)}`);
  const interpreter = join(folder, "bin", "python");
  if (!existsSync(interpreter)) {
    mkdirSync(CACHE, { recursive: true });
    // Built aside and renamed: what is in place is complete, also after an interrupted run.
    const building = `${folder}.${process.pid}`;
    try {
      await step("make a virtual environment", "python3", ["-m", "venv", building]);
      const python = join(building, "bin", "python");
      const install = ["-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS];
      await step("install Microsoft's packages", python, install);
      putInPlace(building, folder);
    } finally {
      rmSync(building, { recursive: true, force: true });
    }
  }
  return interpreter;
}

function putInPlace(built: string, folder: string): void {
  try {
    renameSync(built, folder);
  } catch (error) {
    // Another run was quicker: what it made is as good.
    if (!existsSync(folder)) {
      throw error;
    }
  }
}

async function step(what: string, command: string, args: string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await run(command, args);
  if (exitCode === undefined) {
    throw new NoPython(`cannot ${what}: ${command} is not installed`);
  }
  if (exitCode !== 0) {
    const said = `${stdout.toString("utf8")}\n${stderr}`.trim().split("\n").at(-1) ?? "";
    throw new NoPython(`cannot ${what}: ${said}`);
  }
}
