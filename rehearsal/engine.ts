/** The real Pulumi engine on this repository's program, with a configuration and a state elsewhere. */
import type { ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { kill, start, stop } from "./processes";

const STACK = "dev";

/** What the stack gives out, as far as a rehearsal uses it. */
export interface StackOutputs {
  idScope: string;
  provisioningHost: string;
  /** Certificates and keys made in the stack, PEM, by name. */
  devCertificates: Record<string, { certificate: string; privateKey: string }>;
  /** Devices that a breach removed and that are not back yet. */
  pendingDevices: string[];
  /** Verification codes that wait to be signed, by CA name. */
  pendingProofs: Record<string, { code: string; whatToDo: string }>;
}

/** Where devices register. */
export type Target = Pick<StackOutputs, "idScope" | "provisioningHost">;

/** A run of the engine that did not succeed; the message holds what it complained of. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  /** @param printed all that it printed */
  constructor(
    message: string,
    readonly printed = "",
  ) {
    super(message);
  }
}

export interface EngineOptions {
  /** Folder of the program: the repository. */
  program: string;
  /** Folder for the stack's configuration; Pulumi writes into that file. */
  folder: string;
  /** The sandbox's variables, which also say where the state is. */
  environment: NodeJS.ProcessEnv;
  /** Hears each line that the engine prints. */
  line: (text: string) => void;
}

export class Engine {
  /** The stack's configuration: a copy, to be changed. */
  readonly configurationFile: string;
  /** Everything the engine has printed; values that were asked for in clear are not in it. */
  printed = "";
  private readonly running = new Set<ChildProcess>();
  private stopped = false;

  constructor(private readonly options: EngineOptions) {
    this.configurationFile = join(options.folder, `Pulumi.${STACK}.yaml`);
  }

  /**
   * Makes the stack.
   *
   * @param sections what it declares; undefined: what the repository's dev stack does
   */
  async create(sections: Record<string, unknown> | undefined): Promise<void> {
    const { program, folder } = this.options;
    const project = parse(readFileSync(join(program, "Pulumi.yaml"), "utf8")) as { name: string };
    const own = (): string => readFileSync(join(program, `Pulumi.${STACK}.yaml`), "utf8");
    writeFileSync(
      this.configurationFile,
      sections === undefined
        ? // Whoever made this stack for real has a salt in the file, which goes with another passphrase.
          own().replace(/^encryptionsalt:.*\n?/m, "")
        : stringify({
            config: Object.fromEntries(
              Object.entries(sections).map(([key, value]) => [`${project.name}:${key}`, value]),
            ),
          }),
    );
    // `stack init` writes a salt into the configuration next to the project file, wherever it is
    // told that configuration is; so it is shown a project of the same name in the other folder.
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      stringify({ name: project.name, runtime: "nodejs" }),
    );
    await this.run(["stack", "init", STACK, "--no-select"], folder);
  }

  /** Resolves to what was printed. */
  async up(): Promise<string> {
    return this.operate("up", "--yes", "--skip-preview");
  }

  /** Shows what an update would do. Resolves to what was printed. */
  async preview(): Promise<string> {
    return this.operate("preview");
  }

  /** Takes away the lock that a killed run has left. */
  async cancel(): Promise<void> {
    await this.run(["cancel", "--yes", "--stack", STACK], this.options.folder);
  }

  /** SIGKILL for what runs: engine, language host, program and provider. At once, and it is done. */
  kill(): void {
    this.running.forEach(kill);
  }

  /** Did the last update bring about everything? A preview tells; what it would change is printed. */
  async isSettled(): Promise<boolean> {
    try {
      await this.operate("preview", "--expect-no-changes");
      return true;
    } catch (error) {
      if (error instanceof EngineError && error.message.includes("no changes were expected")) {
        return false;
      }
      throw error;
    }
  }

  async destroy(): Promise<void> {
    await this.operate("destroy", "--yes", "--skip-preview");
  }

  async outputs(): Promise<StackOutputs> {
    const args = ["stack", "output", "--stack", STACK, "--json", "--show-secrets"];
    return JSON.parse(await this.run(args, this.options.folder, { secret: true })) as StackOutputs;
  }

  /** Ends what runs, and lets nothing more begin. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.running].map((child) => stop(child, "SIGINT")));
  }

  private async operate(operation: string, ...flags: string[]): Promise<string> {
    return this.run(
      [operation, "--stack", STACK, "--config-file", this.configurationFile, ...flags],
      this.options.program,
    );
  }

  /** Resolves to what was printed on stdout. */
  private async run(args: string[], cwd: string, { secret = false } = {}): Promise<string> {
    if (this.stopped) {
      throw new EngineError("The rehearsal is being ended.");
    }
    const child = start("pulumi", [...args, "--non-interactive", "--color=never"], {
      cwd,
      env: this.options.environment,
    });
    this.running.add(child);
    let stdout = "";
    let everything = "";
    const lines = new Lines(secret ? () => undefined : this.options.line);
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      everything += text;
      lines.add(text);
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (everything += text));
    try {
      const exitCode = await new Promise<number | null>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
      });
      if (exitCode !== 0) {
        throw new EngineError(
          `pulumi ${args[0]} ended with ${exitCode}:\n${complaintOf(everything)}`,
          everything,
        );
      }
    } finally {
      this.running.delete(child);
      this.printed += secret ? "" : everything;
    }
    return stdout;
  }
}

/**
 * The errors of what Pulumi printed, each below the resource that has it; where it names none, the end
 * of what it printed.
 */
export function complaintOf(printed: string): string {
  const lines = printed.trimEnd().split("\n");
  const began = lines.findLastIndex((line) => line.startsWith("Diagnostics:"));
  const ended = lines.findIndex((line, at) => at > began && /^\S/.test(line));
  const errors: string[] = [];
  let resource = "";
  let isError = false;
  for (const line of lines.slice(began + 1, ended === -1 ? undefined : ended)) {
    if (/^ {2}\S/.test(line)) {
      resource = line;
      isError = false;
    } else if (/^\s+error: /.test(line)) {
      isError = true;
      if (resource !== "") errors.push(resource);
      resource = "";
    }
    if (isError && line.trim() !== "") errors.push(line);
  }
  return (began === -1 || errors.length === 0 ? lines.slice(-40) : errors).join("\n");
}

/** Cuts a stream into lines. */
class Lines {
  private rest = "";

  constructor(private readonly each: (line: string) => void) {}

  add(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    lines.forEach(this.each);
  }
}
