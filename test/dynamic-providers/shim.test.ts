import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { type HandlerName, handlers } from "../../dynamic-providers/handlers";
import { handledBy } from "../../dynamic-providers/shim";

describe("the shim that the engine stores in the state", () => {
  for (const name of Object.keys(handlers) as HandlerName[]) {
    it(`finds the handler ${name} when it runs`, async () => {
      const checked = await handledBy(name).check!({}, EMPTY);
      assert.deepEqual(checked.failures ?? [], []);
    });
  }

  it("says what to do when a state names a handler that this version does not have", async () => {
    const shim = handledBy("FleetOfTomorrow" as HandlerName);
    await assert.rejects(shim.delete!("id", {}), (error: Error) => {
      assert.match(error.message, /"FleetOfTomorrow", which this version .* does not have/);
      assert.match(error.message, /Use the version that wrote the state, or a later one/);
      return true;
    });
  });

  it("is stored without the code behind the name", async () => {
    const provider = handledBy("RotationManifest");
    const { text } = await pulumi.runtime.serializeFunction(() => provider);
    assert.ok(text.length < 12_000, `${text.length} characters`);
    assert.ok(text.includes("RotationManifest"));
    assert.doesNotMatch(text, /BreachContainment|x509|azure/);
    assert.ok(!text.includes(process.cwd()), "holds a path of this machine");
  });
});

/** What `check` of each handler takes: declared is nothing. */
const EMPTY = {
  compromised: [],
  caKeys: {},
  enrollmentId: "truck-7",
  provisioningStatus: "enabled",
  declared: {
    certificates: {},
    caCertificates: {},
    enrollmentGroups: {},
    individualEnrollments: {},
    compromised: [],
    denied: [],
    waivers: [],
  },
  made: {},
};
