import assert from "node:assert/strict";
import { breachContainment } from "../../dynamic-providers/breach-containment/provider";
import type {
  RemovalScope,
  RemovalSettings,
} from "../../dynamic-providers/device-registration-removal/scope";
import { deviceTwinJournal } from "../../dynamic-providers/device-twin-journal/provider";
import { UNKNOWN } from "../../dynamic-providers/handler";
import { TestCa } from "../support/test-ca";
import { RemovalFleet } from "./removal-fleet";
import { NOW, RemovalRuns } from "./removal-runs";
import { stolen } from "./stage";

describe("a breach of what an entry held that is gone from DPS", () => {
  let fleet: RemovalFleet;
  let ids: string[];

  for (const [setting, listed] of [
    ["listed", true],
    ["not-found", false],
  ] as const) {
    describe(`registrationsOfDeletedGroup=${setting}`, () => {
      before(async () => {
        fleet = await RemovalFleet.open({ registrationsOfDeletedGroup: setting });
      });
      after(() => fleet.close());
      beforeEach(async () => {
        ids = await fleet.begin(2);
        await fleet.end();
        fleet.stage.reset();
      });

      const bad = () => stolen(fleet.bad)[0]!;
      const other = "F".repeat(64);

      /** The group is gone, and these keys are remembered. */
      async function breach(keys: string[], remove: RemovalSettings): Promise<RemovalScope> {
        const { connection } = fleet.stage;
        const inputs = {
          connection,
          compromised: [bad()],
          caKeys: {},
          slotKeys: { [`group/${fleet.group}`]: keys },
        };
        const { outs } = await fleet.stage.listening(() => breachContainment.create(inputs));
        const { contained } = outs;
        return { ...inputs, contained, remove, goodIssuers: fleet.issuers() };
      }

      const held = () =>
        `enrollment group "${fleet.group}" held CN=Bad root once and is gone from DPS`;

      it("removes all that came in through a group that never held another key, where DPS lists them", async () => {
        const runs = new RemovalRuns(fleet.stage);
        const scope = await breach([bad().key], NOW);
        assert.deepEqual(fleet.stage.said, [
          listed
            ? `${held()}: what came in through it (2 devices) is removed too, because it never held another key.`
            : `warning: ${held()}, which does not list its registrations any more: only devices of whom a manifest of issued leaves (remove.issuedLeaves) proves that they came in with that key are removed.`,
        ]);
        await runs.up(scope);
        assert.deepEqual(await fleet.present(...ids), listed ? [] : ids);
        assert.deepEqual(await runs.up(scope), []);
      });

      it("removes those of whom a manifest proves it, where the group held another key as well", async () => {
        const issuedLeaves = fleet.manifest(ids.slice(0, 1), fleet.bad);
        const scope = await breach([bad().key, other], { ...NOW, issuedLeaves });
        if (listed) {
          assert.deepEqual(fleet.stage.said, [
            `warning: ${held()}. 2 devices came in through it, with that key or with another one that it held: those of whom a manifest of issued leaves (remove.issuedLeaves) proves that it was that key are removed.`,
          ]);
        }
        const runs = new RemovalRuns(fleet.stage);
        await runs.up(scope);
        assert.deepEqual(await fleet.present(...ids), ids.slice(1));
        assert.deepEqual(runs.removal?.left, listed ? ids.slice(1) : []);
        assert.deepEqual(await runs.up(scope), []);
      });

      it("counts and says it in the preview", async () => {
        const scope = await breach([bad().key], NOW);
        fleet.stage.reset();
        const news = { ...scope, contained: UNKNOWN as never };
        await fleet.stage.listening(() => deviceTwinJournal.check({}, news));
        const said = fleet.stage.said.join("\n");
        assert.ok(said.includes(held()), said);
        assert.equal(/: 2 devices came in through what/.test(said), listed, said);
      });
    });
  }

  describe("an individual enrollment", () => {
    before(async () => {
      fleet = await RemovalFleet.open();
    });
    after(() => fleet.close());

    it("is said when DPS has no record of its device either", async () => {
      const leaf = await TestCa.selfSigned("van-1");
      const [key] = stolen(leaf);
      const inputs = {
        connection: fleet.stage.connection,
        compromised: [key!],
        caKeys: {},
        slotKeys: { "individual/van-1": [key!.key] },
      };
      await fleet.stage.listening(() => breachContainment.create(inputs));
      assert.deepEqual(fleet.stage.said, [
        'warning: individual enrollment "van-1" held CN=van-1 once and is gone from DPS with its registration: its device is looked for under that ID. If it had another device ID, look for the leaf in the hubs, and delete the identity by hand.',
      ]);
      fleet.stage.reset();
      await fleet.stage.putIndividual("van-1", leaf.pem);
      await fleet.stage.register("van-1", leaf);
      const { outs } = await fleet.stage.listening(() => breachContainment.create(inputs));
      assert.deepEqual(
        outs.contained[key!.key]!.entries.map(({ id }) => id),
        ["van-1"],
      );
    });
  });
});
