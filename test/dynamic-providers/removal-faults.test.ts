import assert from "node:assert/strict";
import { EnrollmentsClient } from "../../clients/enrollments";
import { HubModules } from "../../clients/hub-modules";
import { HubRegistry } from "../../clients/hub-registry";
import {
  deviceRegistrationRemoval as removal,
  type DeviceRegistrationRemovalOutputs,
} from "../../dynamic-providers/device-registration-removal/provider";
import { deviceTwinJournal as journal } from "../../dynamic-providers/device-twin-journal/provider";
import { RemovalFleet } from "./removal-fleet";
import { inputsFrom, NOW, RemovalRuns } from "./removal-runs";

type Outputs = DeviceRegistrationRemovalOutputs;

/** A run that ends at one call: as a dead process (nothing it knew is left), or with an error. */
type End = "killed before" | "killed after" | "error before" | "error after";

describe("a removal that ends at one of its calls, and goes on with the next run", () => {
  let fleet: RemovalFleet;

  before(async () => {
    fleet = await RemovalFleet.open();
  });
  after(() => fleet.close());
  afterEach(() => fleet.end());

  /** What a run leaves in the state. */
  async function run(state: Outputs | undefined, inputs: ReturnType<typeof inputsFrom>) {
    try {
      const { outs } = await (state === undefined
        ? removal.create(inputs)
        : removal.update("removal", state, inputs));
      return { state: outs, error: undefined };
    } catch (error) {
      const { properties } = error as { properties?: Outputs };
      return { state: properties ?? state, error: error as Error };
    }
  }

  for (const end of ["killed before", "killed after", "error before", "error after"] as const) {
    it(`${end} each call: nothing is lost, nothing is given back wrongly`, async () => {
      let at = 1;
      for (; ; at += 1) {
        const [id] = (await fleet.begin(1)) as [string];
        await fleet.stage.writeTwin(id, { tags: { site: "north" }, desired: { interval: 60 } });
        await fleet.sdk.addModule({ deviceId: id, moduleId: "camera" });
        const isStruck = await fleet.stage.listening(async () => {
          const scope = await fleet.replaced(NOW);
          const inputs = inputsFrom((await journal.create(scope)).outs);
          // Somebody writes after the journal was: what it has is not the latest.
          await fleet.stage.writeTwin(id, { tags: { site: "south" }, desired: {} });
          const modules = new HubModules(fleet.stage.connection, fleet.stage.sandbox.hub);
          await modules.restore(id, {
            moduleId: "camera",
            authenticationType: "sas",
            tags: { lens: "wide" },
            desired: {},
          });

          const strike = endingAt(at, end);
          const first = await run(undefined, inputs).finally(strike.release);
          let { state, error } = end.startsWith("killed")
            ? { state: undefined, error: first.error }
            : first;
          for (let runs = 0; error !== undefined || state === undefined; runs += 1) {
            assert.ok(runs < 4, error?.stack);
            ({ state, error } = await run(state, inputs));
          }
          assert.deepEqual(state.removed, fleet.ids);
          assert.deepEqual(await fleet.present(...fleet.ids), []);
          const { enrollments } = fleet.stage;
          for (const gone of fleet.ids) {
            assert.equal(await enrollments.getRegistration(gone), undefined, gone);
          }

          await fleet.comeAnew(id);
          ({ state } = await run(state, inputs));
          assert.deepEqual(state?.restored, [id]);
          const twin = (await fleet.hub.getTwin(id))!;
          assert.deepEqual([twin.tags, twin.desired], [{ site: "south" }, { interval: 60 }]);
          assert.deepEqual((await modules.save(id))[0]?.tags, { lens: "wide" });
          // Nothing is left to do, and what is changed from now on is nobody's business.
          await fleet.stage.writeTwin(id, { tags: { site: "west" }, desired: {} });
          assert.equal((await removal.diff("removal", state, inputs)).changes, false);
          return strike.struck();
        });
        await fleet.end();
        if (!isStruck) break;
      }
      assert.ok(at > 8, `only ${at - 1} calls were struck`);
    });
  }

  for (const end of ["killed before", "killed after"] as const) {
    it(`${end} each call while it gives back: what was written since stays`, async () => {
      let at = 1;
      let given = 0;
      for (; ; at += 1) {
        const [id] = (await fleet.begin(1)) as [string];
        await fleet.stage.writeTwin(id, { tags: { site: "north" }, desired: { interval: 60 } });
        await fleet.sdk.addModule({ deviceId: id, moduleId: "camera" });
        const modules = new HubModules(fleet.stage.connection, fleet.stage.sandbox.hub);
        const camera = { moduleId: "camera", authenticationType: "sas" as const };
        await modules.restore(id, { ...camera, tags: { lens: "wide" }, desired: {} });
        fleet.stage.reset();
        const isStruck = await fleet.stage.listening(async () => {
          const inputs = inputsFrom((await journal.create(await fleet.replaced(NOW))).outs);
          const { state: removed } = await run(undefined, inputs);
          await fleet.comeAnew(id);
          const strike = endingAt(at, end);
          await run(removed, inputs).finally(strike.release);
          const isGiven = (await fleet.hub.getTwin(id))?.tags["site"] === "north";
          if (isGiven) {
            given += 1;
            await fleet.stage.writeTwin(id, { tags: { site: "west" }, desired: {} });
          }
          const { state } = await run(removed, inputs);
          assert.deepEqual(state?.restored, [id]);
          const twin = (await fleet.hub.getTwin(id))!;
          const site = isGiven ? "west" : "north";
          assert.deepEqual([twin.tags, twin.desired], [{ site }, { interval: 60 }]);
          assert.deepEqual((await modules.save(id))[0]?.tags, { lens: "wide" });
          const words = `Device ${id} is back in ${fleet.stage.sandbox.hub}, and keeps what was written there since: tags.site.`;
          assert.equal(fleet.stage.said.includes(words), isGiven);
          return strike.struck();
        });
        await fleet.end();
        if (!isStruck) break;
      }
      assert.ok(at > 5 && given > 1, `${at - 1} calls were struck, ${given} after it was given`);
    });
  }

  it("lets what was saved win over what the initial twin of its group has set", async () => {
    const [id] = (await fleet.begin(1)) as [string];
    await fleet.stage.writeTwin(id, { tags: { site: "north" }, desired: { interval: 60 } });
    const scope = await fleet.replaced(NOW);
    await fleet.stage.byHand("group", fleet.group, {
      initialTwin: { tags: { site: "unset", floor: 1 }, properties: { desired: { interval: 5 } } },
    });
    const runs = new RemovalRuns(fleet.stage);
    await runs.up(scope);
    await fleet.comeAnew(id);
    assert.deepEqual((await fleet.hub.getTwin(id))?.tags, { site: "unset", floor: 1 });
    await runs.up(scope);
    const twin = (await fleet.hub.getTwin(id))!;
    assert.deepEqual([twin.tags, twin.desired], [{ site: "north", floor: 1 }, { interval: 60 }]);
  });

  it("says which devices wait for the next run, and that they are disabled", async () => {
    const [id] = (await fleet.begin()) as [string];
    const scope = await fleet.replaced(NOW);
    await fleet.stage.listening(async () => {
      const inputs = inputsFrom((await journal.create(scope)).outs);
      await fleet.stage.writeTwin(id, { tags: { site: "south" }, desired: {} });
      const { error } = await run(undefined, inputs);
      assert.equal(
        error?.message,
        `DPS-CERT-172 at remove: found a removal that is not finished: 1 device could not be removed: ${id}: disabled, and not deleted yet, because its twin or modules changed since they were saved; what they are now is saved with this run; fix: see to what is named, and run \`pulumi up\` again: it goes on from there`,
      );
    });
    assert.equal((await fleet.hub.getIdentity(id))?.status, "disabled");
  });

  it("takes a device that came in late along, and what it has is saved first", async () => {
    const [first, late] = (await fleet.begin()) as [string, string];
    await fleet.stage.writeTwin(late, { tags: { site: "east" }, desired: {} });
    const scope = await fleet.replaced(NOW);
    await fleet.stage.listening(async () => {
      const { outs } = await journal.create(scope);
      const inputs = inputsFrom({
        ...outs,
        devices: outs.devices.filter(({ registrationId }) => registrationId !== late),
      });
      const { state, error } = await run(undefined, inputs);
      assert.match(error?.message ?? "", new RegExp(`^DPS-CERT-172 at remove: .*${late}: dis`));
      assert.deepEqual(await fleet.present(first, late), [late]);
      const again = await run(state, inputs);
      assert.equal(again.error, undefined);
      assert.deepEqual(again.state?.removed, fleet.ids);
      await fleet.comeAnew(late);
      assert.deepEqual((await run(again.state, inputs)).state?.restored, [late]);
    });
    assert.deepEqual((await fleet.hub.getTwin(late))?.tags, { site: "east" });
  });

  it("finishes by itself where nothing changed meanwhile", async () => {
    await fleet.begin();
    const runs = new RemovalRuns(fleet.stage);
    await runs.up(await fleet.replaced(NOW));
    assert.deepEqual(runs.removal?.removed, fleet.ids);
  });
});

/** Every call that reads or writes what a removal is about fails from the one with this number on. */
function endingAt(at: number, end: End): { release: () => void; struck: () => boolean } {
  const watched = [
    [HubRegistry.prototype, ["getIdentity", "getTwin", "disableAll", "removeAll", "restoreTwin"]],
    [HubModules.prototype, ["save", "restore"]],
    [EnrollmentsClient.prototype, ["getRegistration", "deleteRegistration", "queryIndividuals"]],
  ] as const;
  let calls = 0;
  const undo = watched.flatMap(([prototype, names]) =>
    names.map((name) => {
      const real = Object.getOwnPropertyDescriptor(prototype, name)!;
      const method = real.value as (this: unknown, ...args: unknown[]) => Promise<unknown>;
      Object.defineProperty(prototype, name, {
        ...real,
        async value(this: unknown, ...args: unknown[]) {
          calls += 1;
          const number = calls;
          if (number > at || (number === at && end.endsWith("before"))) throw new Error("cut off");
          const answer = await method.apply(this, args);
          if (number === at) throw new Error("cut off");
          return answer;
        },
      });
      return () => Object.defineProperty(prototype, name, real);
    }),
  );
  return { release: () => undo.forEach((one) => one()), struck: () => calls >= at };
}
