import assert from "node:assert/strict";
import { compileFunction } from "node:vm";
import { type Handler, UNKNOWN } from "../../dynamic-providers/handler";
import { type HandlerName, handlers } from "../../dynamic-providers/handlers";
import { shimOf } from "../../dynamic-providers/shim";

describe("the shim that the engine stores in the state", () => {
  for (const name of Object.keys(handlers) as HandlerName[]) {
    it(`finds the handler ${name} when it runs`, async () => {
      const handler = loaded(shimOf(name));
      // Some refuse what is declared here; each answers.
      const { inputs } = await handler.check({} as never, EMPTY as never);
      assert.equal(typeof inputs, "object");
    });
  }

  it("says what to do when a state names a handler that this version does not have", () => {
    assert.throws(() => loaded(shimOf("FleetOfTomorrow" as HandlerName)), {
      message:
        'DPS-CERT-175 at the state of this stack: found the resource handler "FleetOfTomorrow", which this version of pulumi-dps-certificates does not have; fix: use the version that wrote the state, or a later one',
    });
  });

  it("is small, and holds neither code of a handler nor a path of this machine", () => {
    const text = shimOf("RotationManifest");
    assert.ok(text.length < 1000, `${text.length} characters`);
    assert.doesNotMatch(text, /BreachContainment|x509|azure/);
    assert.ok(!text.includes(process.cwd()));
  });
});

/** As the engine's dynamic provider does it: `@pulumi/pulumi/cmd/dynamic-provider`. */
function loaded(text: string): Handler {
  const exported = {} as { handler: () => Handler };
  const run = compileFunction(text, ["exports", "require"]) as (...scope: unknown[]) => void;
  run(exported, require);
  return exported.handler();
}

/** What `check` of each handler takes: declared is nothing. */
const EMPTY = {
  // Of a service that is only about to be made.
  connection: UNKNOWN,
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
