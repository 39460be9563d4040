import assert from "node:assert/strict";
import { HubModules } from "../../clients/hub-modules";
import { nobodysThumbprint } from "../../clients/hub-registry";
import type { RemovalScope } from "../../dynamic-providers/device-registration-removal/scope";
import { deviceTwinJournal as journal } from "../../dynamic-providers/device-twin-journal/provider";
import { UNKNOWN } from "../../dynamic-providers/handler";
import { type RemovalFleet, withFleet } from "./removal-fleet";
import { NOW, RemovalRuns, WAVES } from "./removal-runs";
import { stolen } from "./stage";

describe("what a removal leaves, gives back and says before", () => {
  let fleet: RemovalFleet;
  let ids: string[];
  withFleet((open, devices) => {
    fleet = open;
    ids = devices;
  });

  it("leaves an identity disabled that a person had disabled, without its leaf", async () => {
    const id = ids[0]!;
    const { authentication } = (await fleet.sdk.get(id)).responseBody;
    await fleet.sdk.update({
      deviceId: id,
      authentication,
      status: "disabled",
      statusReason: "lost",
    });
    await new RemovalRuns(fleet.stage).up(await fleet.replaced(NOW));
    const identity = (await fleet.hub.getIdentity(id))!;
    assert.deepEqual([identity.status, identity.statusReason], ["disabled", "lost"]);
    assert.deepEqual(identity.thumbprints, Array(2).fill(nobodysThumbprint(id)));
    assert.deepEqual(await fleet.present(...ids), [id]);
  });

  it("gives modules, and the place among Edge devices, back to whoever is back", async () => {
    const [gate, child] = [ids[0]!, ids[1]!];
    const outsider = `outsider-${fleet.count}`;
    await fleet.sdk.create({ deviceId: outsider });
    await fleet.hub.place((await fleet.hub.getIdentity(gate))!, { isEdge: true });
    const { deviceScope: before } = (await fleet.hub.getIdentity(gate))!;
    for (const id of [child, outsider]) {
      await fleet.hub.place((await fleet.hub.getIdentity(id))!, { parentScope: before! });
    }
    await fleet.sdk.addModule({ deviceId: child, moduleId: "camera", managedBy: "ops" });
    const modules = new HubModules(fleet.stage.connection, fleet.stage.sandbox.hub);
    const saved = await modules.save(child);
    const scope = await fleet.replaced(NOW);
    const runs = new RemovalRuns(fleet.stage);
    await runs.up(scope);
    assert.deepEqual(runs.removal?.pending, [gate, child]);

    // The child is back first: its place has to wait for its parent, and no run is asked for until then.
    await fleet.comeAnew(child);
    await runs.up(scope);
    assert.deepEqual(await modules.save(child), saved);
    assert.deepEqual(runs.removal?.pending, [gate, child]);
    assert.deepEqual(await runs.up(scope), []);
    await fleet.comeAnew(gate);
    await runs.up(scope);
    await runs.up(scope);
    assert.deepEqual(runs.removal?.pending, []);
    const { deviceScope, isEdge } = (await fleet.hub.getIdentity(gate))!;
    assert.equal(isEdge, true);
    assert.notEqual(deviceScope, before);
    assert.deepEqual((await fleet.hub.getIdentity(child))?.parentScopes, [deviceScope]);
    assert.deepEqual((await fleet.hub.getIdentity(outsider))?.parentScopes, [deviceScope]);
    assert.deepEqual(await runs.up(scope), []);
  });

  it("still owes a device its twin when the breach is not declared any more", async () => {
    const id = ids[0]!;
    await fleet.stage.writeTwin(id, { tags: { site: "north" }, desired: {} });
    const scope = await fleet.replaced(NOW);
    const runs = new RemovalRuns(fleet.stage);
    await runs.up(scope);
    const lifted = { ...scope, compromised: [], contained: {} };
    await runs.up(lifted);
    assert.deepEqual(runs.removal?.pending, [id]);
    await fleet.comeAnew(id);
    assert.deepEqual(await runs.up(lifted), ["removal"]);
    assert.deepEqual((await fleet.hub.getTwin(id))?.tags, { site: "north" });
    assert.deepEqual(await runs.up(lifted), []);
  });

  it("keeps what was written into a twin after the journal", async () => {
    const id = ids[0]!;
    const scope = await fleet.replaced(NOW);
    const runs = new RemovalRuns(fleet.stage);
    runs.journal = (await journal.create(scope)).outs;
    await fleet.stage.writeTwin(id, { tags: { site: "south" }, desired: {} });
    // A run that is killed would lose it: it goes into the state first, and the identity in the next run.
    await assert.rejects(runs.up(scope), /DPS-CERT-172 at remove/);
    assert.equal((await fleet.hub.getIdentity(id))?.status, "disabled");
    // Who keeps writing does not keep the identity.
    await fleet.stage.writeTwin(id, { tags: { site: "west" }, desired: {} });
    await runs.up(scope);
    assert.deepEqual(await fleet.present(...ids), []);
    await fleet.comeAnew(id);
    await runs.up(scope);
    assert.deepEqual((await fleet.hub.getTwin(id))?.tags, { site: "west" });
  });

  it("is not deceived by a record that a refusal touched after the cut-off", async () => {
    const scope = await fleet.replaced(NOW);
    const id = ids[0]!;
    const real = Object.getOwnPropertyDescriptor(
      Object.getPrototypeOf(fleet.stage.enrollments),
      "registrationsOfGroup",
    )!;
    const prototype = Object.getPrototypeOf(fleet.stage.enrollments) as object;
    type Read = (this: unknown, group: string) => Promise<{ registrationId: string }[]>;
    Object.defineProperty(prototype, "registrationsOfGroup", {
      ...real,
      async value(this: unknown, name: string) {
        const touched = {
          status: "disabled",
          lastUpdatedDateTimeUtc: fleet.stage.clock.now().toISOString(),
        };
        const records = await (real.value as Read).call(this, name);
        return records.map((one) => (one.registrationId === id ? { ...one, ...touched } : one));
      },
    });
    try {
      await new RemovalRuns(fleet.stage).up(scope);
    } finally {
      Object.defineProperty(prototype, "registrationsOfGroup", real);
    }
    assert.deepEqual(await fleet.present(...ids), []);
  });

  describe("a preview", () => {
    const preview = async (scope: RemovalScope): Promise<string> => {
      fleet.stage.reset();
      const { connection, caKeys, remove, goodIssuers } = scope;
      const before = { connection, caKeys, remove, goodIssuers, compromised: [], contained: {} };
      await fleet.stage.listening(() =>
        journal.check(before, { ...scope, contained: UNKNOWN as never }),
      );
      assert.deepEqual(fleet.stage.writes, []);
      return fleet.stage.said.join("\n");
    };

    const declared = (remove: RemovalScope["remove"]): RemovalScope => {
      const [key] = stolen(fleet.bad);
      const caKeys = { bad: [key!.key] };
      const { connection } = fleet.stage;
      return {
        connection,
        compromised: [key!],
        caKeys,
        contained: {},
        remove,
        goodIssuers: fleet.issuers(),
      };
    };

    it("counts the devices, per hub, and those not known, before anything is contained", async () => {
      const source = fleet.manifest(ids.slice(0, 1), fleet.bad);
      assert.equal(
        await preview(declared({ ...NOW, issuedLeaves: source })),
        [
          "removal (how: now, keep: delete): 4 devices came in through what CN=Bad root admits",
          `  hub ${fleet.stage.sandbox.hub}: 4 identities will be removed`,
          "  not known who issued the leaf of 3 devices",
        ].join("\n"),
      );
      assert.match(
        await preview(declared({ how: "waves", keep: "delete", waves: WAVES })),
        /the first wave: 1 of 4; the others keep their access until their wave$/,
      );
    });

    it("warns of evidence that cannot be", async () => {
      assert.equal(
        (await preview(declared({ how: "evidenced", keep: "rekey" }))).split("\n")[0],
        "warning: DPS-CERT-102 at remove.how: found evidenced, and 4 devices that came in through a group, with no manifest of issued leaves; fix: give remove.issuedLeaves, or use how: now or how: waves",
      );
    });
  });
});
