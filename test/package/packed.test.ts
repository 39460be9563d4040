/**
 * The package as it is packed, in a folder that holds nothing else: what it needs is in the tarball or
 * among its declared dependencies. What it does not prove: that the registry has those.
 */
import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { EndpointsFile } from "../../sandbox/endpoints";

const run = promisify(execFile);
const ROOT = resolve(__dirname, "../..");
const PACKAGE = "pulumi-dps-certificates";

interface PackageJson {
  dependencies: Record<string, string>;
  bin: Record<string, string>;
}

describe("the packed package", function () {
  this.timeout(120_000);
  let folder: string;
  let bin: string;
  /** Paths by name. */
  let bins: Record<string, string>;
  let running: ChildProcess | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "dps-packed-"));
    await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: ROOT });
    const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"));
    const modules = join(folder, "node_modules");
    const installed = join(modules, PACKAGE);
    mkdirSync(installed, { recursive: true });
    await run("tar", ["-xzf", join(folder, tarball!), "--strip-components=1", "-C", installed]);
    const { dependencies, bin: commands } = JSON.parse(
      readFileSync(join(installed, "package.json"), "utf8"),
    ) as PackageJson;
    for (const name of Object.keys(dependencies)) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
    }
    bins = Object.fromEntries(
      Object.entries(commands).map(([name, file]) => [name, join(installed, file)]),
    );
    bin = bins["dps-sandbox"]!;
  });

  after(async () => {
    if (running?.exitCode === null) {
      running.kill("SIGINT");
      await once(running, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it("starts the sandbox as dps-sandbox, from any folder, and speaks of itself by that name", async () => {
    const banner = await start();
    assert.match(banner, /^ {2}eval "\$\(dps-sandbox env\)"$/m);
    const file = join(folder, ".sandbox/endpoints.json");
    const { arm, caFile } = JSON.parse(readFileSync(file, "utf8")) as EndpointsFile;
    const status = await new Promise((answered, failed) => {
      const url = `${arm.endpoint}/metadata/endpoints?api-version=2022-09-01`;
      request(url, { ca: readFileSync(caFile) }, (answer) => answered(answer.statusCode))
        .on("error", failed)
        .end();
    });
    assert.equal(status, 200);
    const { stdout } = await run(process.execPath, [bin, "env"], { cwd: folder });
    assert.match(stdout, /^export DPS_SANDBOX_ENDPOINTS='.*\.sandbox\/endpoints\.json'$/m);
    assert.match(stdout, /^export PULUMI_DEBUG_PROVIDERS='azure-native:\d+'$/m);
  });

  it("holds everything that a program of somebody else constructs", async () => {
    const script = `
      require("tsx/cjs");
      for (const name of ["provisioning-service", "ca-certificate", "enrollment-group",
        "individual-enrollment", "breach-removal"]) {
        console.log(Object.keys(require("${PACKAGE}/components/" + name + ".ts")).join());
      }
      require("${PACKAGE}/dynamic-providers/handlers.ts");`;
    const { stdout } = await run(process.execPath, ["-e", script], { cwd: folder });
    assert.match(stdout, /^ProvisioningService\nCaCertificate\nEnrollmentGroup\n/);
  });

  it("has its commands for people without this repository, each with all that it loads", async () => {
    for (const name of ["dps-contain", "dps-plan", "dps-state-copy", "dps-status"]) {
      const { stdout } = await run(process.execPath, [bins[name]!, "--help"], { cwd: folder });
      assert.match(stdout, /^Usage: /, name);
    }
  });

  it("holds no test, no key and nothing of a workplace", () => {
    const files = readdirSync(join(folder, "node_modules", PACKAGE), { recursive: true }).map(
      String,
    );
    assert.ok(files.includes("LICENSE") && files.includes("README.md"));
    const alien = files.filter((file) =>
      /(^|\/)(test|\.ci|node_modules|Pulumi\.)|\.key/.test(file),
    );
    assert.deepEqual(alien, []);
  });

  /** Resolves with the banner when the sandbox is up. */
  function start(): Promise<string> {
    // As called by itself, whoever calls this test.
    const env = { ...process.env, npm_command: "" };
    const child = spawn(process.execPath, [bin], { cwd: folder, env });
    running = child;
    let said = "";
    return new Promise((ok, no) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (data: Buffer) => {
          said += data.toString();
          if (said.includes("Ctrl-C")) ok(said);
        });
      }
      child.on("exit", () => no(new Error(`the sandbox ended: ${said}`)));
    });
  }
});
