import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Engine } from "../../toolchain/engine.mjs" with { "resolution-mode": "import" };
import { Machine, versions } from "./machine";

const run = promisify(execFile);
const toolchain = join(__dirname, "../../toolchain");

describe("running a command", () => {
  let machine: Machine;
  beforeEach(async () => (machine = await Machine.create()));
  afterEach(() => machine.remove());

  it("names the commands there are when it is asked for another", async () => {
    await assert.rejects(run(process.execPath, [join(toolchain, "run.mjs"), "stat"]), {
      code: 1,
      stderr: /^"stat" is no command; use one of engine, start, .*\n$/,
    });
  });

  describe("hands over to it", () => {
    /** @param script the command, in JavaScript */
    async function handOver(script: string) {
      const file = await machine.write(
        "hand-over.mjs",
        `import { handOver } from ${JSON.stringify(join(toolchain, "processes.mjs"))};
         process.exitCode = await handOver(process.execPath, ["-e", ${JSON.stringify(script)}],
           { cwd: ${JSON.stringify(machine.folder)}, env: process.env });`,
      );
      return spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "pipe"] });
    }

    it("with its exit code", async () => {
      const child = await handOver("process.exit(7)");
      assert.equal(await new Promise((resolve) => child.once("exit", resolve)), 7);
    });

    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      it(`and passes ${signal} on, once`, async () => {
        const child = await handOver(
          `process.on("${signal}", () => {
             console.log("got");
             setTimeout(() => process.exit(3), 100);
           });
           console.log("ready");
           setInterval(() => {}, 1000);`,
        );
        let output = "";
        child.stdout.on("data", (chunk: Buffer) => {
          output += chunk.toString();
          if (output === "ready\n") child.kill(signal);
        });
        assert.equal(await new Promise((resolve) => child.once("close", resolve)), 3);
        assert.equal(output, "ready\ngot\n");
      });
    }
  });

  describe("gives it an environment", () => {
    async function environment(extra: NodeJS.ProcessEnv = {}) {
      const { engineEnvironment } = await import("../../toolchain/environment.mjs");
      const engine: Engine = {
        root: machine.root,
        binDir: join(machine.root, "bin"),
        pulumiHome: machine.home,
        version: versions.engine,
        way: "build",
        plugins: [],
      };
      return engineEnvironment(engine, { PATH: "/bin", ...extra }, machine.path("project"));
    }

    beforeEach(async () => {
      await machine.write("project/node_modules/@pulumi/pulumi/package.json", "{}");
      await machine.write(
        "project/node_modules/@pulumi/tls/package.json",
        '{"version":"5.4.0","pulumi":{"resource":true,"name":"tls","version":"5.4.0"}}',
      );
    });

    it("with the engine first on PATH", async () => {
      const { PATH, PULUMI_HOME } = await environment();
      assert.equal(PATH, `${machine.root}/bin:/bin`);
      assert.equal(PULUMI_HOME, machine.home);
    });

    it("in which a program starts without npm's dependency resolver, and still has it", async () => {
      const { NODE_OPTIONS } = await environment({ NODE_OPTIONS: "--no-deprecation" });
      assert.match(NODE_OPTIONS ?? "", /^--no-deprecation --require .*load-when-used\.cjs$/);
      const script = `
        require("@pulumi/pulumi");
        const loaded = () => Object.keys(require.cache).some((file) => file.includes("arborist"));
        const before = loaded();
        const Arborist = require("@npmcli/arborist");
        console.log(before, loaded(), typeof new Arborist({ path: "." }).loadActual);`;
      const { stdout } = await run(process.execPath, ["-e", script], {
        cwd: join(toolchain, ".."),
        env: { ...process.env, NODE_OPTIONS },
      });
      assert.equal(stdout, "false true function\n");
      // Commands of npm inherit it.
      await run("npm", ["ls", "--depth=0"], {
        cwd: join(toolchain, ".."),
        env: { ...process.env, NODE_OPTIONS },
      });
    });

    it("that stops plugin downloads only when no plugin is lacking", async () => {
      const name = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION";
      assert.equal((await environment())[name], undefined);
      assert.equal((await environment({ PULUMI_DEBUG_PROVIDERS: "tls:1234" }))[name], "true");
      await machine.installPlugins();
      assert.equal((await environment())[name], "true");
      assert.equal((await environment({ [name]: "false" }))[name], "false");
    });
  });

  it("serves dynamic resources by the @pulumi/pulumi of the program's folder", async () => {
    await machine.installGo();
    const { binDir } = await machine.ensure();
    const script = "node_modules/@pulumi/pulumi/cmd/dynamic-provider/index.js";
    await machine.write(`project/${script}`, "console.log(process.argv[2], process.argv[3])");
    await mkdir(machine.path("project/program"));
    await symlink("/bin/sh", machine.path("bin/sh"));
    const { stdout } = await run(
      join(binDir, "pulumi-resource-pulumi-nodejs"),
      ["--flag", "127.0.0.1:1 2"],
      { cwd: machine.path("project/program"), env: machine.environment },
    );
    assert.equal(stdout, "--flag 127.0.0.1:1 2\n");
  });
});
