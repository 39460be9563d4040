import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";

const ROOT = resolve(__dirname, "../../..");

describe("the sandbox's command line", () => {
  let parent: string;
  let dir: string;
  let running: ChildProcess | undefined;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "dps-sandbox-"));
    dir = join(parent, "box");
  });

  afterEach(async () => {
    if (running !== undefined && running.exitCode === null && running.signalCode === null) {
      running.kill("SIGKILL");
      await once(running, "exit");
    }
    running = undefined;
    rmSync(parent, { recursive: true, force: true });
  });

  it("says what runs and how to use it, gives the environment, and stops cleanly", async () => {
    const banner = await start(["--dir", dir]);
    assert.match(banner, /^The DPS sandbox is running in .*box\. Nothing here is real\.$/m);
    assert.match(banner, /^ {2}eval "\$\(npm run -s sandbox -- env --dir .*box\)"$/m);
    assert.match(banner, /^Stop it with Ctrl-C\.$/m);

    const company = join(parent, "company.pem");
    writeFileSync(company, "a company's own CA\n");
    const env = call(["env", "--dir", dir], {
      NODE_OPTIONS: "--no-deprecation",
      NODE_EXTRA_CA_CERTS: company,
    });
    assert.equal(env.status, 0, env.stderr);
    const shell = spawnSync("sh", ["-c", `${env.stdout}\nenv`], { encoding: "utf8" });
    const variables = new Map(
      shell.stdout.split("\n").map((line) => line.split(/=(.*)/s, 2) as [string, string]),
    );
    assert.equal(variables.get("DPS_SANDBOX_ENDPOINTS"), join(dir, "endpoints.json"));
    assert.match(variables.get("NODE_OPTIONS") ?? "", /^--no-deprecation --require .*preload\.cjs/);
    const trusted = readFileSync(variables.get("NODE_EXTRA_CA_CERTS") ?? "", "utf8");
    assert.ok(trusted.includes("a company's own CA"));
    assert.ok(trusted.startsWith(readFileSync(join(dir, "ca.pem"), "utf8").trim()));
    assert.match(variables.get("PULUMI_DEBUG_PROVIDERS") ?? "", /^azure-native:\d+$/);
    assert.match(variables.get("PULUMI_CONFIG_PASSPHRASE") ?? "", /^[\w-]{32}$/);

    assert.equal(await stop("SIGINT"), 0);
    assert.equal(existsSync(join(dir, "endpoints.json")), false);
    const after = call(["env", "--dir", dir]);
    assert.equal(after.status, 1);
    assert.equal(after.stdout, "");
    assert.match(after.stderr, /^No sandbox runs in .*box: start one with "npm run sandbox"/);
  });

  it("refuses a second one in the same folder, and replaces one that was killed", async () => {
    await start(["--dir", dir]);
    const second = call(["--dir", dir]);
    assert.equal(second.status, 1);
    assert.match(second.stderr, /^A sandbox already runs in .*: stop it, or choose another/);
    const { pid } = endpoints();
    assert.equal(await stop("SIGKILL"), null);
    assert.equal(call(["env", "--dir", dir]).status, 1);

    await start(["--dir", dir]);
    assert.notEqual(endpoints().pid, pid);
    assert.equal(await stop("SIGTERM"), 0);
  });

  it("sets switches by name, lists them, and refuses others in one sentence", async () => {
    const list = call(["switches"]);
    assert.equal(list.status, 0, list.stderr);
    assert.match(list.stdout, /^disabledIndividualDenies=registration-id {2}\(DPS; /);
    const wrong = call(["--dir", dir, "--switch", "disabledIndividualDenies=name"]);
    assert.equal(wrong.status, 1);
    assert.equal(
      wrong.stderr,
      'The switch disabledIndividualDenies cannot be "name": it takes registration-id or certificate.\n',
    );
    assert.equal(existsSync(dir), false);
    const scale = call(["--dir", dir, "--throttle-scale", "fast"]);
    assert.equal(scale.stderr, "--throttle-scale fast: write a number above 0.\n");
    const settings = ["--no-throttle", "--switch", "disabledIndividualDenies=certificate"];
    const banner = await start(["--dir", dir, ...settings]);
    assert.match(banner, /^ {2}Switch {3}disabledIndividualDenies=certificate$/m);
    assert.match(banner, /^ {2}Without the published limits on rates\.$/m);
    assert.equal(await stop("SIGTERM"), 0);
  });

  it("leaves nothing behind when it is stopped while it starts", async () => {
    running = spawn(process.execPath, command(["--dir", dir]), { cwd: ROOT, stdio: "ignore" });
    while (!existsSync(join(dir, "sandbox.lock"))) {
      await setTimeout(20);
    }
    assert.equal(await stop("SIGINT"), 0);
    assert.deepEqual(readdirSync(dir), ["sandbox-folder.json"]);
  });

  function endpoints(): { pid: number } {
    return JSON.parse(readFileSync(join(dir, "endpoints.json"), "utf8")) as { pid: number };
  }

  function command(args: string[]): string[] {
    return ["--require", "tsx/cjs", join(ROOT, "sandbox/main.ts"), ...args];
  }

  function call(args: string[], variables: NodeJS.ProcessEnv = {}) {
    const env = { ...process.env, NODE_OPTIONS: "", ...variables };
    return spawnSync(process.execPath, command(args), { cwd: ROOT, env, encoding: "utf8" });
  }

  /** Resolves with the banner when the sandbox is up. */
  function start(args: string[]): Promise<string> {
    const child = spawn(process.execPath, command(args), { cwd: ROOT });
    running = child;
    let [out, err] = ["", ""];
    child.stderr.on("data", (data: Buffer) => (err += data.toString()));
    return new Promise((ok, no) => {
      child.stdout.on("data", (data: Buffer) => {
        out += data.toString();
        if (out.includes("Ctrl-C")) {
          ok(out);
        }
      });
      child.on("exit", () => no(new Error(`the sandbox ended: ${out}${err}`)));
    });
  }

  async function stop(signal: NodeJS.Signals): Promise<number | null> {
    const child = running!;
    child.kill(signal);
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  }
});
