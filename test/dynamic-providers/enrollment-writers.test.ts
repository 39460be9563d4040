/**
 * Other writers: what they leave in the fields that this stack does not manage, and what they do between
 * its reading and its writing. Each case for all three forms of attestation.
 */
import assert from "node:assert/strict";
import { slotWords } from "../../dynamic-providers/enrollment/slots";
import { forEachForm, type TestEntry } from "./entries";
import { afterNextRead, failure, type Stage, withStage } from "./stage";

describe("other writers of an enrollment", () => {
  let stage: Stage;
  withStage((open) => (stage = open));

  forEachForm(
    "bus",
    () => stage,
    (fresh) => {
      let entry: TestEntry;

      beforeEach(() => {
        entry = fresh();
        stage.reset();
      });

      /** Runs while somebody else acts once, after the next read and before what was read is used. */
      async function overtaken<T>(act: () => Promise<void>, run: () => Promise<T>): Promise<T> {
        const restore = afterNextRead(
          entry.kind === "individual" ? "getIndividual" : "getGroup",
          act,
        );
        try {
          return await run();
        } finally {
          restore();
        }
      }

      it("find every field that is not managed as they left it, after each change", async () => {
        const [A, B, C] = entry.slots;
        const unmanaged = {
          allocationPolicy: "custom",
          customAllocationDefinition: {
            webhookUrl: "https://allocate.example/api",
            apiVersion: "2021-10-01",
          },
          iotHubs: [stage.sandbox.hub],
          initialTwin: { tags: { site: "north" }, properties: { desired: { interval: 60 } } },
          capabilities: { iotEdge: true },
          ...(entry.kind === "individual" && {
            optionalDeviceInformation: { model: "T1" },
            deviceId: "lorry",
          }),
        };
        let outs = await entry.created({ primary: A });
        await entry.byHand(unmanaged);
        const created = (await entry.record())!.createdDateTimeUtc;
        for (const fields of [
          { primary: A, secondary: B },
          { secondary: B },
          { primary: C, secondary: B, reprovisionPolicy: "reset" as const },
          { primary: C, provisioningStatus: "disabled" as const },
          { primary: C },
        ]) {
          const done = await entry.up(outs, fields);
          assert.equal(done.updated, true);
          ({ outs } = done);
          const record = (await entry.record()) as unknown as Record<string, unknown>;
          for (const [name, value] of Object.entries(unmanaged)) {
            assert.deepEqual(record[name], value, name);
          }
          assert.equal(record["createdDateTimeUtc"], created);
        }
        assert.equal(await entry.live(), "enabled C");
      });

      it("may write a slot by its info alone, which keeps its certificate", async () => {
        const [A, B] = entry.slots;
        const outs = await entry.created({ primary: A, secondary: B });
        const record = (await entry.record())!;
        // As the portal and the CLI write: what was read, with one field changed.
        await entry.byHand({ capabilities: { iotEdge: true } });
        assert.deepEqual((await entry.record())!.attestation, record.attestation);
        assert.equal(await entry.live(), "enabled AB");
        assert.equal(
          (await entry.up(await entry.refreshed(outs), { primary: A, secondary: B })).updated,
          false,
        );
      });

      it("may bring about in between what is wanted: nothing is written any more", async () => {
        const [A, B] = entry.slots;
        const olds = await entry.created({ primary: A });
        await overtaken(
          () => entry.slotsByHand(A, B),
          () => entry.update(olds, { primary: A, secondary: B }),
        );
        assert.equal(await entry.live(), "enabled AB");
        assert.ok(
          stage.said.includes(`${entry.title} is already as declared; nothing was written.`),
        );
      });

      it("may close it in between: the write goes on and leaves it closed", async () => {
        const [A, B] = entry.slots;
        const olds = await entry.created({ primary: A });
        await overtaken(
          () => entry.byHand({ provisioningStatus: "disabled" }),
          () => entry.update(olds, { primary: A, secondary: B }),
        );
        assert.equal(await entry.live(), "disabled AB");
        assert.match(stage.said.join("\n"), /^DPS-CERT-123 .*status disabled \(declared enabled\)/);
      });

      it("may delete it in between: it is not made again", async () => {
        const [A, B] = entry.slots;
        const olds = await entry.created({ primary: A });
        await overtaken(
          () => entry.deletedByHand(),
          () => entry.update(olds, { primary: A, secondary: B }),
        );
        assert.equal(await entry.live(), "gone");
        assert.match(stage.said.join("\n"), /^DPS-CERT-123 .*the entry is gone/);
      });

      const conflicts: [string, () => Promise<void>, string][] = [
        ["another certificate", () => entry.slotsByHand(entry.slots[2]), "enabled C"],
        [
          "one more certificate",
          () => entry.slotsByHand(entry.slots[0], entry.slots[2]),
          "enabled AC",
        ],
        [
          "another reprovision policy",
          () =>
            entry.byHand({
              reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: false },
            }),
          "enabled A",
        ],
      ];
      for (const [what, act, left] of conflicts) {
        it(`stop the write with ${what}, and both sides are shown`, async () => {
          const [A, B] = entry.slots;
          const olds = await entry.created({ primary: A });
          const message = await failure(overtaken(act, () => entry.update(olds, { primary: B })));
          const expected = olds.live.primary!;
          assert.match(
            message,
            new RegExp(
              `^DPS-CERT-128 at ${entry.path}: found an entry that somebody else changed: in DPS enabled, `,
            ),
          );
          assert.ok(
            message.includes(
              `; expected enabled, primary ${slotWords(expected)}, secondary empty, `,
            ),
            message,
          );
          assert.equal(await entry.live(), left);
        });
      }

      it("make the same entry at the same time: one that differs stops it", async () => {
        const [A, B] = entry.slots;
        const message = await failure(
          overtaken(
            () => entry.madeByHand({ primary: B }),
            () => entry.create({ primary: A }),
          ),
        );
        assert.match(message, new RegExp(`^DPS-CERT-129 at ${entry.path}: `));
        assert.equal(await entry.live(), "enabled B");
      });
    },
  );
});
