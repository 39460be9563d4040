/**
 * The order rules, at every instant, over random sequences of edits: each change that the engine lets
 * through is carried out on a model of DPS, step by step, in any order that the stages allow.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Declared, Step } from "../../certificates/declared";
import { refusals } from "../../certificates/faults";
import { readmitted, remembered } from "../../certificates/compromise";
import { STAGES } from "../../certificates/roll-steps";
import { judge } from "../../certificates/rules";
import { entriesOf } from "../../certificates/slots";
import { cast, type Cast } from "./cast";
import { BELOW, edit } from "./edits";
import { NOW } from "./fixtures";
import { type Chain, chains, Model } from "./model";

/** Always the same ones, and more, and others, when asked: `DPS_PROPERTY_RUNS=2000 DPS_PROPERTY_SEED=7`. */
const RUNS = Number(process.env["DPS_PROPERTY_RUNS"] ?? 80);
const SEED = Number(process.env["DPS_PROPERTY_SEED"] ?? 20261124);

/** Ways in which the test breaks what it tests, to show that it would be found. */
interface Mutation {
  /** Faults that are let through. */
  ignored?: string;
  stages?: readonly Step["stage"][];
  dropped?: Step["stage"];
}

describe("over any sequence of edits", () => {
  let all: Cast;
  let devices: Chain[];
  let thieves: Record<string, Chain[]>;
  let sha256: (name: string) => string;
  before(async () => {
    all = await cast();
    ({ devices, thieves, sha256 } = chains(all));
  });

  const sequences = fc.array(fc.array(edit, { minLength: 1, maxLength: 2 }), {
    minLength: 1,
    maxLength: 8,
  });

  /** All kinds of entries, in use. */
  function beginning(): Declared {
    const declared = structuredClone(all.base);
    declared.enrollmentGroups = {
      sensors: { primary: { ca: "root-a" }, status: "enabled" },
      plant: { primary: { certificate: "low2" }, status: "enabled" },
    };
    declared.individualEnrollments = {
      "device-1": { primary: { certificate: "three" }, status: "enabled" },
    };
    return declared;
  }

  /** How often each kind of change was let through: a property about nothing would hold, too. */
  const seen: Record<string, number> = {};

  function property(mutation: Mutation = {}) {
    return fc.property(sequences, fc.integer(), (changes, seed) => {
      let shuffle = seed;
      const next = (): number => {
        shuffle = (Math.imul(shuffle, 1103515245) + 12345) & 0x7fffffff;
        return shuffle;
      };
      let world = new Model();
      let now: Declared | undefined;
      let history: ReturnType<typeof remembered> = [];
      for (const edits of [[], ...changes]) {
        const after = structuredClone(now ?? beginning());
        edits.forEach((apply) => apply(after));
        const keys = remembered(history, now, after);
        const { faults, rolls } = judge(now, after, NOW, { compromisedKeys: keys });
        if (refusals(faults).some(({ code }) => code !== mutation.ignored)) continue;
        rolls.forEach(({ procedure, phase }) => {
          const kind = `${procedure} ${phase}`;
          seen[kind] = (seen[kind] ?? 0) + 1;
        });
        const steps = (mutation.stages ?? STAGES)
          .filter((stage) => stage !== mutation.dropped)
          .flatMap((stage) =>
            rolls
              .flatMap((roll) => roll.steps.filter((each) => each.stage === stage))
              .map((step) => ({ step, at: next() }))
              .sort((a, b) => a.at - b.at)
              .map(({ step }) => step),
          );
        world = carryOut(world, now, after, steps);
        history = readmitted(keys, after);
        now = after;
      }
    });
  }

  function carryOut(start: Model, before: Declared | undefined, after: Declared, steps: Step[]) {
    const world = start.clone();
    const named = namesIn(after);
    const old = before === undefined ? [] : namesIn(before);
    const shut = (names: string[]) => names.flatMap((name) => thieves[name] ?? []);
    const isBreach = named.some((name) => !old.includes(name)) || after.denied.length > 0;
    let isContained = false;
    let isReplaced = false;
    const words: string[] = [];
    const refuse = (rule: string): never => {
      throw new Error(
        `${rule}, after: ${words.join("; ")}\nbefore: ${shape(before)}\nafter: ${shape(after)}`,
      );
    };
    const reached = named.flatMap((name) => [name, ...(BELOW[name] ?? [])]).map(sha256);
    /* What holds the key itself is closed by containment; a group above it by its own write. */
    const closed = (): Chain[] => {
      if (isReplaced) return shut(named);
      const known = shut(named.filter((name) => old.includes(name)));
      const held = isContained ? shut(named).filter((each) => start.isHeld(each, reached)) : [];
      return [...known, ...held];
    };
    const look = (): void => {
      for (const chain of closed()) {
        if (world.admits(chain)) refuse(`a compromised key gets in: ${chain.name}`);
      }
      if (world.dangling().length > 0) {
        refuse(`a group refers to what is not there: ${world.dangling().join()}`);
      }
    };
    const accepted = devices.filter((chain) => start.admits(chain));
    const final = start.clone();
    steps.forEach((step) => final.take(step, after));
    for (const step of steps) {
      if (!isContained && step.stage !== "contain" && step.stage !== "prove") {
        // The first write that is no containment: by now everything has to be closed.
        const isHeld = step.action.do === "write" && shadows(step, after);
        if (!isHeld) {
          isContained = true;
          look();
        }
      }
      if (!isReplaced && (step.stage === "remove" || step.stage === "delete")) {
        isReplaced = true;
        look();
      }
      if (step.action.do === "remove devices") {
        const open = shut(named).filter((chain) => world.admits(chain));
        if (open.length > 0) refuse(`devices are removed while a thief gets in: ${open[0]!.name}`);
      }
      world.take(step, after);
      words.push(step.words);
      look();
      // An expiration roll never has a gap: who is admitted before and afterwards is so all the time.
      for (const chain of isBreach ? [] : accepted) {
        if (final.admits(chain) && !world.admits(chain)) refuse(`a gap for ${chain.name}`);
      }
    }
    isReplaced = true;
    look();
    keepsSomething(start, world, before, after, isBreach);
    isAsDeclared(world, after);
    // What holds a certificate out is taken away with its declaration.
    for (const key of world.entries.keys()) {
      if (key.startsWith("hold:") && named.length === 0) world.entries.delete(key);
    }
    return world;
  }

  /* An individual enrollment that is written over a device's stolen leaf shadows the group with it. */
  function shadows({ action }: Step, after: Declared): boolean {
    return (
      action.do === "write" &&
      action.entry === "individualEnrollments.device-1" &&
      after.individualEnrollments["device-1"] !== undefined
    );
  }

  /* A counterexample as a person reads it. */
  function shape(declared: Declared | undefined): string {
    if (declared === undefined) return "nothing";
    return JSON.stringify({ ...declared, certificates: undefined });
  }

  function namesIn({ compromised }: Declared): string[] {
    return compromised.flatMap((each) => ("certificate" in each ? [each.certificate] : []));
  }

  /* Without a breach an entry that stays enabled keeps a certificate that was accepted. */
  function keepsSomething(
    start: Model,
    end: Model,
    before: Declared | undefined,
    after: Declared,
    isBreach: boolean,
  ): void {
    if (before === undefined || isBreach || namesIn(after).length > 0) return;
    const isEnabled = (declared: Declared): boolean =>
      declared.individualEnrollments["device-1"]?.status === "enabled";
    if (!isEnabled(before) || !isEnabled(after)) return;
    const had = devices.filter((chain) => start.admits(chain));
    assert.ok(had.length === 0 || had.some((chain) => end.admits(chain)), "no overlap");
  }

  function isAsDeclared(world: Model, after: Declared): void {
    for (const entry of entriesOf(after)) {
      const live = world.entries.get(entry.path);
      // A denied registration ID is one entry with its denial.
      if (after.denied.length > 0 && entry.kind === "individual") continue;
      // What is in a disabled entry admits nobody: a denial may stand in its place.
      if (!entry.enabled && live?.enabled !== true) continue;
      assert.equal(live?.enabled, entry.enabled, entry.path);
      assert.equal(live.slots.length, entry.slots.length, entry.path);
    }
    assert.deepEqual([...world.cas.keys()].sort(), Object.keys(after.caCertificates).sort());
    const again = judge(after, after, NOW).rolls.flatMap(({ steps }) => steps);
    assert.deepEqual(again, [], "the same again changes something");
  }

  it("nothing that is let through breaks the order, and every procedure occurs", () => {
    fc.assert(property(), { numRuns: RUNS, seed: SEED });
    for (const kind of [
      "P4 replace",
      "P4 contain",
      "P5 prepare",
      "P5 retire",
      "P6 contain",
      "P7 contain",
      "P8 prepare",
      "P8 retire",
      "P9 prepare",
      "P11 enroll",
      "P12 deny",
    ]) {
      assert.ok((seen[kind] ?? 0) > 0, `${kind} did not occur: ${JSON.stringify(seen)}`);
    }
  });

  const mutations: [name: string, mutation: Mutation, rule: RegExp][] = [
    [
      "removal before replacement and containment",
      { stages: ["remove", "contain", "prove", "write", "delete"] },
      /devices are removed while a thief gets in|compromised key gets in/,
    ],
    ["a breach that is not contained", { dropped: "contain" }, /compromised key gets in/],
    [
      "groups written before their CA is proven",
      { stages: ["contain", "write", "prove", "remove", "delete"] },
      /refers to what is not there|a gap for/,
    ],
    [
      "CAs deleted before the groups let go",
      { stages: ["contain", "delete", "prove", "write", "remove"] },
      /refers to what is not there|a gap for/,
    ],
    ["a certificate replaced without an overlap", { ignored: "DPS-CERT-048" }, /no overlap/],
    ["a compromised key left in a slot", { ignored: "DPS-CERT-070" }, /compromised key gets in/],
  ];
  for (const [name, mutation, rule] of mutations) {
    it(`would be found: ${name}`, () => {
      const result = fc.check(property(mutation), {
        numRuns: 2000,
        seed: SEED,
        endOnFailure: true,
      });
      assert.ok(result.failed, "not found");
      assert.match(String(result.errorInstance), rule);
    });
  }
});
