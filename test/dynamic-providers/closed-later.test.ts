import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { breachContainment } from "../../dynamic-providers/breach-containment/provider";
import { candidatesOf } from "../../dynamic-providers/device-registration-removal/candidates";
import { deviceRegistrationRemoval as removal } from "../../dynamic-providers/device-registration-removal/provider";
import { deviceTwinJournal as journal } from "../../dynamic-providers/device-twin-journal/provider";
import { TestCa } from "../support/test-ca";
import { Stage, stolen } from "./stage";

const SECOND_MS = 1000;

describe("an entry that is closed in a later change, for a key that is known already", () => {
  let stage: Stage;
  let bad: TestCa;
  let good: TestCa;

  before(async () => {
    stage = await Stage.open();
    bad = await TestCa.root("Bad root");
    good = await TestCa.root("Good root");
    const cas = new CaCertificatesClient(stage.connection);
    await cas.upload("bad", bad.pem, { selfAttested: true });
    await cas.upload("good", good.pem, { selfAttested: true });
  });

  after(() => stage.close());

  async function come(ca: TestCa, ...ids: string[]): Promise<void> {
    stage.clock.advance(SECOND_MS);
    for (const id of ids) await stage.register(id, await ca.leaf(id));
    stage.clock.advance(SECOND_MS);
  }

  /** Which of the devices DPS still has a registration of. */
  async function registered(...ids: string[]): Promise<string[]> {
    const records = await Promise.all(ids.map((id) => stage.enrollments.getRegistration(id)));
    return records.flatMap((record) => (record === undefined ? [] : [record.registrationId]));
  }

  it("makes its devices candidates too, and spares those that came back before", async () => {
    await stage.putGroup("plant", { primary: "bad" });
    await come(bad, "left", "back");
    const [stolenKey] = stolen(bad);
    const { key } = stolenKey!;
    const scope = {
      connection: stage.connection,
      compromised: [stolenKey!],
      caKeys: { bad: [key] },
    };
    await stage.listening(async () => {
      const { outs: contained } = await breachContainment.create(scope);
      const from = {
        ...scope,
        compromised: stolenKey!,
        containment: contained.contained[key]!,
      };
      const { devices, ...rest } = (await journal.create(from)).outs;
      const inputs = { ...rest, journal: devices, restoreWaitSeconds: 0 };
      await stage.byHand("group", "plant", {
        attestation: { type: "x509", x509: { caReferences: { primary: "good" } } },
        provisioningStatus: "enabled",
      });
      const { outs } = await removal.create(inputs);
      assert.deepEqual(outs.removed.sort(), ["back", "left"]);
      await come(good, "back");

      // Somebody admits by the stolen CA once more, and a thief comes in as one of the devices.
      await stage.putGroup("by-hand", { primary: "bad" });
      await come(bad, "fresh", "left");
      const { outs: later } = await breachContainment.update("containment", contained, scope);
      stage.clock.advance(SECOND_MS);
      const news = { ...from, containment: later.contained[key]! };
      const written = { ...from, devices };
      assert.equal((await journal.diff(key, written, news)).changes, true);
      const { outs: more } = await journal.update(key, written, news);
      assert.deepEqual(
        more.devices.slice(2).map(({ deviceId }) => deviceId),
        ["fresh", "left"],
      );

      const again = { ...inputs, containment: news.containment, journal: more.devices };
      assert.equal((await removal.diff(key, outs, again)).changes, true);
      const { outs: after } = await removal.update(key, outs, again);
      assert.deepEqual(after.removed.sort(), ["back", "fresh", "left"]);
      assert.deepEqual(await registered("fresh", "left", "back"), ["back"]);
      assert.equal((await removal.diff(key, after, again)).changes, false);
    });
  });

  it("makes those candidates who came in by a CA that was retired before it was found stolen", async () => {
    const old = await TestCa.root("Old root");
    await new CaCertificatesClient(stage.connection).upload("old", old.pem, { selfAttested: true });
    await stage.putGroup("yard", { primary: "old", secondary: "good" });
    await come(old, "gone-1", "rolled-1");
    const [[oldKey], [goodKey]] = [stolen(old), stolen(good)];
    const inputs = (compromised: (typeof oldKey)[], slots: string[]) => ({
      connection: stage.connection,
      compromised: compromised.map((one) => one!),
      caKeys: { old: [oldKey!.key] },
      slotKeys: { "group/yard": slots },
    });
    const before = inputs([], [oldKey!.key, goodKey!.key]);
    const { outs } = await breachContainment.create(
      (await breachContainment.check({}, before)).inputs!,
    );
    await stage.byHand("group", "yard", {
      attestation: { type: "x509", x509: { caReferences: { primary: "good" } } },
    });
    await come(good, "rolled-1", "new-1");
    const retired = (await breachContainment.check(outs, inputs([], [goodKey!.key]))).inputs!;
    assert.equal((await breachContainment.diff("containment", outs, retired)).changes, false);

    const declared = inputs([oldKey], [goodKey!.key]);
    const news = (await breachContainment.check(retired, declared)).inputs!;
    stage.reset();
    const { outs: later } = await breachContainment.update(
      "containment",
      { ...outs, ...retired },
      news,
    );
    assert.deepEqual(stage.writes, []);
    const containment = later.contained[oldKey!.key]!;
    const { lastUpdatedDateTimeUtc } = (await stage.enrollments.getGroup("yard"))!;
    assert.deepEqual(containment.entries, [
      { kind: "group", id: "yard", cutOff: lastUpdatedDateTimeUtc, settling: [] },
    ]);
    const candidates = await candidatesOf({ ...news, compromised: oldKey!, containment });
    assert.deepEqual(
      candidates.map(({ deviceId }) => deviceId),
      ["gone-1"],
    );
    // Found once, it is not found anew.
    const { outs: again } = await breachContainment.update("containment", later, news);
    assert.deepEqual(again.contained, later.contained);
  });
});
