import assert from "node:assert/strict";
import { summarize } from "../../certificates/summary";
import { compromisedKeys } from "../../certificates/compromised-keys";
import { breachContainment } from "../../dynamic-providers/breach-containment/provider";
import type { RemovalScope } from "../../dynamic-providers/device-registration-removal/scope";
import { declared } from "../certificates/fixtures";
import { type Issued, TestCa } from "../support/test-ca";
import { RemovalFleet } from "./removal-fleet";
import { NOW, RemovalRuns } from "./removal-runs";

describe("a removal where two registration IDs have one device ID", () => {
  let fleet: RemovalFleet;
  /** Came in through the group whose CA is stolen. */
  let id: string;
  /** Registration ID of an individual enrollment that names the same device. */
  let other: string;
  let leaf: Issued;

  before(async () => {
    fleet = await RemovalFleet.open();
  });
  after(() => fleet.close());

  beforeEach(async () => {
    [id] = (await fleet.begin(1)) as [string];
    other = `other-${fleet.count}`;
    leaf = await TestCa.selfSigned(other);
    await fleet.stage.enrollments.putIndividual({
      registrationId: other,
      deviceId: id,
      attestation: {
        type: "x509",
        x509: { clientCertificates: { primary: { certificate: leaf.pem } } },
      },
    });
    await fleet.stage.writeTwin(id, { tags: { site: "north" }, desired: {} });
  });

  afterEach(async () => {
    const { enrollments } = fleet.stage;
    const { etag } = (await enrollments.getIndividual(other))!;
    await enrollments.deleteIndividual(other, etag);
    await fleet.end();
  });

  async function comes(name: string): Promise<void> {
    fleet.stage.clock.advance(1000);
    await fleet.stage.register(name, name === other ? leaf : fleet.leaves.get(id)!);
    fleet.stage.clock.advance(1000);
  }

  /** Which of both DPS has a record of. */
  async function recorded(): Promise<string[]> {
    const found = await Promise.all(
      [id, other].map((one) => fleet.stage.enrollments.getRegistration(one)),
    );
    return found.flatMap((one) => one?.registrationId ?? []);
  }

  const holder = async (): Promise<string | undefined> => {
    const identity = await fleet.hub.getIdentity(id);
    if (identity === undefined) return undefined;
    return identity.thumbprints.includes(summarize(leaf.pem).sha256Thumbprint) ? other : id;
  };

  it("leaves the identity to the other one that has written it since, and no record of the first", async () => {
    await comes(other);
    assert.equal(await holder(), other);
    const runs = new RemovalRuns(fleet.stage);
    const scope = await fleet.replaced(NOW);
    await runs.up(scope);
    assert.equal(await holder(), other);
    assert.deepEqual(await recorded(), [other]);
    assert.deepEqual([runs.removal?.removed, runs.removal?.pending], [[], []]);
    assert.deepEqual((await fleet.hub.getTwin(id))?.tags, { site: "north" });
    assert.deepEqual(await runs.up(scope), []);
  });

  it("removes the identity when the first one has written it last, and gives the twin to whoever is back", async () => {
    await comes(other);
    await comes(id);
    assert.equal(await holder(), id);
    const runs = new RemovalRuns(fleet.stage);
    const scope = await fleet.replaced(NOW);
    await runs.up(scope);
    assert.deepEqual([await holder(), runs.removal?.pending], [undefined, [id]]);
    assert.deepEqual(await recorded(), [other]);
    await comes(other);
    await runs.up(scope);
    assert.deepEqual([runs.removal?.restored, runs.removal?.pending], [[id], []]);
    assert.deepEqual((await fleet.hub.getTwin(id))?.tags, { site: "north" });
    assert.deepEqual(await runs.up(scope), []);
  });

  for (const keep of ["delete", "rekey"] as const) {
    it(`${keep}: removes one identity once, and both records, when both came in with a stolen key`, async () => {
      await comes(other);
      const compromised = compromisedKeys(
        declared(
          { bad: fleet.bad, leaf },
          {
            compromised: [
              { certificate: "bad", reason: "stolen" },
              { certificate: "leaf", reason: "stolen" },
            ],
          },
        ),
      );
      const { connection } = fleet.stage;
      const common = { connection, compromised, caKeys: { bad: [compromised[0]!.key] } };
      const { outs } = await fleet.stage.listening(() => breachContainment.create(common));
      fleet.stage.clock.advance(1000);
      const scope: RemovalScope = {
        ...common,
        contained: outs.contained,
        remove: { how: "now", keep },
        goodIssuers: [],
      };
      fleet.stage.reset();
      const runs = new RemovalRuns(fleet.stage);
      await runs.up(scope);
      const writes = fleet.stage.writes.filter((one) => one.startsWith("POST /devices"));
      const bulk = writes.filter((one) => !one.includes("query"));
      assert.equal(bulk.length, 2, bulk.join());
      if (keep === "delete") {
        assert.deepEqual([await holder(), await recorded()], [undefined, []]);
        // Back under one of its names it has what it lost, and nothing is owed under the other.
        fleet.leaves.set(id, await fleet.good.leaf(id));
        await fleet.stage.byHand("group", fleet.group, {
          attestation: { type: "x509", x509: { caReferences: { primary: "good" } } },
          provisioningStatus: "enabled",
        });
        await comes(id);
        await runs.up(scope);
        assert.deepEqual(runs.removal?.pending, []);
        assert.deepEqual((await fleet.hub.getTwin(id))?.tags, { site: "north" });
      }
      assert.deepEqual(await runs.up(scope), []);
    });
  }
});
