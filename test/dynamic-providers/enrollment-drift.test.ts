/**
 * What becomes of changes that somebody else made in DPS: towards less trust they stay until `reenable`,
 * towards more trust they are put right. Each case for all three forms of attestation.
 */
import assert from "node:assert/strict";
import type { EnrollmentInputs, EnrollmentOutputs } from "../../dynamic-providers/enrollment/live";
import { slotWords } from "../../dynamic-providers/enrollment/slots";
import { forEachForm, type TestEntry } from "./entries";
import { failure, type Stage, withStage } from "./stage";

describe("drift of enrollments", () => {
  let stage: Stage;
  withStage((open) => (stage = open));

  forEachForm(
    "truck",
    () => stage,
    (fresh) => {
      let entry: TestEntry;
      let a: Partial<EnrollmentInputs>;
      let both: Partial<EnrollmentInputs>;

      beforeEach(() => {
        entry = fresh();
        const [A, B] = entry.slots;
        a = { primary: A };
        both = { primary: A, secondary: B };
        stage.reset();
      });

      /** A refresh, then `up` with the same declaration, which must not be asked for twice. */
      async function refreshAndUp(
        olds: EnrollmentOutputs,
        fields: Partial<EnrollmentInputs>,
      ): Promise<EnrollmentOutputs> {
        const { outs } = await entry.up(await entry.refreshed(olds), fields);
        const settled = await entry.up(await entry.refreshed(outs), fields);
        assert.equal(settled.updated, false, "a second up changes something");
        return outs;
      }

      const stays = (found: string, since: string): string =>
        `DPS-CERT-123 at ${entry.path}: found in DPS less trust than is declared, which stays so: ` +
        `${found} (${since}); fix: to open it again add { path: ${entry.path}, reason: … } to reenable; ` +
        "to leave it so, declare it so";

      const changed = async (): Promise<string> =>
        `last changed ${(await entry.record())!.lastUpdatedDateTimeUtc}`;

      it("leaves disabled what somebody disabled, and says so each time", async () => {
        const olds = await entry.created(a);
        await entry.byHand({ provisioningStatus: "disabled" });
        stage.reset();
        await refreshAndUp(olds, a);
        const words = stays("status disabled (declared enabled)", await changed());
        assert.deepEqual(stage.said, [words, words]);
        assert.deepEqual(stage.writes, []);
        assert.equal(await entry.live(), "disabled A");
      });

      it("leaves empty a slot that somebody emptied, and the other as it is", async () => {
        const olds = await entry.created(both);
        const [A, B] = entry.slots;
        await entry.slotsByHand(B);
        stage.reset();
        await refreshAndUp(olds, both);
        const found = `primary ${live(B)} (declared ${slotWords(A)}); secondary empty (declared ${slotWords(B)})`;
        const words = stays(found, await changed());
        assert.deepEqual(stage.said, [words, words]);
        assert.deepEqual(stage.writes, []);
        assert.equal(await entry.live(), "enabled B");
      });

      it("does not make again what somebody deleted", async () => {
        const olds = await entry.created(a);
        await entry.deletedByHand();
        stage.reset();
        await refreshAndUp(olds, a);
        const declared = `enabled, primary ${slotWords(a.primary)}, secondary empty, reprovisioning migrate`;
        const words = stays(`the entry is gone (declared ${declared})`, "since when is not known");
        assert.deepEqual(stage.said, [words, words]);
        assert.equal(await entry.live(), "gone");
        // And when it leaves the configuration there is nothing left to do.
        await entry.handler.delete(entry.id, await entry.refreshed(olds));
        assert.deepEqual(stage.writes, []);
      });

      const closings: [string, () => Promise<void>][] = [
        ["disabled", () => entry.byHand({ provisioningStatus: "disabled" })],
        ["emptied of one certificate", () => entry.slotsByHand(entry.slots[1])],
        ["deleted", () => entry.deletedByHand()],
      ];
      for (const [how, close] of closings) {
        it(`opens again what was ${how} when reenable says so, once`, async () => {
          const olds = await entry.refreshed(await entry.created(both));
          await close();
          stage.reset();
          const reenable = "checked with the owner";
          // Also without a refresh in between: the reason is new, so the entry is read.
          const { outs, updated } = await entry.up(olds, { ...both, reenable });
          assert.equal(updated, true);
          assert.equal(stage.writes.length, 1);
          assert.equal(await entry.live(), "enabled AB");
          assert.match(
            stage.said.join(),
            new RegExp(`^${entry.path} is opened again, because: ${reenable}\\. Found: `),
          );
          stage.reset();
          await close();
          stage.reset();
          await refreshAndUp(outs, { ...both, reenable });
          assert.notEqual(await entry.live(), "enabled AB");
          assert.deepEqual(stage.writes, []);
          assert.ok(
            stage.said.includes(
              `DPS-CERT-122 at ${entry.path}: found a reenable that is carried out: ${reenable}; fix: remove it from reenable`,
            ),
          );
          assert.match(stage.said.join("\n"), /to reenable with another reason/);
          const again = await entry.up(outs, { ...both, reenable: "checked once more" });
          assert.equal(await entry.live(), "enabled AB");
          assert.equal(again.updated, true);
        });
      }

      it("puts right a certificate that somebody put into a slot", async () => {
        const olds = await entry.created(a);
        const [A, , C] = entry.slots;
        await entry.slotsByHand(C);
        const since = await changed();
        const { outs } = await entry.up(await entry.refreshed(olds), a);
        assert.equal(await entry.live(), "enabled A");
        assert.deepEqual(stage.said, [
          `DPS-CERT-124 at ${entry.path}: found in DPS something else than is declared: ` +
            `primary ${live(C)} (declared ${slotWords(A)}) (${since}); ` +
            "fix: `pulumi up` puts it right; to keep it, declare it",
        ]);
        assert.equal((await entry.up(outs, a)).updated, false);
      });

      it("disables again what somebody enabled, and makes again what shuts out", async () => {
        const closed = { ...a, provisioningStatus: "disabled" as const };
        const olds = await entry.created(closed);
        await entry.byHand({ provisioningStatus: "enabled" });
        const outs = await refreshAndUp(olds, closed);
        assert.equal(await entry.live(), "disabled A");
        await entry.deletedByHand();
        await refreshAndUp(outs, closed);
        assert.equal(await entry.live(), "disabled A");
      });

      it("takes a foreign certificate out and leaves the entry disabled", async () => {
        const olds = await entry.created(a);
        const [, , C] = entry.slots;
        await entry.slotsByHand(C);
        await entry.byHand({ provisioningStatus: "disabled" });
        await refreshAndUp(olds, a);
        assert.equal(await entry.live(), "disabled A");
        assert.deepEqual(
          stage.said.map((words) => words.slice(0, 12)),
          ["DPS-CERT-123", "DPS-CERT-124", "DPS-CERT-123"],
        );
      });

      it("carries a roll out beside it: what was closed stays closed", async () => {
        const [A, B, C] = entry.slots;
        const olds = await entry.created(both);
        await entry.slotsByHand(B);
        await entry.byHand({ provisioningStatus: "disabled" });
        stage.reset();
        // Not refreshed: what admits less than this stack wrote does not stop it either.
        const { outs } = await entry.up(olds, { primary: C, secondary: A });
        assert.equal(await entry.live(), "disabled C");
        assert.match(stage.said.join("\n"), /^DPS-CERT-123 .*status disabled/);
        const open = await entry.up(outs, { primary: C, secondary: A, reenable: "found again" });
        assert.equal(await entry.live(), "enabled CA");
        assert.equal(open.updated, true);
      });

      it("refuses a roll that would leave nothing in the entry", async () => {
        const olds = await entry.created(both);
        const [A, B] = entry.slots;
        await entry.slotsByHand(B);
        const drifted = await entry.refreshed(olds);
        const message = await failure(entry.up(drifted, { primary: A }));
        assert.equal(
          message,
          `DPS-CERT-128 at ${entry.path}: found an entry out of which somebody took what is to stay in it: ` +
            `in DPS enabled, primary ${live(B)}, secondary empty, reprovisioning migrate, ${await changed()}; ` +
            `declared enabled, primary ${slotWords(A)}, secondary empty, reprovisioning migrate; ` +
            `fix: put another certificate in a slot, or add { path: ${entry.path}, reason: … } to reenable`,
        );
        assert.equal(await entry.live(), "enabled B");
      });

      it("enables without the compromised key what somebody had disabled before the breach was declared", async () => {
        const [A, B] = entry.slots;
        const olds = await entry.created(a);
        await entry.byHand({ provisioningStatus: "disabled" });
        const closed = await refreshAndUp(olds, a);
        assert.equal(await entry.live(), "disabled A");
        const since = await changed();
        stage.reset();
        const key = A.certificate.publicKeySha256;
        const compromised = [
          { name: "a", key, subject: "A", reason: "stolen", registrationIds: [], thumbprints: [] },
        ];
        await entry.up(await entry.refreshed(closed), { primary: B, compromised });
        assert.equal(await entry.live(), "enabled B");
        assert.deepEqual(stage.said, [
          `${entry.path}, disabled in DPS (${since}), is enabled without the compromised key.`,
        ]);
      });

      it("takes as declared what is declared after it was done by hand", async () => {
        const olds = await entry.created(both);
        await entry.slotsByHand(entry.slots[1]);
        stage.reset();
        const { outs } = await entry.up(await entry.refreshed(olds), { primary: entry.slots[1] });
        assert.deepEqual(stage.writes, []);
        // From here on the other one may come back as a roll like any other.
        await entry.up(outs, both);
        assert.equal(await entry.live(), "enabled AB");
        assert.doesNotMatch(stage.said.join("\n"), /DPS-CERT-12[34]/);
      });
    },
  );

  /** A reference shows no more of its certificate than the name. */
  function live(held: TestEntry["slots"][number]): string {
    return held.ca === undefined ? slotWords(held) : `CA certificate ${held.ca}`;
  }
});
