/** docs/guides/contract-suites.md: the suites, aimed at a sandbox that they did not start. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { aimOf } from "../contract/aim";
import { openSandbox, type TestSandbox } from "../support/sandbox";

const ROOT = resolve(__dirname, "../..");
const SUBSCRIPTION = "11111111-2222-3333-4444-555555555555";
const guide = readFileSync(join(ROOT, "docs/guides/contract-suites.md"), "utf8");

describe("contract suites that are aimed", function () {
  this.timeout(180_000);
  let sandbox: TestSandbox;
  let folder: string;

  before(async () => {
    // Microsoft's device SDK for Python knows no ports but these.
    sandbox = await openSandbox({ standardPorts: true });
    folder = mkdtempSync(join(tmpdir(), "dps-aimed-"));
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await sandbox.close();
  });

  it("run where they are aimed, delete what they made, and tell what is left out", async () => {
    const { exitCode, output } = await aimed("30m", [
      join(ROOT, "test/contract/enrollment-groups.test.ts"),
      join(ROOT, "test/contract/twins.test.ts"),
      join(ROOT, "test/contract/identity.test.ts"),
    ]);
    assert.equal(exitCode, 0, output);
    assert.ok(output.includes(`Aimed at subscription ${sandbox.subscriptionId}`), output);
    const made = groups("makes", output);
    assert.equal(made.length, 2);
    assert.deepEqual(groups("deleted", output), made);
    assert.match(output, /- importDevicesFromBlob: 501 \(left out when aimed/);
    assert.match(output, /left out when aimed: secrets of the sandbox's own client/);
    assert.deepEqual(await left(), []);
  });

  it("run in Python too, where that is there", async () => {
    const cases = "azure-mgmt-iothubprovisioningservices|individual enrollment";
    const spec = join(ROOT, "test/contract/python/python.test.ts");
    const { exitCode, output } = await aimed("30m", ["--grep", cases, spec]);
    assert.equal(exitCode, 0, output);
    const made = groups("makes", output);
    if (!output.includes("skipped: cannot")) {
      assert.equal(made.length, 1, output);
      assert.match(output, /2 passing/);
    }
    assert.deepEqual(groups("deleted", output), made);
    assert.deepEqual(await left(), []);
  });

  it("delete what they made also when they fail, at their end, and before they have begun", async () => {
    const broken = join(folder, "broken.test.cjs");
    writeFileSync(
      broken,
      `const { openPlace } = require(${JSON.stringify(join(ROOT, "test/contract/place.ts"))});
      describe("broken", () => {
        before(async () => { await openPlace(); throw new Error("in the beginning"); });
        it("does not come to this", () => {});
      });
      describe("broken at its end", () => {
        it("leaves it", async () => { await openPlace(); throw new Error("and fails"); });
        after(() => { throw new Error("at the end"); });
      });`,
    );
    const { exitCode, output } = await aimed("30m", [broken]);
    assert.notEqual(exitCode, 0, output);
    assert.match(output, /in the beginning/);
    assert.match(output, /at the end/);
    const made = groups("makes", output);
    assert.equal(made.length, 2, output);
    assert.deepEqual(groups("deleted", output), made);
    assert.deepEqual(await left(), []);
  });

  it("delete what they made when they are stopped by Ctrl-C", async () => {
    const spec = [join(ROOT, "test/contract/twins.test.ts")];
    let isStopped = false;
    const { exitCode, output } = await aimed("30m", spec, (child, seen) => {
      // A second one would end it at once.
      if (!isStopped && seen.includes("✔")) isStopped = child.kill("SIGINT");
    });
    assert.equal(exitCode, 130, output);
    const made = groups("makes", output);
    assert.equal(made.length, 1, output);
    assert.deepEqual(groups("deleted", output), made);
    assert.deepEqual(await left(), []);
  });

  it("make nothing among other tests, with their time-out", async () => {
    const spec = [join(ROOT, "test/contract/twins.test.ts")];
    const { exitCode, output } = await aimed("60s", spec);
    assert.notEqual(exitCode, 0);
    assert.match(output, /run them alone, with mocha's --timeout 30m .* Nothing was made\./);
    assert.deepEqual(groups("makes", output), []);
    assert.deepEqual(await left(), []);
  });

  it("are aimed at nothing unless both variables say so, and never past an attached sandbox", () => {
    assert.equal(aimOf({ DPS_CONTRACT_LOCATION: "westeurope", AZURE_CLIENT_ID: "x" }), undefined);
    const said = { DPS_CONTRACT_SUBSCRIPTION: SUBSCRIPTION, DPS_CONTRACT_LOCATION: "westeurope" };
    assert.deepEqual(aimOf(said), {
      subscriptionId: SUBSCRIPTION,
      location: "westeurope",
      resourceManager: "https://management.azure.com",
      isSandbox: false,
    });
    for (const name of Object.keys(said)) assert.ok(guide.includes(name), name);
    const attached = { ...sandbox.environment({}), ...said };
    assert.throws(() => aimOf(attached), /attached to a sandbox, whose subscription is /);
    assert.throws(() => aimOf({ DPS_CONTRACT_SUBSCRIPTION: SUBSCRIPTION }), /name an Azure region/);
    assert.throws(() => aimOf({ ...said, DPS_CONTRACT_SUBSCRIPTION: "Contoso" }), /a GUID/);
  });

  /** @param said is told all that has been said, whenever there is more */
  async function aimed(
    timeout: string,
    spec: string[],
    said?: (child: ChildProcess, seen: string) => void,
  ) {
    const mocha = join(ROOT, "node_modules/mocha/bin/mocha.js");
    const child = spawn(process.execPath, [mocha, "--timeout", timeout, ...spec], {
      cwd: ROOT,
      env: {
        ...process.env,
        ...sandbox.environment({}),
        DPS_CONTRACT_SUBSCRIPTION: sandbox.subscriptionId,
        DPS_CONTRACT_LOCATION: "westeurope",
      },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        output += data.toString();
        said?.(child, output);
      });
    }
    const [exitCode] = (await once(child, "close")) as [number | null];
    return { exitCode, output };
  }

  function groups(verb: string, output: string): string[] {
    return [...output.matchAll(new RegExp(`^ +${verb} (dps-contract-group-\\w+)`, "gm"))]
      .map(([, group]) => group!)
      .sort();
  }

  async function left(): Promise<string[]> {
    const path = `/subscriptions/${sandbox.subscriptionId}/resourcegroups`;
    const { body } = await sandbox.arm("GET", path, { apiVersion: "2021-04-01" });
    return body.value.map(({ name }) => name);
  }
});
