/** The examples of docs/guides/sandbox.md, as they stand there. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(__dirname, "../..");
const guide = readFileSync(join(ROOT, "docs/guides/sandbox.md"), "utf8");

describe("the sandbox's guide", function () {
  this.timeout(120_000);
  let folder: string;
  let sandbox: ChildProcess | undefined;

  before(async function () {
    const lacking = ["curl", "openssl", "jq"].filter(
      (tool) => spawnSync(tool, ["--version"]).error !== undefined,
    );
    if (lacking.length > 0) {
      console.log(`      left out: this machine has no ${lacking.join(" and no ")}`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "dps-guide-"));
    const command = ["--require", "tsx/cjs", join(ROOT, "sandbox/main.ts")];
    // Where the guide's reader is: a folder of their own, in which .sandbox is made.
    const child = spawn(process.execPath, [...command, "--dir", join(folder, ".sandbox")], {
      cwd: ROOT,
    });
    sandbox = child;
    await new Promise<void>((ok, no) => {
      child.stdout.on("data", (data: Buffer) => data.toString().includes("Ctrl-C") && ok());
      child.once("exit", () => no(new Error("the sandbox ended")));
    });
  });

  after(async () => {
    if (sandbox === undefined) return;
    sandbox.kill("SIGTERM");
    await once(sandbox, "exit");
    rmSync(folder, { recursive: true, force: true });
  });

  it("registers a device with curl and openssl", async () => {
    const { exitCode, output } = await run("bash", ["-c", example("sh", "set -eu")]);
    assert.equal(exitCode, 0, output);
    assert.match(output, /^pump-1 is assigned to hub\.azure-devices\.sandbox\.test$/m);
  });

  it("shows the same to Microsoft's SDK for Node", async () => {
    const script = example("js", "ProvisioningServiceClient");
    const wrapped = `eval "$(cd ${ROOT} && node --require tsx/cjs sandbox/main.ts env --dir ${folder}/.sandbox)"
      cd ${ROOT} && exec node -e "$SCRIPT"`;
    const { exitCode, output } = await run("bash", ["-c", wrapped], { SCRIPT: script });
    assert.equal(exitCode, 0, output);
    assert.equal(output, "pump-1 assigned\n");
  });

  /** The one example in this language that has these words. */
  function example(language: string, words: string): string {
    const found = [...guide.matchAll(/```(\w+)\n(.*?)```/gs)].filter(
      ([, of, text]) => of === language && text!.includes(words),
    );
    assert.equal(found.length, 1);
    return found[0]![2]!;
  }

  async function run(command: string, args: string[], extra: NodeJS.ProcessEnv = {}) {
    const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...extra } });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => (output += data.toString()));
    }
    const [exitCode] = (await once(child, "close")) as [number | null];
    return { exitCode, output };
  }
});
