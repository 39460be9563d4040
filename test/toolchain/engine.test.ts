import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { access, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Machine, versions, workingDownload } from "./machine";

const run = promisify(execFile);

describe("getting an engine", () => {
  let machine: Machine;
  beforeEach(async () => (machine = await Machine.create()));
  afterEach(() => machine.remove());

  describe("by a build from Go modules", () => {
    it("puts engine, language host, dynamic provider and plugins where Pulumi looks", async () => {
      await machine.installGo();
      const engine = await machine.ensure();
      assert.equal(engine.way, "build");
      assert.equal(engine.root, machine.root);
      assert.equal(engine.version, versions.engine);
      assert.deepEqual((await readdir(engine.binDir)).sort(), [
        "pulumi",
        "pulumi-language-nodejs",
        "pulumi-resource-pulumi-nodejs",
      ]);
      const plugin = join(machine.home, "plugins", "resource-tls-v5.4.0", "pulumi-resource-tls");
      assert.equal((await run(plugin)).stdout.trim(), "5.4.0");
    });

    it("says why it builds and which way it took", async () => {
      await machine.installGo();
      await machine.ensure();
      assert.match(
        machine.log.join("\n"),
        /download of Pulumi 3\.256\.0 failed \(.*fetch failed\)/,
      );
      assert.match(machine.log.at(-1) ?? "", /^Pulumi 3\.256\.0, built from Go modules, in /);
    });

    it("leaves folders that others may read, and no unfinished ones", async () => {
      await machine.installGo();
      await machine.ensure();
      assert.equal((await stat(machine.root)).mode & 0o777, 0o755);
      assert.deepEqual(await readdir(join(machine.home, "versions")), [versions.engine]);
    });

    it("does nothing the second time, and needs no Go for it", async () => {
      await machine.installGo();
      await machine.ensure();
      assert.equal(await machine.builds(), 2);
      const start = Date.now();
      await machine.ensure();
      assert.ok(Date.now() - start < 2000);
      await machine.command("bin/go", "exit 1");
      await machine.ensure();
      assert.equal(await machine.builds(), 2);
    });

    const changes: [string, (machine: Machine) => Promise<unknown>][] = [
      ["a source", (it) => it.write("sources/engine/plugins/main.go", "package main // new\n")],
      ["a checksum", (it) => it.write("sources/engine/go.sum", "module v1 h1:=\n")],
      ["Go", (it) => it.installGo("1.27.0")],
      ["what it had built", (it) => it.write(`home/versions/${versions.engine}/bin/pulumi`, "")],
    ];
    for (const [what, change] of changes) {
      it(`builds again after a change of ${what}`, async () => {
        await machine.installGo();
        await machine.ensure();
        const before = await machine.builds();
        await change(machine);
        await machine.ensure();
        assert.ok((await machine.builds()) > before);
      });
    }

    it("builds only the plugins for an engine that lacks them", async () => {
      await machine.installGo();
      await machine.installPulumi(`home/versions/${versions.engine}/bin`, versions.engine);
      const engine = await machine.ensure();
      assert.equal(engine.way, "download");
      assert.equal(await machine.builds(), 1);
      assert.equal(
        await machine.read(`home/versions/${versions.engine}/bin/pulumi-language-nodejs`),
        "#!/bin/sh\n\n",
      );
    });

    it("installs nothing whose version is wrong", async () => {
      await machine.installGo();
      const go = await machine.read("bin/go");
      await machine.write("bin/go", go.replace("$(said version.Version)", "3.1.0"));
      await assert.rejects(machine.ensure(), /should be of version 3\.256\.0 but says "3\.1\.0"/);
      await assert.rejects(access(machine.root));
    });
  });

  describe("without what a build needs", () => {
    it("says in one sentence that Go is missing, why it is needed and what to do", async () => {
      await assert.rejects(machine.ensure(), {
        message:
          "This needs Go >= 1.25.11 to build the Pulumi engine, because the download of Pulumi " +
          "3.256.0 failed (pulumi: fetch failed); install Go from https://go.dev/dl or Pulumi " +
          "3.256.0 from https://www.pulumi.com/docs/install, then run again.",
      });
    });

    it("says that Go is too old, and which it is", async () => {
      await machine.installGo("1.25.10");
      await assert.rejects(machine.ensure(), /needs Go >= 1\.25\.11 .*, and this is go1\.25\.10, /);
    });

    it("says that go.mod and package-lock.json disagree", async () => {
      await machine.installGo();
      await machine.write(
        "sources/engine/go.mod",
        "go 1.25.11\nrequire github.com/pulumi/pulumi/pkg/v3 v3.255.0\n",
      );
      await assert.rejects(
        machine.ensure(),
        /the engine at v3\.255\.0, but .* asks for 3\.256\.0; run/,
      );
    });

    it("shows Go's own words when the compiler fails, and installs nothing", async () => {
      await machine.installGo("1.26.8", "echo undefined: x; exit 1");
      await assert.rejects(machine.ensure(), /could not be built from its Go modules/);
      assert.match(machine.log.join("\n"), /undefined: x/);
      assert.deepEqual(await readdir(join(machine.home, "versions")), []);
    });
  });

  describe("by the npm package's download", () => {
    it("comes before a build, which then is for the plugins alone", async () => {
      await machine.write("project/node_modules/pulumi/run.js", workingDownload);
      await machine.installGo();
      const engine = await machine.ensure();
      assert.equal(engine.way, "download");
      assert.equal(await machine.builds(), 1);
    });

    it("uses what somebody else put there, and never changes it", async () => {
      await machine.installPulumi(`home/versions/${versions.engine}/bin`, versions.engine);
      await machine.installPlugins();
      assert.equal((await machine.ensure()).way, "download");
      await assert.rejects(machine.ensure({ DPS_TOOLCHAIN: "build" }), /is not replaced/);
      assert.deepEqual(await readdir(machine.root), ["bin"]);
    });

    it("refuses what somebody else put there if it is another version", async () => {
      await machine.installPulumi(`home/versions/${versions.engine}/bin`, "3.255.0");
      await machine.installPlugins();
      await assert.rejects(machine.ensure(), /should be of version 3\.256\.0 but says "3\.255\.0"/);
    });
  });

  describe("that is installed", () => {
    beforeEach(() => machine.installPlugins());

    for (const version of [versions.engine, "3.256.7", "3.300.1"]) {
      it(`takes ${version}`, async () => {
        await machine.installPulumi("opt/pulumi/bin", version);
        const engine = await machine.ensure({
          PATH: [machine.path("opt/pulumi/bin"), machine.path("bin")].join(":"),
        });
        assert.deepEqual(
          [engine.way, engine.root, engine.version],
          ["installed", machine.path("opt/pulumi"), version],
        );
      });
    }

    for (const version of ["3.255.9", "4.0.0", "3.256.0-alpha.1"]) {
      it(`does not take ${version}, and says so`, async () => {
        await machine.installGo();
        await machine.installPulumi("opt/pulumi/bin", version);
        const engine = await machine.ensure({
          PATH: [machine.path("opt/pulumi/bin"), machine.path("bin")].join(":"),
        });
        assert.equal(engine.way, "build");
        assert.match(
          machine.log[0] ?? "",
          /not used: .*opt\/pulumi\/bin\/pulumi is \S+, not 3\.256\.0/,
        );
      });
    }

    it("does not take npm's own link to the package", async () => {
      await machine.installGo();
      await machine.installPulumi("project/node_modules/pulumi/bin", versions.engine);
      const engine = await machine.ensure({
        PATH: [machine.path("project/node_modules/pulumi/bin"), machine.path("bin")].join(":"),
      });
      assert.equal(engine.way, "build");
    });

    it("is required by DPS_TOOLCHAIN=installed", async () => {
      await machine.installGo();
      await assert.rejects(
        machine.ensure({ DPS_TOOLCHAIN: "installed" }),
        /no fitting Pulumi on PATH/,
      );
      await assert.rejects(
        machine.ensure({ DPS_TOOLCHAIN: "other" }),
        /set it to installed, download/,
      );
      await assert.rejects(machine.ensure({ DPS_TOOLCHAIN: "download" }), /fetch failed/);
      assert.equal(await machine.builds(), 0);
    });
  });

  describe("with others at the same time", () => {
    it("builds once for two runs", async () => {
      await machine.installGo("1.26.8", "/bin/sleep 0.3");
      const script = await machine.ensureScript();
      const both = await Promise.all([
        run(process.execPath, [script]),
        run(process.execPath, [script]),
      ]);
      assert.deepEqual(
        both.map(({ stdout }) => stdout.trim()),
        ["build", "build"],
      );
      assert.equal(await machine.builds(), 2);
      assert.match(both.map(({ stderr }) => stderr).join(""), /waiting for process \d+/);
    });

    for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
      it(`leaves nothing in place when ${signal} ends it, and the next run is whole`, async () => {
        await machine.installGo("1.26.8", `echo > ${machine.path("building")}; exec /bin/sleep 3`);
        const child = spawn(process.execPath, [await machine.ensureScript()], { stdio: "ignore" });
        const ended = new Promise((resolve) => child.once("exit", resolve));
        while (!(await exists(machine.path("building")))) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        child.kill(signal);
        await ended;
        assert.equal(await exists(machine.root), false);
        const lock = join(machine.home, "versions", ".toolchain.lock");
        assert.equal(await exists(lock), signal === "SIGKILL");
        await machine.installGo();
        assert.equal((await machine.ensure()).way, "build");
        assert.deepEqual(await readdir(join(machine.home, "versions")), [versions.engine]);
      });
    }
  });
});

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
