import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CompromisedKey } from "../../certificates/compromised-keys";
import { compromisedKeys } from "../../certificates/compromised-keys";
import { summarize } from "../../certificates/summary";
import { readIssuedLeaves } from "../../dynamic-providers/device-registration-removal/issued-leaves-file";
import type {
  IssuedLeavesFile,
  RemovalScope,
  RemovalSettings,
} from "../../dynamic-providers/device-registration-removal/scope";
import { deviceTwinJournal } from "../../dynamic-providers/device-twin-journal/provider";
import { UNKNOWN } from "../../dynamic-providers/handler";
import { declared } from "../certificates/fixtures";
import type { TestCa } from "../support/test-ca";
import { RemovalFleet } from "./removal-fleet";
import { containedScope, NOW, RemovalRuns } from "./removal-runs";

describe("devices with a leaf of a stolen intermediate, that came in through a group above it", () => {
  let fleet: RemovalFleet;
  let plant: TestCa;
  let key: CompromisedKey;
  /** Below the intermediate: the first one is in the manifest; then below the root. */
  let proven: string;
  let notKnown: string;
  let good: string;

  before(async () => {
    fleet = await RemovalFleet.open();
    plant = await fleet.good.intermediate("Plant");
    [key] = compromisedKeys(
      declared(
        { root: fleet.good, plant },
        { compromised: [{ certificate: "plant", reason: "stolen" }] },
      ),
    ) as [CompromisedKey];
  });
  after(() => fleet.close());
  beforeEach(async () => {
    fleet.count += 1;
    fleet.group = `region-${fleet.count}`;
    [proven, notKnown, good] = ["a", "b", "c"].map((one) => `${one}-${fleet.count}`) as [
      string,
      string,
      string,
    ];
    await fleet.stage.putGroup(fleet.group, { primary: "good" });
    for (const id of [proven, notKnown]) fleet.leaves.set(id, await plant.leaf(id));
    fleet.leaves.set(good, await fleet.good.leaf(good));
    await fleet.come(proven, notKnown, good);
    fleet.stage.reset();
  });
  afterEach(() => fleet.end());

  function manifest(...rows: [id: string, issuer: TestCa, spelt?: string][]): IssuedLeavesFile {
    const file = join(fleet.folder, `above-${fleet.count}.json`);
    const json = rows.map(([registrationId, issuer, spelt = registrationId]) => ({
      registrationId: spelt,
      leafSha256: summarize(fleet.leaves.get(registrationId)!.pem).sha256Thumbprint,
      issuerThumbprint: summarize(issuer.pem).sha256Thumbprint,
    }));
    writeFileSync(file, JSON.stringify(json));
    return readIssuedLeaves(file, fleet.folder).source!;
  }

  const breach = async (remove: RemovalSettings): Promise<RemovalScope> => ({
    ...(await containedScope(fleet.stage, key, {})),
    remove,
    goodIssuers: fleet.issuers(),
  });

  const preview = async (scope: RemovalScope): Promise<string[]> => {
    fleet.stage.reset();
    const news = { ...scope, contained: UNKNOWN as never };
    await fleet.stage.listening(() => deviceTwinJournal.check({}, news));
    return fleet.stage.said;
  };

  it("are removed when the manifest proves it, also in a later change, and nobody else is", async () => {
    const scope = await breach(NOW);
    const runs = new RemovalRuns(fleet.stage);
    await runs.up(scope);
    assert.deepEqual(await fleet.present(proven, notKnown, good), [proven, notKnown, good]);

    const issuedLeaves = manifest([proven, plant], [good, fleet.good]);
    const news = { ...scope, remove: { ...NOW, issuedLeaves } };
    assert.deepEqual(await runs.up(news), ["journal", "removal"]);
    assert.deepEqual(await fleet.present(proven, notKnown, good), [notKnown, good]);
    assert.deepEqual(runs.removal?.removed, [proven]);
    assert.equal(await fleet.stage.enrollments.getRegistration(proven), undefined);
    assert.deepEqual(await runs.up(news), []);
  });

  it("are found by their DPS record when the manifest spells them otherwise than the hub", async () => {
    const issuedLeaves = manifest([proven, plant, proven.toUpperCase()]);
    await new RemovalRuns(fleet.stage).up(await breach({ ...NOW, issuedLeaves }));
    assert.deepEqual(await fleet.present(proven, notKnown, good), [notKnown, good]);
  });

  it("are found by their DPS record although the hub has another device under the ID of the row", async () => {
    const decoy = proven.toUpperCase();
    const issuedLeaves = manifest([proven, plant, decoy]);
    await fleet.sdk.addDevices([{ deviceId: decoy, authentication: { type: "none" } }]);
    await new RemovalRuns(fleet.stage).up(await breach({ ...NOW, issuedLeaves }));
    assert.deepEqual(await fleet.present(proven, notKnown, good), [notKnown, good]);
  });

  it("wait for their wave", async () => {
    const issuedLeaves = manifest([proven, plant], [notKnown, plant]);
    const waves = { sizes: [1], returned: 0, waitSeconds: 0, pauseMinutes: 0 };
    const scope = await breach({ how: "waves", keep: "delete", waves, issuedLeaves });
    const runs = new RemovalRuns(fleet.stage);
    await runs.up(scope);
    assert.deepEqual(await fleet.present(proven, notKnown, good), [notKnown, good]);
    await runs.up(scope);
    assert.deepEqual(await fleet.present(proven, notKnown, good), [good]);
    assert.deepEqual(await runs.up(scope), []);
  });

  it("are counted in the preview, and named where nothing proves anything", async () => {
    const scope = await breach(NOW);
    assert.deepEqual(await preview(scope), [
      `removal:\n  not known whether CN=Plant issued the leaf of 3 devices that came in through \`${fleet.group}\`, which may be above it: ${proven}, ${notKnown}, ${good}. They stay; a manifest of issued leaves (remove.issuedLeaves) tells`,
    ]);
    const issuedLeaves = manifest([proven, plant], [good, fleet.good]);
    assert.deepEqual(await preview({ ...scope, remove: { ...NOW, issuedLeaves } }), [
      [
        "removal (how: now, keep: delete): 1 device came in through what CN=Plant admits",
        `  hub ${fleet.stage.sandbox.hub}: 1 identity will be removed`,
        `  not known whether CN=Plant issued the leaf of 1 device that came in through \`${fleet.group}\`, which may be above it: ${notKnown}. They stay; the manifest has no row of theirs`,
      ].join("\n"),
    ]);
  });

  it("are left when they have come back with a good leaf before it was their turn", async () => {
    const issuedLeaves = manifest([proven, plant]);
    const scope = await breach({ ...NOW, issuedLeaves });
    await fleet.comeAnew(proven);
    const runs = new RemovalRuns(fleet.stage);
    await runs.up(scope);
    assert.deepEqual(await fleet.present(proven, notKnown, good), [proven, notKnown, good]);
    assert.deepEqual(runs.removal?.removed, []);
  });
});
