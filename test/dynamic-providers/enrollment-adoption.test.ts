/** Entries that somebody else made and the stack takes over, for all three forms of attestation. */
import assert from "node:assert/strict";
import { compromisedKeys } from "../../certificates/compromised-keys";
import type { EnrollmentInputs, EnrollmentOutputs } from "../../dynamic-providers/enrollment/live";
import { describe as words } from "../../dynamic-providers/enrollment/live";
import { UNKNOWN } from "../../dynamic-providers/handler";
import { declared } from "../certificates/fixtures";
import { forEachForm, TestEntry } from "./entries";
import { failure, type Stage, withStage } from "./stage";

describe("adoption of enrollments", () => {
  let stage: Stage;
  withStage((open) => (stage = open));

  forEachForm(
    "lorry",
    () => stage,
    (fresh) => {
      let entry: TestEntry;

      beforeEach(() => {
        entry = fresh();
      });

      /** What the engine does for a resource that is new: check, then create. */
      async function adopted(fields: Partial<EnrollmentInputs>): Promise<EnrollmentOutputs> {
        return stage.listening(async () => {
          const inputs = entry.inputs({ adopt: true, ...fields });
          const checked = await entry.handler.check({}, inputs);
          assert.deepEqual(checked.failures, []);
          return (await entry.handler.create(checked.inputs!)).outs;
        });
      }

      /** What stands against it in a preview; the create must refuse it with the same words. */
      async function refused(fields: Partial<EnrollmentInputs>): Promise<string> {
        stage.reset();
        const inputs = entry.inputs({ adopt: true, ...fields });
        const { failures } = await entry.handler.check({}, inputs);
        assert.equal(failures?.length, 1);
        assert.equal(failures[0]?.property, "");
        assert.equal(await failure(entry.handler.create(inputs)), failures[0]?.reason);
        assert.deepEqual(stage.writes, []);
        return failures[0].reason;
      }

      it("takes over what is as it is declared, without a write", async () => {
        const [A, B] = entry.slots;
        const unmanaged = {
          allocationPolicy: "static",
          iotHubs: [stage.sandbox.hub],
          initialTwin: { tags: { site: "north" } },
          reprovisionPolicy: { updateHubAssignment: false, migrateDeviceData: false },
        };
        await entry.madeByHand({ primary: A, secondary: B }, unmanaged);
        const record = await entry.record();
        stage.reset();
        const fields = { primary: A, secondary: B, reprovisionPolicy: "never" as const };
        const outs = await adopted(fields);
        assert.deepEqual(stage.writes, []);
        assert.deepEqual(stage.said, [
          `${entry.title} is already as declared; nothing was written.`,
        ]);
        assert.equal(outs.roll, `adoption of ${entry.title.replaceAll('"', "`")}`);
        assert.deepEqual(await entry.record(), record);
        // From then on it is like any other, with adopt in the configuration or without.
        assert.equal((await entry.up(outs, { ...fields, adopt: true })).updated, false);
        assert.equal((await entry.up(outs, fields)).updated, false);
      });

      it("is refused when there is nothing to take over", async () => {
        assert.equal(
          await refused({ primary: entry.slots[0] }),
          `DPS-CERT-125 at ${entry.path}.adopt: found no such entry in DPS; fix: leave adopt out, so that it is made`,
        );
      });

      const differences: [string, (slots: TestEntry["slots"]) => Partial<EnrollmentInputs>][] = [
        ["holds another certificate", ([, B]) => ({ primary: B })],
        ["holds one more", ([A]) => ({ primary: A })],
        ["is disabled", ([A, B]) => ({ primary: A, secondary: B })],
        ["is enabled", ([A, B]) => ({ primary: A, secondary: B, provisioningStatus: "disabled" })],
        [
          "has another reprovision policy",
          ([A, B]) => ({ primary: A, secondary: B, reprovisionPolicy: "reset" }),
        ],
      ];
      for (const [difference, fields] of differences) {
        it(`is refused when the live one ${difference}, with both sides`, async () => {
          const [A, B] = entry.slots;
          const live =
            difference === "holds another certificate"
              ? { primary: A }
              : { primary: A, secondary: B };
          const provisioningStatus = difference === "is disabled" ? "disabled" : "enabled";
          await entry.madeByHand(live, { provisioningStatus });
          const before = await entry.record();
          const found = (await entry.handler.read(entry.id, entry.inputs() as EnrollmentOutputs))
            .props!.live;
          assert.equal(
            await refused(fields(entry.slots)),
            `DPS-CERT-126 at ${entry.path}.adopt: found an entry that differs: in DPS ${words(found)}, ` +
              `last changed ${before!.lastUpdatedDateTimeUtc}; declared ${words(entry.inputs(fields(entry.slots)))}; ` +
              "fix: declare what is in DPS and change it later, as a roll; a certificate that is added beside those in DPS, " +
              "or replaces one that is named in compromised, may be declared at once",
          );
          assert.deepEqual(await entry.record(), before);
        });
      }

      it("may begin an expiration roll: a certificate beside the one that is there", async () => {
        const [A, B] = entry.slots;
        await entry.madeByHand({ primary: A });
        stage.reset();
        const outs = await adopted({ primary: A, secondary: B });
        assert.equal(stage.writes.length, 1);
        assert.equal(await entry.live(), "enabled AB");
        assert.equal((await entry.up(outs, { primary: A, secondary: B })).updated, false);
      });

      it("is not judged while something is not known, and then before the first write", async () => {
        await entry.madeByHand({ primary: entry.slots[0] });
        stage.reset();
        const inputs = entry.inputs({ adopt: true, connection: UNKNOWN as never });
        assert.deepEqual((await entry.handler.check({}, inputs)).failures, []);
        const message = await failure(adopted({ primary: entry.slots[1] }));
        assert.match(message, /DPS-CERT-126/);
        assert.deepEqual(stage.writes, []);
      });
    },
  );

  for (const form of ["individual", "intermediates"] as const) {
    it(`may be the roll of a breach (${form}): a compromised certificate goes, also when it is contained by then`, async () => {
      for (const contained of [false, true]) {
        const entry = await TestEntry[form](stage, `${form}-${contained ? "contained" : "open"}`);
        const [A, B] = entry.slots;
        await entry.madeByHand({ primary: A });
        if (contained) await entry.byHand({ provisioningStatus: "disabled" });
        const reason = "stolen";
        const compromised = compromisedKeys(
          declared({ old: { pem: A.pem! } }, { compromised: [{ certificate: "old", reason }] }),
        );
        const inputs = entry.inputs({ adopt: true, primary: B, compromised });
        const checked = await entry.handler.check({}, inputs);
        assert.deepEqual(checked.failures, []);
        await entry.handler.create(checked.inputs!);
        assert.equal(await entry.live(), "enabled B");
      }
    });
  }
});
