/**
 * Do ordinary Pulumi dependencies give the order that a breach needs, also when a run is killed?
 * What was found, and the component design that follows, is in docs/decisions/0001-order.md.
 */
import assert from "node:assert/strict";
import { Experiment } from "./experiment";
import type { Declared } from "./program/declared";
import { breachFaults, expirationFaults } from "./rules";
import type { LoggedWrite, World } from "./stand-in";

const base: Declared = {
  cas: ["root-a"],
  compromised: [],
  entries: {
    "group-1": { enabled: true, slots: ["root-a"] },
    "group-2": { enabled: true, slots: ["root-a"] },
    "group-3": { enabled: true, slots: ["intermediate-a"] },
    "device-1": { enabled: true, slots: ["leaf-a"] },
    "device-9": { enabled: true, slots: ["leaf-9"] },
  },
};

const fleet: Pick<World, "identities" | "registrations"> = {
  identities: {
    "device-1": { enabled: true },
    "device-2": { enabled: true },
    "device-3": { enabled: true },
  },
  registrations: {
    "device-1": { entry: "device-1", key: "leaf-a" },
    "device-2": { entry: "group-1", key: "root-a" },
    "device-3": { entry: "group-3", key: "intermediate-a" },
  },
};

interface Edit {
  title: string;
  /** One declaration an `up`; the order rules are judged over all of them. */
  declared: Declared[];
  faults: (before: World, log: readonly LoggedWrite[]) => string[];
  removed: string[];
}

const edits: Edit[] = [
  {
    title: "P4, breach of an individual enrollment's leaf",
    declared: [
      {
        ...base,
        compromised: ["leaf-a"],
        entries: { ...base.entries, "device-1": { enabled: true, slots: ["leaf-b"] } },
      },
    ],
    faults: (before, log) => breachFaults(before, log, "leaf-a"),
    removed: ["device-1"],
  },
  {
    title: "P6, breach of a root CA that two groups share",
    declared: [
      {
        cas: ["root-b"],
        compromised: ["root-a"],
        entries: {
          ...base.entries,
          "group-1": { enabled: true, slots: ["root-b"] },
          "group-2": { enabled: true, slots: ["root-b"] },
        },
      },
    ],
    faults: (before, log) => breachFaults(before, log, "root-a"),
    removed: ["device-2"],
  },
  {
    title: "P8, expiration of a root CA",
    declared: [
      {
        ...base,
        cas: ["root-a", "root-b"],
        entries: {
          ...base.entries,
          "group-1": { enabled: true, slots: ["root-a", "root-b"] },
          "group-2": { enabled: true, slots: ["root-a", "root-b"] },
        },
      },
      {
        ...base,
        cas: ["root-b"],
        entries: {
          ...base.entries,
          "group-1": { enabled: true, slots: ["root-b"] },
          "group-2": { enabled: true, slots: ["root-b"] },
        },
      },
    ],
    faults: expirationFaults,
    removed: [],
  },
  {
    title: "P12, denial of a device that was enrolled",
    declared: [
      { ...base, entries: { ...base.entries, "device-9": { enabled: false, slots: ["leaf-9"] } } },
    ],
    faults: (before, log) => breachFaults(before, log, "leaf-9"),
    removed: [],
  },
];

/**
 * After the first write, in the middle and before the last: a run takes ten seconds.
 * `DPS_KILL_POINTS=all` kills after each.
 */
function killPoints(writes: number): number[] {
  const all = Array.from({ length: writes }, (_, index) => index + 1);
  const few = new Set([1, Math.ceil(writes / 2), writes]);
  return process.env["DPS_KILL_POINTS"] === "all" ? all : all.filter((point) => few.has(point));
}

describe("the order of writes on the real engine", function () {
  this.timeout(600_000);
  let deployed: Experiment | undefined;

  before(async () => {
    deployed = await Experiment.open({ cas: {}, entries: {}, identities: {}, registrations: {} });
    await deployed.up(base);
    Object.assign(deployed.standIn.world, fleet);
  });
  after(() => deployed?.close());

  for (const edit of edits) {
    it(`${edit.title}: holds, also when killed after any write`, async () => {
      const writes = await carryOut(edit);
      assert.ok(writes > 0, "an edit that writes nothing proves nothing");
      for (const killAfter of killPoints(writes)) {
        assert.ok(
          (await carryOut(edit, killAfter)) >= writes,
          `finished after a kill at write ${killAfter}`,
        );
      }
    });
  }

  /** Deploys an edit in a fork; the first run that reaches write `killAfter` is killed and repeated. */
  async function carryOut(edit: Edit, killAfter?: number): Promise<number> {
    assert.ok(deployed !== undefined);
    const fork = await deployed.fork();
    try {
      const before = fork.standIn.world;
      const log = fork.standIn.log;
      for (const declared of edit.declared) {
        const left = killAfter === undefined ? undefined : killAfter - log.length;
        if (left !== undefined && left > 0) {
          await fork.up(declared, left);
        }
        await fork.up(declared);
      }
      const story = log.map(({ seq, verb, kind, id }) => `${seq} ${verb} ${kind}/${id}`).join("\n");
      assert.deepEqual(
        edit.faults(before, log),
        [],
        `killed after ${killAfter ?? "no"} write:\n${story}`,
      );
      const wanted = edit.declared.at(-1);
      assert.ok(wanted !== undefined);
      assert.deepEqual(fork.standIn.world.entries, wanted.entries, story);
      assert.deepEqual(Object.keys(fork.standIn.world.cas), wanted.cas, story);
      for (const device of edit.removed) {
        assert.equal(fork.standIn.world.identities[device], undefined);
        assert.equal(fork.standIn.world.registrations[device], undefined);
      }
      await fork.expectNoChanges(wanted);
      return log.length;
    } finally {
      await fork.close();
    }
  }
});
