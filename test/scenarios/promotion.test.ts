/**
 * One configuration, three stacks with a DPS instance each: an expiration roll goes from dev to staging to
 * prod, out of turn it is refused, and what staging is kept from by its devices does not reach prod.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { register } from "../support/register";
import { openSandbox, type TestSandbox } from "../support/sandbox";
import { TestStack } from "../support/stack";
import { type Issued, TestCa } from "../support/test-ca";

const STACKS = ["dev", "staging", "prod"] as const;
type StackName = (typeof STACKS)[number];

describe("a roll that is promoted from dev to staging to prod, on the real engine", function () {
  this.timeout(360_000);
  let sandbox: TestSandbox;
  const stacks = {} as Record<StackName, TestStack>;
  const configured = {} as Record<StackName, Record<string, unknown>>;
  /** Leaves of device-1, each environment has its own: `a` is the old one. */
  const leaves = {} as Record<StackName, { a: Issued; b: Issued }>;

  before(async () => {
    sandbox = await openSandbox();
    for (const name of STACKS) {
      const root = await TestCa.root(`Root of ${name}`);
      leaves[name] = { a: await root.leaf("device-1"), b: await root.leaf("device-1") };
      stacks[name] = await TestStack.open(withPassphrase(name), name, {});
      for (const [leaf, { pem }] of Object.entries(leaves[name])) {
        writeFileSync(join(stacks[name].folder, `device-1-${leaf}.pem`), pem);
      }
    }
  });

  after(async () => {
    STACKS.forEach((name) => stacks[name]?.remove());
    await sandbox?.close();
  });

  /** Each environment has a passphrase of its own: none can read the secrets of another. */
  const withPassphrase = (name: StackName): TestSandbox => ({
    ...sandbox,
    environment: () => ({
      ...sandbox.environment(),
      PULUMI_CONFIG_PASSPHRASE: `passphrase of ${name}`,
    }),
  });

  /** Configures a stack; slots are named as in all three. */
  function configure(name: StackName, ...slots: ("a" | "b")[]): void {
    const before = STACKS[STACKS.indexOf(name) - 1];
    const file = (leaf: string) => ({ file: join(stacks[name].folder, `device-1-${leaf}.pem`) });
    const [primary, secondary] = slots.map((leaf) => ({ certificate: `device-1-${leaf}` }));
    configured[name] = {
      target: "sandbox",
      service: { name: `dps-${name}`, resourceGroup: `rg-${name}`, location: "westus" },
      hubs: [{ name: `hub-${name}` }],
      certificates: { "device-1-a": file("a"), "device-1-b": file("b") },
      individualEnrollments: { "device-1": { primary, ...(secondary && { secondary }) } },
      ...(before && { promotion: { after: before } }),
    };
    stacks[name].configure(configured[name]);
  }

  const up = (name: StackName) => stacks[name].succeeds("up", "--yes", "--skip-preview");

  async function refused(name: StackName): Promise<string> {
    const { exitCode, output } = await stacks[name].run("preview");
    assert.notEqual(exitCode, 0, output);
    return output;
  }

  it("begins with the same in each of them, and a device in staging and prod", async () => {
    for (const name of STACKS) {
      configure(name, "a");
      await up(name);
    }
    await register(sandbox, "device-1", leaves.staging.a, "dps-staging");
    await register(sandbox, "device-1", leaves.prod.a, "dps-prod");
  });

  it("refuses prod what staging has not carried out, at its preview", async () => {
    configure("dev", "a", "b");
    await up("dev");
    configure("prod", "a", "b");
    assert.match(
      await refused("prod"),
      /DPS-CERT-150 at individualEnrollments\.device-1: found an expiration roll to certificate device-1-a and certificate device-1-b, which stack staging has not carried out \(it has certificate device-1-a since .*\); fix: apply it to stack staging first/,
    );
  });

  it("promotes the prepared roll: staging after dev, prod after staging", async () => {
    configure("staging", "a", "b");
    await up("staging");
    const output = await up("prod");
    assert.match(output, /expiration roll of individual enrollment `device-1`: prepare/);
  });

  it("stops the retirement at staging, whose device still has the old certificate, and so at prod", async () => {
    configure("dev", "b");
    await up("dev");
    configure("staging", "b");
    assert.match(
      await refused("staging"),
      /DPS-CERT-058 at individualEnrollments\.device-1\.primary\.certificate: /,
    );
    // Even where prod's own device has its new certificate by now.
    await register(sandbox, "device-1", leaves.prod.b, "dps-prod");
    configure("prod", "b");
    assert.match(await refused("prod"), /DPS-CERT-150 at individualEnrollments\.device-1: /);
  });

  it("lets it through once staging's device has its new certificate", async () => {
    await register(sandbox, "device-1", leaves.staging.b, "dps-staging");
    await up("staging");
    await up("prod");
    await stacks.prod.succeeds("preview", "--expect-no-changes");
  });

  it("refuses prod a roll while the state of the stack before cannot be read, and says why", async () => {
    configure("prod", "b", "a");
    stacks.prod.configure({ ...configured.prod, promotion: { after: "moved" } });
    assert.match(
      await refused("prod"),
      /DPS-CERT-150 at individualEnrollments\.device-1: found an expiration roll to .*, where stack moved, which carries it out first, could not be read \(.*unknown stack .*moved.*\); fix: /,
    );
  });

  it("lets it through with a waiver, whose reason it says", async () => {
    const path = "individualEnrollments.device-1";
    const waiver = { code: "DPS-CERT-150", path, reason: "staging moves house" };
    stacks.prod.configure({
      ...configured.prod,
      promotion: { after: "moved" },
      waivers: [{ ...waiver, until: "2099-12-31" }],
    });
    assert.match(
      await stacks.prod.succeeds("preview"),
      /DPS-CERT-150 .*\(waived until 2099-12-31: staging moves house\)/,
    );
  });

  it("lets a breach in prod wait for nobody, not even where the stack before is gone", async () => {
    stacks.prod.configure({
      ...configured.prod,
      individualEnrollments: { "device-1": { primary: { certificate: "device-1-a" } } },
      compromised: [{ certificate: "device-1-b", reason: "key found on a stolen laptop" }],
      promotion: { after: "moved" },
    });
    const output = await up("prod");
    assert.match(output, /warning: The stack before this one could not be read \(promotion\): /);
    assert.match(output, /breach roll of individual enrollment `device-1`: replace/);
    await assert.rejects(register(sandbox, "device-1", leaves.prod.b, "dps-prod"));
  });
});
