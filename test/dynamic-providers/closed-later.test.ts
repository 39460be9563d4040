import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { breachContainment } from "../../dynamic-providers/breach-containment/provider";
import { candidatesOf } from "../../dynamic-providers/device-registration-removal/candidates";
import { deviceTwinJournal } from "../../dynamic-providers/device-twin-journal/provider";
import { UNKNOWN } from "../../dynamic-providers/handler";
import { TestCa } from "../support/test-ca";
import { NOW, RemovalRuns } from "./removal-runs";
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
    const runs = new RemovalRuns(stage);
    const contained = await stage.listening(
      async () => (await breachContainment.create(scope)).outs,
    );
    const from = { ...scope, contained: contained.contained, remove: NOW, goodIssuers: [] };
    await stage.byHand("group", "plant", {
      attestation: { type: "x509", x509: { caReferences: { primary: "good" } } },
      provisioningStatus: "enabled",
    });
    await runs.up(from);
    assert.deepEqual(runs.removal?.removed, ["back", "left"]);
    await come(good, "back");

    // Somebody admits by the stolen CA once more, and a thief comes in as one of the devices.
    await stage.putGroup("by-hand", { primary: "bad" });
    await come(bad, "fresh", "left");
    const later = await stage.listening(
      async () => (await breachContainment.update("containment", contained, scope)).outs,
    );
    stage.clock.advance(SECOND_MS);
    const news = { ...from, contained: later.contained };
    assert.deepEqual(await runs.up(news), ["journal", "removal"]);
    assert.deepEqual(runs.removal?.removed, ["back", "fresh", "left"]);
    assert.deepEqual(await registered("fresh", "left", "back"), ["back"]);
    assert.deepEqual(await runs.up(news), []);
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
    // The preview counts them too, when it does not know yet what containment will find, also while
    // another certificate of the same change is made during `up`.
    const scope = { ...news, contained: UNKNOWN as never, remove: NOW, goodIssuers: [] };
    const making = { ...scope, caKeys: UNKNOWN as never, slotKeys: UNKNOWN as never };
    for (const preview of [scope, making]) {
      stage.reset();
      await stage.listening(() => deviceTwinJournal.check(retired, preview));
      assert.match(
        stage.said.join("\n"),
        /^removal \(how: now, keep: delete\): 1 device came in through what CN=Old root admits\n {2}hub \S+: 1 identity will be removed\n/,
      );
    }
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
    const reach = { key: oldKey!.key, registrationIds: [], entries: containment.entries };
    const candidates = await candidatesOf(news, [reach]);
    assert.deepEqual(
      candidates.filter(({ backIn }) => backIn === undefined).map(({ deviceId }) => deviceId),
      ["gone-1"],
    );
    // Found once, it is not found anew.
    const { outs: again } = await breachContainment.update("containment", later, news);
    assert.deepEqual(again.contained, later.contained);
  });
});
