import assert from "node:assert/strict";
import { type EnrollmentOutputs } from "../../dynamic-providers/enrollment/live";
import { enrollmentGroup } from "../../dynamic-providers/enrollment-group/provider";
import type { RemovalScope } from "../../dynamic-providers/device-registration-removal/scope";
import { RemovalFleet } from "./removal-fleet";
import { containedScope, NOW, RemovalRuns } from "./removal-runs";
import { reference, type Stage, stolen } from "./stage";

describe("an entry that somebody opened and cleaned again between two runs", () => {
  let fleet: RemovalFleet;
  let stage: Stage;
  let runs: RemovalRuns;
  let entry: EnrollmentOutputs;
  let scope: RemovalScope;

  before(async () => {
    fleet = await RemovalFleet.open();
    stage = fleet.stage;
  });
  after(() => fleet.close());
  afterEach(() => fleet.end());

  const inputs = (ca: "bad" | "good") => ({
    connection: stage.connection,
    enrollmentId: fleet.group,
    provisioningStatus: "enabled" as const,
    reprovisionPolicy: "migrate" as const,
    compromised: stolen(fleet.bad),
    primary: reference(ca, fleet[ca]),
  });
  const admit = (ca: "bad" | "good"): Promise<void> =>
    stage.byHand("group", fleet.group, {
      attestation: { type: "x509", x509: { caReferences: { primary: ca } } },
    });
  /** As the program tells it: what the enrollment's resource has written. */
  const told = (remove: RemovalScope["remove"] = NOW): RemovalScope => ({
    ...scope,
    remove,
    writes: { [`group/${fleet.group}`]: entry.writes! },
  });

  /** Contained, replaced by this stack, and the devices of the first breach are removed. */
  beforeEach(async () => {
    await fleet.begin(2);
    stage.clock.advance(1000);
    const [key] = stolen(fleet.bad);
    const before = { ...inputs("bad"), compromised: [] };
    await stage.listening(async () => {
      entry = (await enrollmentGroup.create(before)).outs;
      scope = await containedScope(stage, key!, { bad: [key!.key] });
      entry = (await enrollmentGroup.update(fleet.group, entry, inputs("good"))).outs;
    });
    stage.clock.advance(1000);
    runs = new RemovalRuns(stage);
    await runs.up(told());
    assert.equal(runs.removal?.removed.length, 2);
    assert.deepEqual(await runs.up(told()), []);
    stage.reset();
  });

  it("is no reason to ask while only this stack has written it", async () => {
    await fleet.comeAnew(fleet.ids[0]!);
    assert.deepEqual([await runs.up(told()), stage.said], [[], []]);
  });

  it("is not what this stack closes in a later breach: who came in under that key goes", async () => {
    const device = fleet.ids[0]!;
    await fleet.comeAnew(device);
    stage.clock.advance(1000);
    const [first] = scope.compromised;
    const [second] = stolen(fleet.good);
    const later = await containedScope(stage, second!, { good: [second!.key] });
    scope = {
      ...later,
      compromised: [first!, second!],
      caKeys: { ...scope.caKeys, ...later.caKeys },
      contained: { ...scope.contained, ...later.contained },
    };
    await runs.up(told());
    assert.doesNotMatch(stage.said.join("\n"), /written by somebody/);
    assert.deepEqual(runs.removal?.left, []);
    assert.deepEqual(await fleet.present(device), []);
  });

  it("puts those in doubt who came in meanwhile: named, kept, and removed when something proves them", async () => {
    const [honest, thief] = [fleet.ids[0]!, `thief-${fleet.count}`];
    await fleet.comeAnew(honest);
    await admit("bad");
    fleet.leaves.set(thief, await fleet.bad.leaf(thief));
    await fleet.come(thief);
    await admit("good");
    stage.clock.advance(1000);
    const later = `later-${fleet.count}`;
    fleet.leaves.set(later, await fleet.good.leaf(later));
    await fleet.come(later);

    assert.deepEqual(await runs.up(told()), ["journal", "removal"]);
    const [warning] = stage.said;
    assert.match(
      warning ?? "",
      new RegExp(
        `^warning: enrollment group "${fleet.group}" was written by somebody after it was closed \\(last: \\S+\\)\\. What it admitted in between DPS does not tell, so these may have come in with a compromised certificate: ${honest}, ${thief}\\. They keep their access unless remove\\.issuedLeaves proves`,
      ),
    );
    assert.deepEqual(runs.removal?.left, [honest, thief]);
    assert.deepEqual(await fleet.present(honest, thief, later), [honest, later, thief].sort());
    stage.reset();
    assert.deepEqual([await runs.up(told()), stage.said], [[], []]);

    const issuedLeaves = fleet.manifest([thief], fleet.bad);
    await runs.up(told({ ...NOW, issuedLeaves }));
    assert.deepEqual(await fleet.present(honest, thief), [honest]);
    assert.deepEqual(runs.removal?.left, [honest]);
  });

  it("is found also when this stack has written the entry since", async () => {
    const thief = `thief-${fleet.count}`;
    await admit("bad");
    fleet.leaves.set(thief, await fleet.bad.leaf(thief));
    await fleet.come(thief);
    await admit("good");
    stage.clock.advance(1000);
    const news = { ...inputs("good"), reprovisionPolicy: "reset" as const };
    entry = (await stage.listening(() => enrollmentGroup.update(fleet.group, entry, news))).outs;
    await runs.up(told());
    assert.deepEqual(runs.removal?.left, [thief]);
  });
});
