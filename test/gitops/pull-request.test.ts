/**
 * A pull request that rolls a certificate, through the workflows' own shell steps on the real engine: `up` of
 * what is on main, the plan without a passphrase, `up` after the merge, the expiry watch.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { killTree, runPulumi } from "../support/pulumi";
import { openSandbox, type TestSandbox } from "../support/sandbox";
import { TestCa } from "../support/test-ca";
import { runStep } from "./steps";

const run = promisify(execFile);
const ROOT = join(__dirname, "../..");
const DAY = 86_400_000;

describe("a roll as a pull request, through the workflows' steps", function () {
  this.timeout(300_000);
  let sandbox: TestSandbox;
  let folder: string;
  /** A checkout of its own: commands write beside the configuration of stacks. */
  let checkout: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "pull-request-"));
    checkout = join(folder, "checkout");
    const { stdout } = await run("git", ["ls-files", "-co", "--exclude-standard", "-z"], {
      cwd: ROOT,
      maxBuffer: 64 * 1024 * 1024,
    });
    for (const file of stdout.split("\0").filter((each) => each !== "")) {
      mkdirSync(dirname(join(checkout, file)), { recursive: true });
      cpSync(join(ROOT, file), join(checkout, file));
    }
    symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
    sandbox = await openSandbox();
    const root = await TestCa.root("Plant Root");
    const until = (days: number) => ({ notAfter: new Date(Date.now() + days * DAY) });
    mkdirSync(join(checkout, "pki"));
    for (const [name, leaf] of [
      ["old", await root.leaf("truck-7", until(12))],
      ["new", await root.leaf("truck-7", until(90))],
    ] as const) {
      writeFileSync(join(checkout, "pki", `${name}.pem`), leaf.pem);
    }
    // What the engine asks for to make a stack; in a repository a person has done it once.
    configure({ primary: "old" });
    await run(
      process.execPath,
      ["toolchain/run.mjs", "pulumi", "stack", "init", "staging", "--no-select"],
      { cwd: checkout, env: { ...process.env, ...sandbox.environment() } },
    );
    salt = /^encryptionsalt: .*$/m.exec(readFileSync(stackFile(), "utf8"))![0];
  });

  after(async () => {
    await sandbox?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  let salt = "";
  const stackFile = () => join(checkout, "Pulumi.staging.yaml");

  function configure(slots: { primary: string; secondary?: string }, more: object = {}): void {
    const entry = Object.fromEntries(
      Object.entries(slots).map(([slot, certificate]) => [slot, { certificate }]),
    );
    const config = {
      target: "sandbox",
      service: { name: "dps-staging", resourceGroup: "rg", location: "westeurope" },
      hubs: [{ name: "hub-staging" }],
      certificates: { old: { file: "pki/old.pem" }, new: { file: "pki/new.pem" } },
      individualEnrollments: { "truck-7": entry },
      ...more,
    };
    const own = Object.entries(config).map(([key, value]) => [`dps-certificates:${key}`, value]);
    writeFileSync(
      stackFile(),
      `${salt}\n${stringify({ config: Object.fromEntries(own) as object })}`,
    );
  }

  function step(
    file: string,
    job: string,
    name: string,
    more: Record<string, string> = {},
    started?: (shell: ChildProcess) => void,
  ): ReturnType<typeof runStep> {
    const variables = sandbox.environment();
    // Only the environment of a stack has it, and there only `up` is given it.
    if (name !== "up") delete variables["PULUMI_CONFIG_PASSPHRASE"];
    return runStep(file, job, name, {
      cwd: checkout,
      environment: { ...variables, STACK: "staging", RUNNER_TEMP: folder, ...more },
      ...(started && { started }),
    });
  }

  async function up(): Promise<void> {
    const { exitCode, output } = await step("apply.yml", "up", "up");
    assert.equal(exitCode, 0, output);
  }

  it("brings dev up in a sandbox that the run starts and ends", async () => {
    const { exitCode, output } = await runStep("up.yml", "dev", "up in a sandbox", {
      cwd: checkout,
      environment: {},
    });
    assert.equal(exitCode, 0, output);
    assert.match(output, /Resources:\n +\d+ unchanged/);
    const attach = ["toolchain/run.mjs", "sandbox", "env"];
    await assert.rejects(run(process.execPath, attach, { cwd: checkout }), "it has ended");
  });

  it("brings up what is on main", up);

  it("plans the pull request for its comment, with no passphrase", async () => {
    configure({ primary: "old", secondary: "new" });
    const variables = join(folder, "github-env");
    const copied = await step("preview.yml", "plan", "copy the state, without its secrets", {
      GITHUB_ENV: variables,
    });
    assert.equal(copied.exitCode, 0, copied.output);
    const lines = readFileSync(variables, "utf8").trimEnd().split("\n");
    const environment = Object.fromEntries(
      lines.map((line) => line.split(/=(.*)/s, 2) as [string, string]),
    );
    const { exitCode, output } = await step("preview.yml", "plan", "plan", environment);
    assert.equal(exitCode, 0, output);
    const plan = JSON.parse(readFileSync(join(checkout, "plan.json"), "utf8")) as {
      verdict: string;
      namesLeftOut: boolean;
    };
    // Nothing has said that whoever can read the comment may know the devices.
    assert.deepEqual([plan.verdict, plan.namesLeftOut], ["changes", true]);
    const markdown = readFileSync(join(checkout, "plan.md"), "utf8");
    assert.match(markdown, /expiration roll of individual enrollment `truck-7`: prepare/);
    assert.match(readFileSync(join(checkout, "plan.html"), "utf8"), /^<!doctype html>/i);
  });

  it("sees the certificate that ends, before and after the merge", async () => {
    const output = join(folder, "github-output");
    const watch = async (more: Record<string, string> = {}): Promise<string> => {
      writeFileSync(output, "");
      const seen = await step("expiry-watch.yml", "watch", "look at the dates", {
        GITHUB_OUTPUT: output,
        ...more,
      });
      assert.equal(seen.exitCode, 0, seen.output);
      return readFileSync(output, "utf8");
    };
    assert.equal(await watch(), "code=4\n");
    await up();
    configure({ primary: "new" });
    await up();
    assert.equal(await watch({ DEVICE_NAMES: "yes" }), "code=0\n");
  });

  it("goes on with a breach over an update that was stopped, whose lock it takes when it is told to", async () => {
    configure({ primary: "old" }, { compromised: [{ certificate: "new", reason: "stolen" }] });
    await killedUpdate();
    const locked = await step("apply.yml", "up", "up");
    assert.notEqual(locked.exitCode, 0);
    assert.match(locked.output, /stack is currently locked by 1 lock/);
    const taken = await step("apply.yml", "up", "take the lock of an update that was stopped");
    assert.equal(taken.exitCode, 0, taken.output);
    await stoppedUpdate();
    // The engine has given its lock back: there is none to take, which does no harm.
    const again = await step("apply.yml", "up", "take the lock of an update that was stopped");
    assert.equal(again.exitCode, 0, again.output);
    await up();
  });

  /** What a runner does to the step of a run that is stopped, while the engine talks to the service. */
  async function stoppedUpdate(): Promise<void> {
    let stop = (_: { method: string }): void => undefined;
    const { exitCode, output } = await step("apply.yml", "up", "up", {}, (shell) => {
      stop = ({ method }) => {
        if (method === "GET") return;
        sandbox.sandbox.log.off("request", stop);
        shell.kill("SIGINT");
      };
      sandbox.sandbox.log.on("request", stop);
    });
    sandbox.sandbox.log.off("request", stop);
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /\^C received; cancelling/);
    assert.ok(!isLocked(), "the lock is given back");
  }

  const isLocked = (): boolean => {
    const locks = join(sandbox.folder.state, ".pulumi", "locks");
    return (
      existsSync(locks) &&
      readdirSync(locks, { recursive: true, encoding: "utf8" }).some((file) =>
        file.endsWith(".json"),
      )
    );
  };

  /** One that is killed as soon as it holds the lock of its stack. */
  async function killedUpdate(): Promise<void> {
    await runPulumi(["up", "--yes", "--stack", "staging"], {
      cwd: checkout,
      environment: sandbox.environment(),
      started: (child) => {
        const timer = setInterval(() => {
          if (!isLocked()) return;
          clearInterval(timer);
          killTree(child.pid!);
        }, 20);
        child.once("exit", () => clearInterval(timer));
      },
    });
    assert.ok(isLocked(), "the update was killed while it held its lock");
  }
});
