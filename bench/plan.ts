/**
 * `npm run bench:plan`: the plan over a service with many devices in groups, beside `pulumi preview` of the
 * same change alone, in one run. The sandbox works in this process, without limits on rates; the devices
 * are put into its records, because registering them is not what is measured.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Table from "cli-table3";
import { CaCertificatesClient } from "../clients/ca-certificates";
import type { Plan } from "../plan/model";
import { Directory } from "../sandbox/dps-service/records";
import { DeviceRegistry } from "../sandbox/iot-hub/registry";
import { Stage } from "../test/dynamic-providers/stage";
import { TestStack } from "../test/support/stack";
import { TestCa } from "../test/support/test-ca";

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
  populate(stage, groups, roots[0]!);
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
    const whole = await timed(() => planned(stage, stack, json));
    const plan = JSON.parse(readFileSync(json, "utf8")) as Plan;
    const devices = Object.values(plan.lockOut?.counts ?? {}).reduce((sum, each) => sum + each, 0);
    if (devices !== DEVICES) throw new Error(`The plan has ${devices} devices of ${DEVICES}.`);
    table.push([run, seconds(alone), seconds(whole), seconds(whole - alone), devices]);
  }
  console.log(table.toString());
}

/** Devices on record in equal parts under the groups, each with a leaf of its own, whose issuer it reports. */
function populate(stage: Stage, groups: string[], issuer: TestCa): void {
  const { sandbox, hub } = stage.sandbox;
  const service = sandbox.services.list()[0];
  if (service === undefined) throw new Error("The sandbox has no DPS instance.");
  const directory = new Directory(sandbox, service);
  const registry = new DeviceRegistry(sandbox, hub.split(".")[0]!);
  for (let index = 0; index < DEVICES; index += 1) {
    const deviceId = `device-${index}`;
    const thumbprint = randomBytes(32).toString("hex").toUpperCase();
    const authentication = { type: "selfSigned" as const, thumbprint };
    registry.assign({ hubHostName: hub, deviceId, authentication }, false);
    const report = {
      leaf: { sha256: thumbprint },
      issuer: { sha256: issuer.certificate.thumbprint },
    };
    registry.reportTwin(deviceId, { dps: report }, undefined);
    const now = new Date().toISOString();
    directory.putRegistration({
      registrationId: deviceId,
      deviceId,
      assignedHub: hub,
      status: "assigned",
      createdDateTimeUtc: now,
      lastUpdatedDateTimeUtc: now,
      etag: String(index),
      group: groups[index % groups.length]!,
    });
  }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** The command in a process of its own, as people run it. */
async function planned(stage: Stage, stack: TestStack, json: string): Promise<void> {
  const child = spawn(
    process.execPath,
    [join(ROOT, "plan/bin.cjs"), "--stack", "bench", "--config-file", stack.file, "--json", json],
    {
      cwd: ROOT,
      env: { ...process.env, ...stage.sandbox.environment() },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const [exitCode] = (await once(child, "close")) as [number];
  if (exitCode !== 0) throw new Error(`The plan ended with ${exitCode}.`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
