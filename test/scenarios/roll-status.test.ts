/**
 * `npm run status` on a stack of the real engine, while reference devices of a group with two hubs go from one
 * root to the next: before, during and after the roll, with the sandbox's clock moved to where it hurts.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReferenceDevice } from "../../device/reference-device";
import type { Status } from "../../status/status";
import { Stage } from "../dynamic-providers/stage";
import { register } from "../support/register";
import { TestStack } from "../support/stack";
import { TestCa } from "../support/test-ca";

const ROOT = join(__dirname, "../..");
const DAY_MS = 86_400_000;
const SERVICE = "dps-plant";
/** The service spreads devices over its hubs by a hash of their names. */
const REPORTING = ["truck-1", "truck-2", "truck-3"];
const SILENT = "truck-4";

describe("how far a roll of a group is, on the real engine with reference devices", function () {
  this.timeout(300_000);
  let stage: Stage;
  let stack: TestStack;
  let folder: string;
  /** Roots, and what issues the devices' leaves below them. */
  let roots: Record<"old" | "next", TestCa>;
  let plants: Record<"old" | "next", TestCa>;
  const devices = new Map<string, ReferenceDevice>();

  before(async () => {
    stage = await Stage.open();
    folder = mkdtempSync(join(tmpdir(), "roll-status-"));
    stack = await TestStack.open(stage.sandbox, "plant", {});
    const days = (count: number) => ({ notAfter: new Date(Date.now() + count * DAY_MS) });
    roots = {
      old: await TestCa.root("Old root", days(100)),
      next: await TestCa.root("Next root", days(1000)),
    };
    plants = {
      old: await roots.old.intermediate("Plant 1", days(99)),
      next: await roots.next.intermediate("Plant 2", days(999)),
    };
    for (const name of ["old", "next"] as const) {
      writeFileSync(join(folder, `${name}.pem`), roots[name].pem);
      writeFileSync(join(folder, `${name}-plant.pem`), plants[name].pem);
    }
  });

  after(async () => {
    await Promise.all([...devices.values()].map((device) => device.stop()));
    stack?.remove();
    await stage?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function up(slots: Record<string, { ca: string }>, more: object = {}): Promise<void> {
    configure(slots, more);
    await stack.succeeds("up", "--yes", "--skip-preview");
  }

  function configure(slots: Record<string, { ca: string }>, more: object): void {
    const names = [...new Set(Object.values(slots).map(({ ca }) => ca))];
    stack.configure({
      target: "sandbox",
      service: { name: SERVICE, resourceGroup: "rg-plant", location: "westus" },
      hubs: [{ name: "hub-plant-a" }, { name: "hub-plant-b" }],
      // The intermediates stand in no slot: they tell below which root a leaf is.
      certificates: Object.fromEntries(
        names
          .flatMap((name) => [name, `${name}-plant`])
          .map((name) => [name, { file: join(folder, `${name}.pem`) }]),
      ),
      caCertificates: Object.fromEntries(
        names.map((name) => [name, { certificate: name, proof: { selfAttested: true } }]),
      ),
      enrollmentGroups: { plant: slots },
      ...more,
    });
  }

  /** Puts a new leaf of the issuer where the device finds it. */
  async function install(id: string, issuer: TestCa): Promise<void> {
    const leaf = await issuer.leaf(id, { notAfter: new Date(Date.now() + 200 * DAY_MS) });
    writeFileSync(join(folder, `${id}.key`), leaf.key);
    writeFileSync(join(folder, `${id}.pem`), leaf.chainPem);
  }

  async function start(id: string): Promise<void> {
    await install(id, plants.old);
    const services = stage.sandbox.endpoints().provisioningServices;
    const { idScope, serviceHostName } = services.find(({ name }) => name === SERVICE)!;
    const device = new ReferenceDevice({
      registrationId: id,
      provisioningHost: serviceHostName,
      idScope,
      chainFile: join(folder, `${id}.pem`),
      keyFile: join(folder, `${id}.key`),
      telemetryIntervalMs: 100,
      watchIntervalMs: 50,
      backoff: { firstMs: 20, maximumMs: 500 },
    });
    devices.set(id, device);
    await device.start();
    await reported(device);
  }

  async function roll(id: string): Promise<void> {
    const device = devices.get(id)!;
    const rolled = once(device, "rolled");
    await install(id, plants.next);
    await rolled;
    await reported(device);
  }

  /** The message after the next one is sent once the twin has been written. */
  async function reported(device: ReferenceDevice): Promise<void> {
    await once(device, "telemetry");
    await once(device, "telemetry");
  }

  function status(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        ["--require", "tsx/cjs", join(ROOT, "status/main.ts"), "--stack", "plant", ...args],
        { cwd: ROOT, env: { ...process.env, ...stage.sandbox.environment() } },
        (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
      );
    });
  }

  async function plant(): Promise<Status["entries"][number]> {
    const { code, out, err } = await status("--json", "--history", join(folder, "history.jsonl"));
    assert.equal(code, 0, err);
    return (JSON.parse(out) as Status).entries[0]!;
  }

  it("before: all that report are on the only certificate, and one is not known", async () => {
    await up({ primary: { ca: "old" } });
    for (const id of REPORTING) await start(id);
    await register(stage.sandbox, SILENT, await plants.old.leaf(SILENT), SERVICE);
    const entry = await plant();
    assert.equal(entry.rolling, false);
    assert.deepEqual(entry.devices, { onRecord: 4, onOld: 0, onNew: 3, notKnown: 1 });
  });

  it("during: who is on the old one, on the new one and not known, in all and in each hub", async () => {
    await up({ primary: { ca: "old" }, secondary: { ca: "next" } });
    assert.equal((await plant()).devices.onOld, 3);
    await roll("truck-1");
    const { devices: counted, hubs, atRisk } = await plant();
    assert.deepEqual(counted, { onRecord: 4, onOld: 2, onNew: 1, notKnown: 1 });
    assert.deepEqual(atRisk, { onOld: ["truck-2", "truck-3"], notKnown: [SILENT] });
    assert.deepEqual(
      hubs.map(({ hub, ...counts }) => [hub.split(".")[0], counts]),
      [
        ["hub-plant-a", { onRecord: 3, onOld: 2, onNew: 0, notKnown: 1 }],
        ["hub-plant-b", { onRecord: 1, onOld: 0, onNew: 1, notKnown: 0 }],
      ],
    );
  });

  it("fails once the sandbox's clock is where the old certificate ends soon, and not before", async () => {
    assert.equal((await status("--fail-within", "30d")).code, 0);
    stage.clock.advance(80 * DAY_MS);
    assert.equal((await status("--fail-within", "10d")).code, 0);
    const { code, out } = await status("--fail-within", "30d");
    assert.equal(code, 4, out);
    assert.match(
      out,
      /group plant, primary: .* \(in 19 days\), 3 devices on record depend on it, or may/,
    );
  });

  it("after: everybody who reports is on the new one, and nothing ends", async () => {
    await roll("truck-2");
    await roll("truck-3");
    const { out } = await status("--history", join(folder, "history.jsonl"));
    assert.match(out, /Roll of group plant: 75 % done\. .*3 on the new certificate, 0 on the old/);
    const table = out.split("\n").filter((line) => / UTC +│/.test(line));
    assert.deepEqual(
      table.map((line) => line.split("│").slice(2, 5).map(Number)),
      [
        [3, 0, 1],
        [2, 1, 1],
        [0, 3, 1],
      ],
    );
    // The gate counts by the same evidence, and is passed by who names the straggler.
    configure({ primary: { ca: "next" } }, {});
    const { output } = await stack.run("preview");
    assert.match(
      output,
      /DPS-CERT-058 .* 1 of 4 devices on record at risk: 1 not known, .*truck-4/,
    );
    const straggler = { devices: [SILENT], reason: "its site was closed", until: "2027-12-31" };
    const path = "enrollmentGroups.plant.primary.ca";
    const waivers = [{ code: "DPS-CERT-058", path, ...straggler }];
    await up({ primary: { ca: "next" } }, { waivers });
    const entry = await plant();
    assert.equal(entry.rolling, false);
    assert.deepEqual(entry.devices, { onRecord: 4, onOld: 0, onNew: 3, notKnown: 1 });
    assert.equal((await status("--fail-within", "30d")).code, 0);
    const lines = readFileSync(join(folder, "history.jsonl"), "utf8").trimEnd().split("\n");
    assert.equal(lines.length, 5);
  });
});
