/** What holds for every change, whatever is in the slots. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Declared } from "../../certificates/declared";
import { refusals } from "../../certificates/faults";
import { judge } from "../../certificates/rules";
import { cast, device, group, type Cast } from "./cast";
import { NOW } from "./fixtures";

describe("every change that is let through", () => {
  let all: Cast;
  before(async () => {
    all = await cast();
  });

  const slot = fc.option(fc.constantFrom("one", "two", "three", "missing"), { nil: undefined });
  const sides = fc.record({ primary: slot, secondary: slot, enabled: fc.boolean() });
  const compromised = fc.subarray(["one", "two", "three", "low", "root-a", "root-b", "missing"]);

  const declare = (
    side: { primary?: string | undefined; secondary?: string | undefined; enabled: boolean },
    names: string[] = [],
  ): Declared => {
    const declared = device(all, side.primary, side.secondary, {
      compromised: names.map((certificate) => ({ certificate, reason: "leaked" })),
    });
    const entry = declared.individualEnrollments["device-1"];
    if (entry !== undefined) entry.status = side.enabled ? "enabled" : "disabled";
    return declared;
  };

  it("keeps a certificate that was accepted, when nothing is compromised", () => {
    fc.assert(
      fc.property(sides, sides, (old, next) => {
        const { faults } = judge(declare(old), declare(next), NOW);
        if (refusals(faults).length > 0 || !old.enabled || !next.enabled) return;
        const before = [old.primary, old.secondary].filter((name) => name !== undefined);
        const after = [next.primary, next.secondary];
        const accepted = before.filter((name) => name !== "missing");
        assert.ok(accepted.length === 0 || accepted.some((name) => after.includes(name)));
      }),
    );
  });

  it("admits no compromised certificate, and none issued below one", () => {
    const below: Record<string, string[]> = {
      low: ["one", "two"],
      "root-a": ["one", "two"],
      "root-b": ["three"],
    };
    fc.assert(
      fc.property(sides, sides, compromised, (old, next, names) => {
        const { faults } = judge(declare(old), declare(next, names), NOW);
        if (refusals(faults).length > 0 || !next.enabled) return;
        const reached = names.flatMap((name) => [name, ...(below[name] ?? [])]);
        for (const name of [next.primary, next.secondary]) {
          assert.ok(name === undefined || !reached.includes(name), name);
        }
      }),
    );
  });

  it("is the same change when it is kept as JSON in between, and an unchanged one does nothing", () => {
    const names = fc.option(fc.constantFrom("root-a", "root-b"), { nil: undefined });
    fc.assert(
      fc.property(sides, names, names, compromised, (side, primary, secondary, shut) => {
        const declared = {
          ...declare(side, shut),
          enrollmentGroups: group(all, "ca", primary, secondary).enrollmentGroups,
        };
        const kept = JSON.parse(JSON.stringify(declared)) as Declared;
        const judged = judge(kept, declared, NOW);
        assert.deepEqual(judge(declared, kept, NOW), judged);
        assert.ok(judged.rolls.every(({ steps }) => steps.length === 0));
      }),
      { numRuns: 50 },
    );
  });
});
