/**
 * Breaches on the real engine whose replacements are made in the same change, as the README shows it: while it is
 * previewed nobody knows them yet, and what the breach costs is counted all the same.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Stage } from "../dynamic-providers/stage";
import { register } from "../support/register";
import { TestStack } from "../support/stack";
import { type Issued, TestCa } from "../support/test-ca";

const DPS = "dps-yard";
const dev = (commonName: string, more: object) => ({ dev: { commonName, days: 60, ...more } });

const selfAttested = (certificate: string) => ({ certificate, proof: { selfAttested: true } });

describe("a breach whose new certificates are made in the same change, on the real engine", function () {
  this.timeout(240_000);
  let stage: Stage;
  let stack: TestStack;
  /** By registration ID. */
  let leaves: Record<string, Issued>;

  before(async () => {
    stage = await Stage.open();
    stack = await TestStack.open(stage.sandbox, "yard", {});
    const root = await TestCa.root("Root");
    const above = await TestCa.root("Root above");
    const site = await above.intermediate("Site");
    leaves = {
      "sensor-1": await root.leaf("sensor-1"),
      "pump-1": await site.leaf("pump-1"),
      "truck-1": await TestCa.selfSigned("truck-1"),
    };
    const pems = {
      above: above.pem,
      root: root.pem,
      site: site.pem,
      truck: leaves["truck-1"]!.pem,
    };
    for (const [name, pem] of Object.entries(pems)) {
      writeFileSync(join(stack.folder, `${name}.pem`), pem);
    }
  });

  after(async () => {
    stack?.remove();
    await stage?.close();
  });

  const file = (name: string) => ({ file: join(stack.folder, `${name}.pem`) });

  function configure(slots: { root: string; site: string; truck: string }, more: object): void {
    const { certificates = {}, caCertificates = {}, ...others } = more as Record<string, object>;
    stack.configure({
      target: "sandbox",
      service: { name: DPS, resourceGroup: "rg-yard", location: "westus" },
      hubs: [{ name: "hub-yard" }],
      certificates: { above: file("above"), ...stolenFiles(), ...certificates },
      caCertificates: { above: selfAttested("above"), ...caCertificates },
      enrollmentGroups: {
        sensors: { primary: { ca: slots.root } },
        pumps: { primary: { certificate: slots.site } },
      },
      individualEnrollments: { "truck-1": { primary: { certificate: slots.truck } } },
      ...others,
    });
  }

  const stolenFiles = () => ({ root: file("root"), site: file("site"), truck: file("truck") });

  it("begins with devices of all three kinds of entry", async () => {
    configure(
      { root: "root", site: "site", truck: "truck" },
      { caCertificates: { root: selfAttested("root") } },
    );
    await stack.succeeds("up", "--yes", "--skip-preview");
    for (const [id, leaf] of Object.entries(leaves)) await register(stage.sandbox, id, leaf, DPS);
    await stack.succeeds("preview", "--expect-no-changes");
  });

  it("counts at the preview what it costs", async () => {
    configure(
      { root: "root-2", site: "site-2", truck: "truck-2" },
      {
        certificates: {
          "root-2": dev("Root 2", {}),
          "site-2": dev("Site 2", { issuer: "root-2", ca: true }),
          "truck-2": dev("truck-1", { ca: false }),
        },
        caCertificates: { "root-2": { certificate: "root-2" } },
        compromised: Object.keys(stolenFiles()).map((certificate) => ({
          certificate,
          reason: "stolen from the build server",
        })),
      },
    );
    const output = await stack.succeeds("preview");
    assert.match(output, /breach roll of enrollment group `sensors`: replace/);
    assert.match(output, /breach roll of enrollment group `pumps`: replace/);
    assert.match(output, /breach roll of individual enrollment `truck-1`: replace/);
    assert.match(
      output,
      /removal \(how: now, keep: delete\): 3 devices came in through what CN=.* admits\n +hub hub-yard\S*: 3 identities will be removed\n/,
    );
  });

  it("shuts all of them out and puts the new ones in their place", async () => {
    const output = await stack.succeeds("up", "--yes");
    assert.match(output, /Removed 3 of 3 device registrations that came in with /);
    for (const [id, leaf] of Object.entries(leaves)) {
      await assert.rejects(register(stage.sandbox, id, leaf, DPS), /401/);
    }
    await stack.succeeds("preview", "--expect-no-changes");
  });
});
