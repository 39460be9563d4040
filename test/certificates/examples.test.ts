/** Courses of rolls, to be read from top to bottom: what stands in the slots, and what the change to it is. */
import assert from "node:assert/strict";
import type { Declared } from "../../certificates/declared";
import { refusals } from "../../certificates/faults";
import { judge } from "../../certificates/rules";
import { breach, cast, device, DEVICE, group, SENSORS, type Cast } from "./cast";
import { NOW } from "./fixtures";

/** What is declared next; what `up` calls the change; which stages it goes through. */
type Row = [next: Declared, roll: string, stages: string];

function course(path: string, first: Declared, rows: Row[]): void {
  let before = first;
  for (const [next, roll, stages] of rows) {
    const { rolls, faults } = judge(before, next, NOW);
    assert.deepEqual(refusals(faults), [], roll);
    const found = rolls.find(({ entry }) => entry === path);
    assert.equal(`${found?.procedure} ${found?.phase}`, roll);
    const done = found?.steps.filter(({ action }) => action.do !== "nothing") ?? [];
    assert.equal([...new Set(done.map(({ stage }) => stage))].join(", "), stages, roll);
    before = next;
  }
}

describe("courses of rolls, as examples", () => {
  let all: Cast;
  before(async () => {
    all = await cast();
  });

  it("an individual enrollment, from slot to slot and back: no slot is favoured", () => {
    course(DEVICE, device(all, "one"), [
      [device(all, "one", "two"), "P5 prepare", "write"],
      [device(all, undefined, "two"), "P5 retire", "write"],
      [device(all, "three", "two"), "P5 prepare", "write"],
      [device(all, "three"), "P5 retire", "write"],
      [device(all, "three", "one"), "P5 prepare", "write"],
      [device(all, undefined, "one"), "P5 retire", "write"],
    ]);
  });

  it("a group, from a root to an intermediate below it, and back: only with a waiver, as there is no overlap", () => {
    const root = group(all, "ca", "root-a");
    const low = group(all, "certificate", "low");
    const reason = "every device presents the intermediate";
    const waivers = [
      { code: "DPS-CERT-048", path: `${SENSORS}.primary.certificate`, reason, until: "2099-12-31" },
    ];
    assert.deepEqual(
      refusals(judge(root, low, NOW).faults).map(({ code, path }) => [code, path]),
      [["DPS-CERT-048", `${SENSORS}.primary.certificate`]],
    );
    course(SENSORS, root, [[{ ...low, waivers }, "P9 replace", "write"]]);
    course(SENSORS, low, [[root, "P8 replace", "prove, write"]]);
  });

  it("both slots stolen at once: both leaves go, and one takes their place", () => {
    const stolen = {
      compromised: [
        { certificate: "one", reason: "leaked" },
        { certificate: "two", reason: "leaked" },
      ],
    };
    course(DEVICE, device(all, "one", "two"), [
      [device(all, "three", undefined, stolen), "P4 replace", "contain, write, remove"],
      [device(all, "three", undefined, stolen), "none none", ""],
    ]);
  });

  it("a breach with no replacement yet: contained, and replaced in a later change", () => {
    const shut = device(all, "one", undefined, breach("one"));
    shut.individualEnrollments["device-1"]!.status = "disabled";
    course(DEVICE, device(all, "one"), [
      [shut, "P4 contain", "contain, write, remove"],
      [device(all, "three", undefined, breach("one")), "P4 replace", "contain, write, remove"],
    ]);
  });
});
