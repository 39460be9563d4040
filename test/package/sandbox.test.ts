/**
 * `npm pack ./sandbox`: the sandbox as a package of its own, installed by npm into a folder that holds nothing
 * else, from the registry that npm is configured for.
 */
import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, normalize, resolve } from "node:path";
import { promisify } from "node:util";
import { Box } from "../sandbox/cli/writing-clients";

const run = promisify(execFile);
const ROOT = resolve(__dirname, "../..");
const SANDBOX = join(ROOT, "sandbox");

interface Manifest {
  version: string;
  license: string;
  engines: unknown;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
}

const own = manifestIn(SANDBOX);
const whole = manifestIn(ROOT);

describe("the sandbox as a package of its own", function () {
  this.timeout(180_000);
  let folder: string;
  let child: ChildProcess | undefined;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "dps-sandbox-alone-"));
  });
  after(async () => {
    if (child?.exitCode === null) {
      child.kill("SIGINT");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it("declares what it imports and nothing else, in the versions of the whole, Pulumi as optional", () => {
    const imported = new Set<string>();
    for (const file of sources()) {
      for (const name of importsOf(readFileSync(join(SANDBOX, file), "utf8"))) {
        if (name.startsWith(".")) {
          const target = normalize(join(dirname(file), name));
          assert.ok(
            !target.startsWith(".."),
            `${file} imports ${name}, which is not in the package`,
          );
        } else if (!builtinModules.includes(name.replace(/^node:/, ""))) {
          imported.add(name.split("/", name.startsWith("@") ? 2 : 1).join("/"));
        }
      }
    }
    const { dependencies, peerDependencies, peerDependenciesMeta } = own;
    const declared = { ...dependencies, ...peerDependencies };
    assert.deepEqual(Object.keys(declared).sort(), [...imported].sort());
    for (const [name, version] of Object.entries(declared)) {
      assert.equal(version, whole.dependencies[name], name);
    }
    assert.deepEqual(
      Object.keys(peerDependencies).sort(),
      Object.keys(peerDependenciesMeta).sort(),
    );
    assert.ok(Object.values(peerDependenciesMeta).every(({ optional }) => optional));
    assert.deepEqual(
      [own.version, own.license, own.engines],
      [whole.version, whole.license, whole.engines],
    );
    const licence = (at: string): string => readFileSync(join(at, "LICENSE"), "utf8");
    assert.equal(licence(SANDBOX), licence(ROOT));
  });

  it("is installed by npm without Pulumi, starts, and makes a hub", async function () {
    await run("npm", ["pack", SANDBOX, "--silent", "--pack-destination", folder], { cwd: folder });
    const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"))!;
    const options = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
    try {
      await run("npm", ["install", ...options, `./${tarball}`], { cwd: folder });
    } catch (error) {
      const { stderr } = error as { stderr: string };
      const unreachable =
        /npm (?:error|ERR!) code (E(?:NOTFOUND|AI_AGAIN|CONNREFUSED|TIMEDOUT)|ENOTCACHED)/.exec(
          stderr,
        );
      if (unreachable === null) throw error;
      console.log(`      skipped: npm cannot reach its registry (${unreachable[1]})`);
      this.skip();
    }
    const modules = readdirSync(join(folder, "node_modules"));
    assert.ok(modules.includes("dps-sandbox"));
    assert.deepEqual(
      modules.filter((name) => name === "@pulumi" || name === "@azure"),
      [],
    );

    const bin = join(folder, "node_modules/.bin/dps-sandbox");
    const banner = await start(bin);
    assert.match(
      banner,
      /^ {2}For SDKs and devices only: Pulumi \(@pulumi\/pulumi\) is not installed/m,
    );
    assert.match(banner, /^ {2}eval "\$\(npx dps-sandbox env\)"$/m);
    const help = await run("npx", ["dps-sandbox", "clock", "--help"], { cwd: folder });
    assert.match(help.stdout, /^Usage: dps-sandbox clock /);
    const { stdout } = await run(bin, ["env"], { cwd: folder });
    assert.match(stdout, /^export DPS_SANDBOX_ENDPOINTS=/m);
    assert.doesNotMatch(stdout, /PULUMI_DEBUG_PROVIDERS/);

    const box = await Box.of(join(folder, ".sandbox/endpoints.json"));
    const location = "westeurope";
    await box.arm("PUT", "/resourceGroups/rg", { location });
    const path = "/resourceGroups/rg/providers/Microsoft.Devices/IotHubs/alone";
    const made = await box.arm("PUT", path, { location, sku: { name: "S1", capacity: 1 } });
    assert.equal(made.status, 201);
    while ((await box.arm("GET", path)).body.properties["state"] !== "Active");
    const after = await Box.of(join(folder, ".sandbox/endpoints.json"));
    assert.equal((await after.hub("PUT", "/devices/d-1", { deviceId: "d-1" })).status, 200);
  });

  /** Resolves with the banner when the sandbox is up. */
  function start(bin: string): Promise<string> {
    // As npx calls it; npx itself would keep the signal that ends it.
    const started = spawn(bin, { cwd: folder, env: { ...process.env, npm_command: "exec" } });
    child = started;
    let said = "";
    return new Promise((ok, no) => {
      for (const stream of [started.stdout, started.stderr]) {
        stream.on("data", (data: Buffer) => {
          said += data.toString();
          if (said.includes("Ctrl-C")) ok(said);
        });
      }
      started.on("exit", () => no(new Error(`the sandbox ended: ${said}`)));
    });
  }
});

function manifestIn(at: string): Manifest {
  return JSON.parse(readFileSync(join(at, "package.json"), "utf8")) as Manifest;
}

function sources(): string[] {
  return readdirSync(SANDBOX, { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.c?ts$|\.cjs$/.test(file),
  );
}

/** Module names in `import`, `export ... from`, `import(...)` and `require(...)`. */
function importsOf(text: string): string[] {
  const forms = /(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*"([@\w./-]+)"/g;
  return [...text.matchAll(forms)].map(([, name]) => name!);
}
