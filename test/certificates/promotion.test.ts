/** What an expiration roll waits for when it goes from stack to stack. */
import assert from "node:assert/strict";
import type { Declared } from "../../certificates/declared";
import { formatFault } from "../../certificates/faults";
import { type AppliedSlots, recordSlots } from "../../certificates/promotion";
import { judge } from "../../certificates/rules";
import { cast, device, type Cast } from "./cast";
import { NOW } from "./fixtures";

const PATH = "individualEnrollments.device-1";
const day = (count: number): Date => new Date(NOW.getTime() + count * 86_400_000);

describe("promotion from stack to stack", () => {
  let all: Cast;
  let begun: Declared;
  let prepared: Declared;
  let retired: Declared;

  before(async () => {
    all = await cast();
    begun = device(all, "one");
    prepared = device(all, "one", "two");
    retired = device(all, "two");
  });

  /** The history of a stack that was told these, a day after one another. */
  const history = (first: number, ...declared: Declared[]): AppliedSlots[] =>
    declared.reduce<AppliedSlots[]>(
      (so, each, index) => recordSlots(so, each, day(first + index)),
      [],
    );

  const found = (
    before: Declared,
    after: Declared,
    applied: AppliedSlots[],
    own: AppliedSlots[] = history(-9, before),
  ): string[] =>
    judge(before, after, NOW, { promotion: { after: "staging", applied, own } })
      .faults.map(formatFault)
      .filter((text) => text.startsWith("DPS-CERT-150"));

  it("refuses what the stack before has not carried out, and says what it has", () => {
    assert.deepEqual(found(begun, prepared, history(-5, begun)), [
      `DPS-CERT-150 at ${PATH}: found an expiration roll to certificate one and certificate two, which stack staging has not carried out (it has certificate one since 2026-05-27T00:00:00.000Z); fix: apply it to stack staging first, or waive this with a reason`,
    ]);
    assert.match(found(begun, prepared, [])[0] ?? "", /\(it has no such enrollment\)/);
  });

  it("accepts each phase that the stack before has been through, also when that is further on", () => {
    const staging = history(-5, begun, prepared, retired);
    assert.deepEqual(found(begun, prepared, staging), []);
    assert.deepEqual(found(prepared, retired, staging, history(-9, begun, prepared)), []);
  });

  it("does not take a roll of long ago for this one, when names are used again", () => {
    const own = history(-20, begun, prepared, retired);
    const again = device(all, "two", "one");
    // The second roll between the same two names: staging has carried out the first one only.
    assert.equal(found(retired, again, history(-30, begun, prepared, retired), own).length, 1);
    assert.deepEqual(
      found(retired, again, history(-30, begun, prepared, retired).concat(history(-2, again)), own),
      [],
    );
  });

  it("refuses what the stack before has taken back, or has failed with before it went back", () => {
    const [text] = found(begun, prepared, history(-5, begun, prepared, begun));
    assert.match(
      text ?? "",
      /which stack staging has taken back \(it has certificate one since 2026-05-29/,
    );
    const all = history(-9, begun, prepared, retired, prepared);
    assert.equal(found(prepared, retired, all, history(-20, begun, prepared)).length, 1);
  });

  it("lets a stack take back what it did last", () => {
    assert.deepEqual(found(prepared, begun, [], history(-9, begun, prepared)), []);
  });

  it("never lets a breach wait", () => {
    const compromised = [{ certificate: "one", reason: "stolen" }];
    assert.deepEqual(found(begun, { ...retired, compromised }, []), []);
  });

  it("lets no other roll of the same change hold a breach up", () => {
    const other = { "device-2": { primary: { certificate: "one" }, status: "enabled" as const } };
    const individualEnrollments = { ...begun.individualEnrollments, ...other };
    const compromised = [{ certificate: "three", reason: "stolen" }];
    const old = {
      ...begun,
      individualEnrollments: {
        ...individualEnrollments,
        "device-2": { primary: { certificate: "three" }, status: "enabled" as const },
      },
    };
    const next = {
      ...prepared,
      individualEnrollments: { ...individualEnrollments, ...prepared.individualEnrollments },
    };
    assert.equal(found(old, next, []).length, 2);
    assert.deepEqual(found(old, { ...next, compromised }, []), []);
  });

  it("refuses beside a denial that is lifted, which is no answer to a breach", () => {
    const denied = [{ registrationId: "device-9", reason: "lost" }];
    assert.deepEqual(found(begun, { ...prepared, denied }, []), []);
    assert.equal(found({ ...begun, denied }, prepared, []).length, 1);
  });

  it("refuses what it cannot compare, and lets a breach through", () => {
    const promotion = {
      after: "staging",
      applied: [],
      own: [],
      notRead: 'unknown stack "staging"\n!',
    };
    const texts = (after: Declared) =>
      judge(begun, after, NOW, { promotion })
        .faults.map(formatFault)
        .filter((text) => text.startsWith("DPS-CERT-150"));
    assert.deepEqual(texts(prepared), [
      `DPS-CERT-150 at ${PATH}: found an expiration roll to certificate one and certificate two, where stack staging, which carries it out first, could not be read (unknown stack "staging"\\u{a}!); fix: see to it that the stack exists and this run may read its state, apply the roll to it first, or waive this with a reason`,
    ]);
    assert.deepEqual(texts({ ...retired, compromised: [{ certificate: "one", reason: "x" }] }), []);
  });

  it("is waived with a reason", () => {
    const waivers = [{ code: "DPS-CERT-150", path: PATH, reason: "hotfix", until: "2026-12-31" }];
    const [text] = found(begun, { ...prepared, waivers }, []);
    assert.match(text ?? "", /\(waived until 2026-12-31: hotfix\)$/);
  });

  it("keeps the last dozen of each entry, and nothing twice", () => {
    let so: AppliedSlots[] = [];
    for (let index = 0; index < 40; index += 1) {
      so = recordSlots(so, index % 2 === 0 ? begun : prepared, day(index));
      so = recordSlots(so, index % 2 === 0 ? begun : prepared, day(index));
    }
    assert.equal(so.length, 12);
    assert.equal(so.at(-1)?.since, day(39).toISOString());
  });
});
