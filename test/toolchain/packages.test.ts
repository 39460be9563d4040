import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Machine } from "./machine";

const run = promisify(execFile);

describe("installing packages", () => {
  let machine: Machine;
  beforeEach(async () => {
    machine = await Machine.create();
    await machine.lockPackages({
      "node_modules/one": { version: "1.0.0", integrity: "sha512-one" },
      "node_modules/for-another-platform": { version: "1.0.0", optional: true },
    });
    await machine.write("installed.json", await machine.read("project/package-lock.json"));
    // npm itself writes its list last.
    await machine.command(
      "bin/npm",
      `echo "$*" >> ${machine.path("npm-calls")}
       /bin/sleep 0.2
       /bin/mkdir -p node_modules
       /bin/cp ${machine.path("installed.json")} node_modules/.package-lock.json`,
    );
  });
  afterEach(() => machine.remove());

  async function ensure(): Promise<number> {
    const { ensurePackages } = await import("../../toolchain/packages.mjs");
    await ensurePackages({
      project: machine.path("project"),
      environment: machine.environment,
      log: (text) => machine.log.push(text),
    });
    return calls();
  }

  async function calls(): Promise<number> {
    const text = await machine.read("npm-calls").catch(() => "");
    return text.split("\n").filter(Boolean).length;
  }

  it("runs npm ci on a fresh clone, development packages included, and then no more", async () => {
    assert.equal(await ensure(), 1);
    assert.match(await machine.read("npm-calls"), /^ci --include=dev /);
    assert.match(machine.log[0] ?? "", /npm ci.*there is no complete node_modules/);
    assert.equal(await ensure(), 1);
  });

  const changes: [string, object, number, string?][] = [
    [
      "another version",
      { version: "1.1.0", integrity: "sha512-one" },
      2,
      "one is 1.0.0, not 1.1.0",
    ],
    ["other content", { version: "1.0.0", integrity: "sha512-other" }, 2],
    ["the same", { version: "1.0.0", integrity: "sha512-one" }, 1],
  ];
  for (const [what, entry, wanted, reason] of changes) {
    it(`runs it ${wanted === 2 ? "again" : "not again"} when the lock asks for ${what}`, async () => {
      await ensure();
      await machine.lockPackages({ "node_modules/one": entry });
      assert.equal(await ensure(), wanted);
      if (reason) assert.ok(machine.log.some((line) => line.includes(reason)));
    });
  }

  it("leaves packages beyond the lock alone and needs no optional ones", async () => {
    await machine.write(
      "project/node_modules/.package-lock.json",
      JSON.stringify({
        packages: {
          ...(JSON.parse(await machine.read("project/package-lock.json")) as { packages: object })
            .packages,
          "node_modules/for-another-platform": undefined,
          "node_modules/tried": { version: "0.0.1" },
        },
      }),
    );
    assert.equal(await ensure(), 0);
  });

  it("runs it once for two at the same time", async () => {
    const script = await machine.write(
      "packages.mjs",
      `import { ensurePackages } from ${JSON.stringify(join(__dirname, "../../toolchain/packages.mjs"))};
       await ensurePackages({ project: ${JSON.stringify(machine.path("project"))} });`,
    );
    const options = { env: machine.environment };
    await Promise.all([1, 2].map(() => run(process.execPath, [script], options)));
    assert.equal(await calls(), 1);
  });

  it("shows npm's own words when it fails", async () => {
    await machine.command("bin/npm", "echo npm error code EACCES >&2; exit 1");
    await assert.rejects(ensure(), /npm's own words are above/);
    assert.match(machine.log.join("\n"), /npm error code EACCES/);
  });

  it("says that npm is missing", async () => {
    const { ensurePackages } = await import("../../toolchain/packages.mjs");
    const options = { project: machine.path("project"), environment: { PATH: "/nowhere" } };
    await assert.rejects(
      ensurePackages({ ...options, log: () => {} }),
      /npm was not found; install/,
    );
  });

  it("says that Node is too old, and which it is", async () => {
    const { checkNode } = await import("../../toolchain/packages.mjs");
    await checkNode(machine.path("project"), "20.19.0");
    await assert.rejects(checkNode(machine.path("project"), "18.20.1"), {
      message:
        "This needs Node >= 20.19.0, and this is 18.20.1; install Node from https://nodejs.org, " +
        "then run again.",
    });
  });
});
