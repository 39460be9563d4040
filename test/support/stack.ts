/** A stack of this repository's program on the real engine, with a configuration and a state elsewhere. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { type PulumiRun, runPulumi } from "./pulumi";
import type { TestSandbox } from "./sandbox";

const PROJECT = "dps-certificates";
const REPOSITORY = resolve(__dirname, "../..");

export class TestStack {
  private constructor(
    private readonly sandbox: TestSandbox,
    readonly name: string,
    /** Folder of the stack's configuration, and of whatever files it names. */
    readonly folder: string,
  ) {}

  /** Makes the stack, in the state folder of the sandbox. */
  static async open(
    sandbox: TestSandbox,
    name: string,
    configuration: Record<string, unknown>,
  ): Promise<TestStack> {
    const folder = mkdtempSync(join(tmpdir(), `${name}-stack-`));
    const stack = new TestStack(sandbox, name, folder);
    try {
      // `stack init` writes a salt into the configuration beside the project file that it is shown.
      writeFileSync(join(folder, "Pulumi.yaml"), stringify({ name: PROJECT, runtime: "nodejs" }));
      stack.configure(configuration);
      const init = await stack.inFolder("stack", "init", name, "--no-select");
      assert.equal(init.exitCode, 0, init.output);
      return stack;
    } catch (error) {
      stack.remove();
      throw error;
    }
  }

  /** Path of the configuration. */
  get file(): string {
    return join(this.folder, `Pulumi.${this.name}.yaml`);
  }

  /** The whole configuration, without the project's namespace. */
  configure(configuration: Record<string, unknown>): void {
    const config = Object.fromEntries(
      Object.entries(configuration).map(([key, value]) => [`${PROJECT}:${key}`, value]),
    );
    writeFileSync(this.file, stringify({ ...this.salt(), config }));
  }

  /** Runs an operation of the engine on the program. */
  run(operation: string, ...flags: string[]): Promise<PulumiRun> {
    return runPulumi([operation, "--stack", this.name, "--config-file", this.file, ...flags], {
      cwd: REPOSITORY,
      environment: this.sandbox.environment(),
    });
  }

  /** Runs an operation that has to succeed; what it printed. */
  async succeeds(operation: string, ...flags: string[]): Promise<string> {
    const { exitCode, output } = await this.run(operation, ...flags);
    assert.equal(exitCode, 0, output);
    return output;
  }

  /** Runs an operation that needs no program. */
  inFolder(...args: string[]): Promise<PulumiRun> {
    return runPulumi(args, { cwd: this.folder, environment: this.sandbox.environment() });
  }

  /** The state as the engine keeps it. */
  state(): string {
    const stacks = join(this.sandbox.folder.state, ".pulumi", "stacks", PROJECT);
    return readFileSync(join(stacks, `${this.name}.json`), "utf8");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private salt(): object {
    try {
      const { encryptionsalt } = parse(readFileSync(this.file, "utf8")) as {
        encryptionsalt?: string;
      };
      return encryptionsalt === undefined ? {} : { encryptionsalt };
    } catch {
      return {};
    }
  }
}

/** The repository's own configuration of its stack `dev`, without the project's namespace. */
export function devConfiguration(): Record<string, unknown> {
  const { config } = parse(readFileSync(join(REPOSITORY, "Pulumi.dev.yaml"), "utf8")) as {
    config: Record<string, unknown>;
  };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.slice(PROJECT.length + 1), value]),
  );
}
