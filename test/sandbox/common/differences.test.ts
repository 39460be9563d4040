import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  assumptionsIn,
  assumptionsInSource,
  page,
} from "../../../docs/reference/sandbox-assumptions";
import { DIFFERENCES, type Difference } from "../../../sandbox/differences";
import { ARM_ONLY, openSandbox, type TestSandbox } from "../../support/sandbox";
import { DIFFERENCE_CASES } from "./difference-cases";
import { isThere } from "./places";

describe("the differences from Azure", () => {
  it("are each shown by a test", () => {
    assert.deepEqual(
      Object.entries(DIFFERENCE_CASES).filter(([, place]) => !isThere(place)),
      [],
    );
  });

  it("say what Azure does and what the sandbox does", () => {
    for (const [name, { azure, sandbox }] of Object.entries<Difference>(DIFFERENCES)) {
      assert.ok(azure.endsWith(".") && sandbox.endsWith("."), name);
    }
  });

  it("agree with docs/reference/sandbox-differences.md, which has every assumption of the source", () => {
    const file = join(__dirname, "../../../docs/reference/sandbox-differences.md");
    assert.equal(
      readFileSync(file, "utf8"),
      page(),
      "run: node --require tsx/cjs docs/reference/write-sandbox-differences.ts",
    );
    assert.ok(assumptionsInSource().length > 50);
  });

  it("are found where a comment says that something is not known", () => {
    const source = `
      /** A thing. not known: its colour. */
      // Red is known.
      const x = "not known: a string";
      // not known, assumed: it is
      // round.
      /** The person is not known to anybody. */
    `;
    assert.deepEqual(assumptionsIn(source), [
      "A thing. Not known: its colour.",
      "Not known, assumed: it is round.",
    ]);
  });

  describe("in the resource manager", () => {
    let sandbox: TestSandbox;

    before(async () => {
      sandbox = await openSandbox({ fronts: ARM_ONLY });
      const group = `/subscriptions/${sandbox.subscriptionId}/resourcegroups/rg`;
      await sandbox.arm("PUT", group, { body: { location: "westus" } });
    });
    after(() => sandbox.close());

    async function make(name: string, properties: object = {}): Promise<Record<string, unknown>> {
      const path = `/subscriptions/${sandbox.subscriptionId}/resourceGroups/rg/providers/Microsoft.Devices/provisioningServices/${name}`;
      const body = { location: "westus", sku: { name: "S1", capacity: 1 }, properties };
      const { headers } = await sandbox.arm("PUT", path, { body });
      await sandbox.arm("GET", String(headers["azure-asyncoperation"]));
      return (await sandbox.arm("GET", path)).body.properties;
    }

    it("keeps the properties of a service that nothing acts on", async () => {
      const ipFilterRules = [{ filterName: "none", action: "Reject", ipMask: "0.0.0.0/0" }];
      const shown = await make("filtered", { ipFilterRules, publicNetworkAccess: "Disabled" });
      assert.deepEqual(shown["ipFilterRules"], ipFilterRules);
      assert.equal(shown["publicNetworkAccess"], "Disabled");
    });

    it("gives each service a device endpoint of its own", async () => {
      const shown = await make("own");
      assert.match(String(shown["deviceProvisioningHostName"]), /^own\./);
      assert.equal(shown["deviceProvisioningHostName"], shown["serviceOperationsHostName"]);
    });

    it("has no bound on the number of services", async () => {
      for (let at = 0; at < 11; at++) assert.equal((await make(`many-${at}`))["state"], "Active");
    });
  });
});
