/** A kept sandbox in a process of its own, which can be killed at any moment and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { Box } from "./writing-clients";

const ROOT = resolve(__dirname, "../../..");

export class KeptProcess {
  private child: ChildProcess | undefined;

  constructor(private readonly dir: string) {}

  /** @param options of the command line, such as `--no-throttle` */
  async start(...options: string[]): Promise<Box> {
    const main = ["--require", "tsx/cjs", "sandbox/main.ts", "--dir", this.dir, "--keep"];
    const child = spawn(process.execPath, [...main, ...options], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.child = child;
    await new Promise<void>((ok, failed) => {
      child.stdout.on("data", (data: Buffer) => data.toString().includes("Ctrl-C") && ok());
      child.once("exit", (code) => failed(new Error(`the sandbox ended with ${code}`)));
    });
    return Box.of(join(this.dir, "endpoints.json"));
  }

  /** SIGKILL, without waiting for the end. */
  shoot(): void {
    this.child?.kill("SIGKILL");
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
}
