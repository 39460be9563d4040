/** How long a removal takes, as the plan says it. */
import assert from "node:assert/strict";
import { removalWords } from "../../plan/telling-removal";
import { OPERATIONS_A_DEVICE } from "../../plan/removal";
import type { HubTier } from "../../clients/hub-place";
import { NOW, RemovalRuns } from "../dynamic-providers/removal-runs";
import { RemovalFleet } from "../dynamic-providers/removal-fleet";
import { breach, edited, HUBS, inventoryOf, type Scene, scene, type SceneDevice } from "./scene";
import { previewOf } from "./scene-preview";
import { buildPlan } from "../../plan/build";
import { NOW as TODAY } from "../certificates/fixtures";

describe("the time of a removal", () => {
  describe("goes by what a hub is asked for each device", () => {
    let fleet: RemovalFleet;
    before(async () => {
      fleet = await RemovalFleet.open();
    });
    after(() => fleet.close());
    afterEach(() => fleet.end());

    /** Operations that count against the rate of the identity registry, as the sandbox counts them. */
    async function counted(run: () => Promise<unknown>): Promise<number> {
      const { throttles } = fleet.stage.sandbox.sandbox;
      const real = throttles.turn.bind(throttles);
      let count = 0;
      throttles.turn = (limit, owner, cost, queue) => {
        if (limit.name === "hub-registry") count += cost;
        return real(limit, owner, cost, queue);
      };
      try {
        await run();
      } finally {
        throttles.turn = real;
      }
      return count;
    }

    for (const keep of ["delete", "rekey"] as const) {
      it(keep, async () => {
        const devices = (await fleet.begin(3)).length;
        const scope = await fleet.replaced({ ...NOW, keep });
        const count = await counted(() => new RemovalRuns(fleet.stage).up(scope));
        assert.equal(count, devices * OPERATIONS_A_DEVICE[keep]);
      });
    }
  });

  describe("goes by tier and units of the hubs", () => {
    let all: Scene;
    before(async () => {
      all = await scene();
    });

    /** Of a breach of Root A, with so many devices in one hub and two in the other. */
    function words(tiers: Record<string, HubTier>): { minutes: number; said: string[] } {
      const device = (index: number, hub: string): SceneDevice => ({
        id: `sensor-${index}`,
        entry: "group:sensors",
        leaf: "sensor-1",
        hub,
      });
      const devices = Array.from({ length: 1002 }, (_, index) =>
        device(index, HUBS[index < 1000 ? 0 : 1]),
      );
      const after = edited(all.base, breach);
      const inventory = { ...inventoryOf(all, all.base, devices), tiers };
      const preview = previewOf(all.base, after, inventory);
      const { removal } = buildPlan({ preview, inventory, now: TODAY });
      assert.ok(removal !== null);
      return { minutes: removal.minutes, said: removalWords(removal).slice(1, 3) };
    }
    const [one, two] = HUBS;

    it("that are known", () => {
      assert.deepEqual(words({ [one]: { sku: "S2", units: 4 }, [two]: { sku: "S1", units: 1 } }), {
        minutes: 13,
        said: [
          `Time: at least 13 minutes at the published rates: a device takes 5 operations on its hub's registry, and \`${one}\` takes 400 a minute (S2, 4 units); \`${two}\` takes 100 a minute (S1, 1 unit).`,
          "Of 1002 devices it is not known who issued their certificate: DPS and the hub do not say. A manifest of issued leaves would.",
        ],
      });
      assert.equal(words({ [one]: { sku: "S3", units: 1 } }).minutes, 1);
    });

    it("or by the slowest there is, and says that this is assumed", () => {
      assert.deepEqual(words({}), {
        minutes: 50,
        said: [
          `Time: at least 50 minutes at the published rates: a device takes 5 operations on its hub's registry, and \`${one}\` and \`${two}\` take 100 a minute (its tier was not read, taken for S1, 1 unit).`,
          "Of 1002 devices it is not known who issued their certificate: DPS and the hub do not say. A manifest of issued leaves would.",
        ],
      });
    });
  });
});
