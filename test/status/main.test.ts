/** `npm run status` as a process of its own, on a real sandbox and on the state of a stack. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { summarize } from "../../certificates/summary";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { DeviceRegistry } from "../../sandbox/iot-hub/registry";
import type { Status } from "../../status/status";
import { declared } from "../certificates/fixtures";
import { Stage } from "../dynamic-providers/stage";
import { TestCa } from "../support/test-ca";

const MAIN = join(__dirname, "../../status/main.ts");
const DAY_MS = 86_400_000;

describe("npm run status", () => {
  let stage: Stage;
  let folder: string;
  let stateFile: string;
  let judgement: { type: string; inputs: object };

  before(async () => {
    stage = await Stage.open();
    folder = mkdtempSync(join(tmpdir(), "status-"));
    const old = await TestCa.root("Old root", { notAfter: new Date(Date.now() + 20 * DAY_MS) });
    const next = await TestCa.root("Next root");
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("old", old.pem, { selfAttested: true });
    await cas.upload("next", next.pem, { selfAttested: true });
    await stage.putGroup("plant", { primary: "old", secondary: "next" });
    for (const [id, ca] of [
      ["sensor-1", old],
      ["sensor-2", next],
      ["sensor-3", next],
    ] as const) {
      const leaf = await ca.leaf(id);
      await stage.register(id, leaf);
      if (id === "sensor-3") continue;
      reports(id, {
        leaf: { sha256: summarize(leaf.pem).sha256Thumbprint, notAfter: "2099-01-01T00:00:00Z" },
        issuer: { sha256: summarize(ca.pem).sha256Thumbprint },
      });
    }
    judgement = {
      type: "pulumi-nodejs:dynamic/dps:FleetJudgement",
      inputs: { connection: stage.connection, made: {}, declared: declared({ old, next }) },
    };
    const pending = { code: "0123456789ABCDEF".repeat(3), etag: "1" };
    const waiting = {
      type: "pulumi-nodejs:dynamic/dps:CaCertificate",
      outputs: { connection: stage.connection, name: "late", pending },
    };
    stateFile = file("state.json", {
      version: 3,
      deployment: { resources: [{ type: "pulumi:pulumi:Stack" }, judgement, waiting] },
    });
    file("empty.json", { version: 3, deployment: {} });
  });

  after(async () => {
    await stage.close();
    rmSync(folder, { recursive: true });
  });

  function reports(id: string, dps: object): void {
    const [hub = ""] = stage.sandbox.hub.split(".");
    new DeviceRegistry(stage.sandbox.sandbox, hub).reportTwin(id, { dps }, undefined);
  }

  function file(name: string, content: object): string {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  }

  interface Run {
    code: number;
    out: string;
    err: string;
  }

  function run(...args: string[]): Promise<Run> {
    return runIn(stage.sandbox.environment(), ...args);
  }

  function runIn(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<Run> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        ["--require", "tsx/cjs", MAIN, ...args],
        { env: { ...process.env, ...environment }, timeout: 30_000 },
        (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
      );
    });
  }

  it("reads a stack's state and the live service, and counts by evidence", async () => {
    const { code, out, err } = await run("--state", stateFile, "--json");
    assert.equal(code, 0, err);
    const status = JSON.parse(out) as Status;
    const [plant] = status.entries;
    assert.deepEqual(plant?.devices, { onRecord: 3, onOld: 1, onNew: 1, notKnown: 1 });
    assert.deepEqual(plant.atRisk, { onOld: ["sensor-1"], notKnown: ["sensor-3"] });
    assert.equal(plant.firstLeafEnds, "2099-01-01T00:00:00.000Z");
    assert.deepEqual([status.stack, status.target, status.notRead], [stateFile, "sandbox", []]);
    assert.match(err, /^Target: the sandbox at .*Nothing real is changed\.\nDPS: /);
    assert.match(
      err,
      /^CA certificate late waits for its proof of possession\. Have CA `late` issue a certificate with the common name (0123456789ABCDEF){3}, /m,
    );
  });

  it("remembers with the stack when an entry was closed in a breach, and believes nobody from before", async () => {
    const entries = [{ kind: "group", id: "plant", cutOff: "2090-01-01T00:00:00Z", settling: [] }];
    const closing = {
      type: "pulumi-nodejs:dynamic/dps:BreachContainment",
      outputs: { contained: { key: { entries } } },
    };
    const closed = file("closed.json", { deployment: { resources: [judgement, closing] } });
    const { out, err } = await run("--state", closed, "--json");
    assert.equal((JSON.parse(out) as Status).entries[0]?.devices.notKnown, 3, err);
  });

  it("ends with 4 when something ends within the time given, and with 0 when nothing does", async () => {
    const [failing, near, leaves] = await Promise.all([
      run("--state", stateFile, "--fail-within", "30d"),
      run("--state", stateFile, "--fail-within", "10d"),
      run("--state", stateFile, "--fail-leaves-within", "4w"),
    ]);
    assert.deepEqual([failing.code, near.code, leaves.code], [4, 0, 0], failing.err);
    assert.match(failing.out, /group plant, primary: .*2 devices on record depend on it, or may/);
  });

  it("writes a history, metrics and a picture", async () => {
    const at = (name: string) => join(folder, name);
    const files = [
      "--history",
      at("h.jsonl"),
      "--prometheus",
      at("m.prom"),
      "--timeline",
      at("t.svg"),
    ];
    const { code, err } = await run("--state", stateFile, ...files);
    assert.equal(code, 0, err);
    assert.equal(readFileSync(at("h.jsonl"), "utf8").split("\n").length, 2);
    assert.match(readFileSync(at("m.prom"), "utf8"), /evidence="not_known"\} 1$/m);
    assert.match(readFileSync(at("t.svg"), "utf8"), /primary: Old root/);
  });

  it("looks at a service without a stack, where certificates are given by hand", async () => {
    const { code, out, err } = await run("--no-stack");
    assert.equal(code, 0, err);
    assert.match(out, /Roll of group plant: .* 3 devices on record: /);
    const other = await run("--service", "another");
    assert.equal(other.code, 2);
    assert.match(other.err, /The sandbox has the DPS ".*": name one with --service NAME\./);
  });

  it("says what it cannot read, and does not take it for nothing", async () => {
    const connection = { ...stage.connection, resourceGroup: "gone", service: "gone" };
    const gone = file("gone.json", {
      deployment: { resources: [{ ...judgement, inputs: { ...judgement.inputs, connection } }] },
    });
    const { code, out } = await run("--state", gone, "--fail-within", "1d");
    assert.equal(code, 3, out);
    assert.match(out, /^Not read: the CA certificates of the service, because: /m);
    assert.match(out, /^Not read: the linked hubs, because: /m);
  });

  it("says how to get in where the shell is attached to nothing", async () => {
    const environment = {
      PULUMI_CREDENTIALS_PATH: folder,
      PULUMI_BACKEND_URL: undefined,
      PULUMI_ACCESS_TOKEN: undefined,
    };
    const { code, err } = await runIn(environment, "--stack", "dev");
    assert.equal(code, 2, err);
    assert.match(
      err,
      /^The state of stack dev could not be exported \(.*\)\. This shell is signed in to no backend of Pulumi: sign in with `pulumi login`, or attach it /m,
    );
  });

  it("says what is wrong with what it is given, and reads nothing", async () => {
    const wrong: [string[], RegExp][] = [
      [
        ["--state", join(folder, "empty.json")],
        /manages no DPS instance, or has not been brought up/,
      ],
      [["--state", join(folder, "none.json")], /none\.json cannot be read: ENOENT/],
      [["--state", MAIN], /main\.ts is not JSON: give what `pulumi stack export` prints/],
      [["--state", stateFile, "--no-stack"], /Give a stack .* or a service .*, not both/],
      [
        ["--state", stateFile, "--fail-within", "soon"],
        /--fail-within soon is no time: write it as 30d/,
      ],
      [["--unheard"], /unknown option '--unheard'/],
    ];
    const ended = await Promise.all(wrong.map(([args]) => run(...args)));
    for (const [index, { code, err }] of ended.entries()) {
      assert.equal(code, 2, err);
      assert.match(err, wrong[index]![1]);
    }
    const help = await run("--help");
    assert.equal(help.code, 0);
    assert.match(help.out, /Exit codes:\n {2}0 {2}read/);
  });
});
