/**
 * `npm run bench:plan`: the plan over a service with many devices in groups, beside `pulumi preview` of the
 * same change alone, and how far the roll is, in one run. The sandbox works in this process, without limits on rates; the devices
 * are put into its records, because registering them is not what is measured.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Table from "cli-table3";
import { CaCertificatesClient } from "../clients/ca-certificates";
import type { Plan } from "../plan/model";
import type { Status } from "../status/status";
import { Stage } from "../test/dynamic-providers/stage";
import { TestStack } from "../test/support/stack";
import { TestCa } from "../test/support/test-ca";
import { populate } from "./fleet";

const ROOT = resolve(__dirname, "..");
const DEVICES = Number(process.env["BENCH_DEVICES"] ?? 10_000);
const GROUPS = 4;
const RUNS = Number(process.env["BENCH_RUNS"] ?? 3);

async function main(): Promise<void> {
  const stage = await Stage.open();
  const stack = await TestStack.open(stage.sandbox, "bench", {});
  try {
    await measure(stage, stack);
  } finally {
    stack.remove();
    await stage.close();
  }
}

async function measure(stage: Stage, stack: TestStack): Promise<void> {
  const cas = new CaCertificatesClient(stage.connection);
  const names = ["old", "next"];
  const roots = await Promise.all(names.map((name) => TestCa.root(`Bench ${name}`)));
  for (const [index, name] of names.entries()) {
    await cas.upload(name, roots[index]!.pem, { selfAttested: true });
    writeFileSync(join(stack.folder, `${name}.pem`), roots[index]!.pem);
  }
  const groups = Array.from({ length: GROUPS }, (_, index) => `group-${index + 1}`);
  for (const group of groups) await stage.putGroup(group, { primary: "old" });
  // Of the last hundredth nothing is known.
  populate(stage, groups, DEVICES, (index) => (index < 0.99 * DEVICES ? roots[0] : undefined));
  const configuration = (secondary: object): Record<string, unknown> => ({
    target: "sandbox",
    service: { name: "dps", resourceGroup: "rg", location: "westus", adopt: true },
    hubs: [{ name: "hub", adopt: true }],
    certificates: Object.fromEntries(
      names.map((name) => [name, { file: join(stack.folder, `${name}.pem`) }]),
    ),
    caCertificates: Object.fromEntries(
      names.map((name) => [name, { certificate: name, adopt: true }]),
    ),
    enrollmentGroups: Object.fromEntries(
      groups.map((group) => [group, { primary: { ca: "old" }, ...secondary, adopt: true }]),
    ),
  });
  stack.configure(configuration({}));
  await stack.succeeds("up", "--yes", "--skip-preview");
  stack.configure(configuration({ secondary: { ca: "next" } }));
  const table = new Table({
    head: ["run", "pulumi preview alone", "plan, all of it", "plan less preview", "devices"],
  });
  for (let run = 1; run <= RUNS; run += 1) {
    const alone = await timed(() => stack.succeeds("preview"));
    const json = join(stack.folder, "plan.json");
    const whole = await timed(() =>
      printed(stage, "plan/bin.cjs", [
        "--stack",
        "bench",
        "--config-file",
        stack.file,
        "--json",
        json,
      ]),
    );
    const plan = JSON.parse(readFileSync(json, "utf8")) as Plan;
    const devices = Object.values(plan.lockOut?.counts ?? {}).reduce((sum, each) => sum + each, 0);
    if (devices !== DEVICES) throw new Error(`The plan has ${devices} devices of ${DEVICES}.`);
    table.push([run, seconds(alone), seconds(whole), seconds(whole - alone), devices]);
  }
  console.log(table.toString());
  await stack.succeeds("up", "--yes", "--skip-preview");
  await measureStatus(stage, stack);
}

/** In the middle of the roll, with everything that it can write. */
async function measureStatus(stage: Stage, stack: TestStack): Promise<void> {
  const at = (name: string): string => join(stack.folder, name);
  const files = ["--history", "h.jsonl", "--prometheus", "m.prom", "--timeline", "t.svg"].map(
    (each, index) => (index % 2 === 0 ? each : at(each)),
  );
  const table = new Table({
    head: ["run", "status", "lines", "a reading in the history", "metrics", "devices"],
  });
  for (let run = 1; run <= RUNS; run += 1) {
    let told = "";
    const whole = await timed(async () => {
      told = await printed(stage, "status/bin.cjs", ["--stack", "bench", ...files]);
    });
    const json = await printed(stage, "status/bin.cjs", ["--stack", "bench", "--json"]);
    const { entries } = JSON.parse(json) as Status;
    const devices = entries.reduce((sum, { devices: { onRecord } }) => sum + onRecord, 0);
    if (devices !== DEVICES) throw new Error(`The status has ${devices} devices of ${DEVICES}.`);
    const history = readFileSync(at("h.jsonl"), "utf8").trimEnd().split("\n");
    table.push([
      run,
      seconds(whole),
      told.trimEnd().split("\n").length,
      `${Buffer.byteLength(history.at(-1)!)} bytes`,
      `${readFileSync(at("m.prom"), "utf8").split("\n").length} lines`,
      devices,
    ]);
  }
  console.log(table.toString());
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** A command in a process of its own, as people run it; what it prints. */
async function printed(stage: Stage, bin: string, args: string[]): Promise<string> {
  const child = spawn(process.execPath, [join(ROOT, bin), ...args], {
    cwd: ROOT,
    env: { ...process.env, ...stage.sandbox.environment() },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  const [exitCode] = (await once(child, "close")) as [number];
  if (exitCode !== 0) throw new Error(`${bin} ended with ${exitCode}.`);
  return text;
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
