/** `npm run plan` as it is run: the real engine, a real sandbox, devices that have registered. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import type { Plan } from "../../plan/model";
import { Stage } from "../dynamic-providers/stage";
import { TestStack } from "../support/stack";
import { TestCa } from "../support/test-ca";
import { isPlan } from "./schema";

const REPOSITORY = resolve(__dirname, "../..");

interface Run {
  exitCode: number;
  out: string;
  told: string;
  plan: Plan;
}

describe("npm run plan", function () {
  this.timeout(240_000);
  let stage: Stage;
  let stack: TestStack;

  const configuration = (sections: object): Record<string, unknown> => ({
    target: "sandbox",
    service: { name: "dps", resourceGroup: "rg", location: "westus", adopt: true },
    hubs: [{ name: "hub", adopt: true }],
    certificates: {
      old: { file: join(stack.folder, "old.pem") },
      next: { file: join(stack.folder, "next.pem") },
    },
    caCertificates: {
      old: { certificate: "old", adopt: true },
      next: { certificate: "next", adopt: true },
    },
    enrollmentGroups: {
      sensors: { primary: { ca: "old" }, secondary: { ca: "next" }, adopt: true },
    },
    ...sections,
  });

  before(async () => {
    stage = await Stage.open();
    const old = await TestCa.root("Old root");
    const next = await TestCa.root("Next root");
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("old", old.pem, { selfAttested: true });
    await cas.upload("next", next.pem, { selfAttested: true });
    await stage.putGroup("sensors", { primary: "old", secondary: "next" });
    await stage.register("sensor-1", await old.leaf("sensor-1"));
    await stage.register("sensor-2", await next.leaf("sensor-2"));
    stack = await TestStack.open(stage.sandbox, "planned", {});
    writeFileSync(join(stack.folder, "old.pem"), old.pem);
    writeFileSync(join(stack.folder, "next.pem"), next.pem);
    stack.configure(configuration({}));
    await stack.succeeds("up", "--yes", "--skip-preview");
  });

  after(async () => {
    stack?.remove();
    await stage?.close();
  });

  async function run(...args: string[]): Promise<Run> {
    return runIn(stage.sandbox.environment(), ...args);
  }

  async function runIn(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<Run> {
    const json = join(stack.folder, "plan.json");
    writeFileSync(json, "null");
    const given = ["--stack", "planned", "--config-file", stack.file, "--json", json, ...args];
    const child = spawn(process.execPath, [join(REPOSITORY, "plan/bin.cjs"), ...given], {
      cwd: REPOSITORY,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, told] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (out += data.toString()));
    child.stderr.on("data", (data: Buffer) => (told += data.toString()));
    const [exitCode] = (await once(child, "close")) as [number];
    return { exitCode, out, told, plan: JSON.parse(readFileSync(json, "utf8")) as Plan };
  }

  it("shows a breach of a root, and writes nothing", async () => {
    stack.configure(
      configuration({
        caCertificates: { next: { certificate: "next", adopt: true } },
        enrollmentGroups: { sensors: { secondary: { ca: "next" }, adopt: true } },
        compromised: [{ certificate: "old", reason: "HSM backup was copied" }],
      }),
    );
    stage.reset();
    const page = join(stack.folder, "plan.html");
    const { exitCode, out, told, plan } = await run("--html", page);
    assert.equal(exitCode, 0, told);
    assert.ok(isPlan(plan), isPlan.problem(plan));
    assert.deepEqual(
      plan.changes.map(({ procedure, phase }) => `${procedure} ${phase}`),
      ["P6 contain"],
    );
    assert.deepEqual(
      plan.removal?.hubs.map(({ goes, names }) => [goes, names]),
      [[2, ["sensor-1", "sensor-2"]]],
    );
    assert.match(out, /^## Certificate plan for stack `planned`$/m);
    assert.match(told, /^Previewed stack planned in [\d.]+ s\.$/m);
    assert.match(told, /^Read 2 devices on record in [\d.]+ s\.$/m);
    assert.match(readFileSync(page, "utf8"), /^<!doctype html>/);
    assert.deepEqual(stage.writes, []);
  });

  it("shows what a resource warns of by itself: an entry that somebody disabled", async () => {
    stack.configure(configuration({}));
    await stage.byHand("group", "sensors", { provisioningStatus: "disabled" });
    try {
      // The engine compares with its state: a refresh sees what somebody did.
      await stack.succeeds("refresh", "--yes", "--skip-preview");
      const { out, plan, told } = await run();
      assert.ok(isPlan(plan), isPlan.problem(plan) + told);
      assert.deepEqual(
        plan.warnings.map(({ code, path }) => `${code} ${path}`),
        ["DPS-CERT-123 enrollmentGroups.sensors"],
      );
      assert.match(
        out,
        /### Warnings\n\n- \*\*DPS-CERT-123\*\* less trust in DPS than is declared/,
      );
    } finally {
      await stage.byHand("group", "sensors", { provisioningStatus: "enabled" });
    }
  });

  it("leaves the selected stack alone", async () => {
    const { output } = await stack.inFolder("stack", "--show-name");
    assert.match(output, /no stack selected/);
  });

  it("shows why a change is refused in view of the devices, and ends with 3", async () => {
    stack.configure(
      configuration({
        caCertificates: { next: { certificate: "next", adopt: true } },
        enrollmentGroups: { sensors: { secondary: { ca: "next" }, adopt: true } },
      }),
    );
    const { exitCode, out, plan, told } = await run("--no-device-names");
    assert.equal(exitCode, 3, told);
    assert.ok(isPlan(plan), isPlan.problem(plan));
    assert.equal(plan.verdict, "refused");
    assert.ok(plan.refusals.some(({ code }) => code === "DPS-CERT-058"));
    assert.deepEqual(plan.errors, []);
    assert.match(out, /### Refused/);
    assert.doesNotMatch(out + JSON.stringify(plan), /sensor-[12]/);
  });

  it("shows a configuration that the program refuses", async () => {
    stack.configure(
      configuration({ enrollmentGroups: { sensors: { primary: { ca: "nobody" } } } }),
    );
    const { exitCode, plan, told } = await run();
    assert.equal(exitCode, 3, told);
    assert.ok(isPlan(plan), isPlan.problem(plan));
    assert.equal(plan.verdict, "refused");
    assert.deepEqual(plan.errors, []);
    assert.ok(
      plan.refusals.some(({ found }) => found.includes("nobody")),
      JSON.stringify(plan.refusals),
    );
  });

  it("says how to get in where the shell is attached to nothing", async () => {
    const environment = {
      PULUMI_CREDENTIALS_PATH: stack.folder,
      PULUMI_BACKEND_URL: undefined,
      PULUMI_ACCESS_TOKEN: undefined,
    };
    const { exitCode, told } = await runIn(environment);
    assert.equal(exitCode, 1);
    assert.match(
      told,
      /^This shell is signed in to no backend of Pulumi: sign in with `pulumi login`, or attach it to a running sandbox with `eval "\$\(npm run -s sandbox -- env\)"`\.$/m,
    );
  });

  it("says in one sentence that there is no such stack, and what it does not understand", async () => {
    const missing = await run("--stack", "nowhere");
    assert.equal(missing.exitCode, 1);
    assert.match(missing.told, /no stack named 'nowhere' found/);
    const unknown = await run("--formt", "json");
    assert.equal(unknown.exitCode, 2);
    assert.match(unknown.told, /unknown option '--formt'/);
  });
});
