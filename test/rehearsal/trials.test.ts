import assert from "node:assert/strict";
import type { Moment } from "../../rehearsal/moments";
import {
  judgeClosedTried,
  judgeNoGap,
  judgeOneWay,
  judgeTruth,
  type Trial,
} from "../../rehearsal/trials";
import { DEFAULT_SWITCHES } from "../../sandbox/common/switches";
import { type Issued, TestCa } from "../support/test-ca";

describe("what canaries show", () => {
  let old: Issued;
  let next: Issued;

  before(async () => {
    old = await TestCa.selfSigned("canary-1");
    next = await TestCa.selfSigned("canary-1");
  });

  /** Tries of both certificates after each write, as `old new`, with + for accepted. */
  function trials(...answers: string[]): Trial[] {
    return answers.flatMap((answer, at) =>
      [...answer].map((sign, role) => ({
        registrationId: "canary-1",
        chain: (role === 0 ? old : next).chainPem,
        role: role === 0 ? ("old" as const) : ("new" as const),
        accepted: sign === "+",
        answer: sign === "+" ? "202" : "401",
        from: at - 1,
        to: at - 1,
      })),
    );
  }

  /** The canary's entry after each write, with what its slots hold. */
  function moments(...slots: Issued[][]): Moment[] {
    return slots.map((issued, seq) => ({
      request: {
        seq,
        time: "2030-01-01T00:00:00.000Z",
        service: "dps-service",
        instance: "dps-1",
        protocol: "https",
        method: "PUT",
        path: "/enrollments/canary-1",
        status: 200,
      },
      entries: [
        {
          kind: "individual" as const,
          id: "canary-1",
          enabled: issued.length > 0,
          slots: issued.map(({ der }) => der),
          hasPrimary: issued.length > 0,
        },
      ],
      caCertificates: [],
      switches: DEFAULT_SWITCHES,
    }));
  }

  it("is an overlap, when one of the two is always accepted", () => {
    const seen = trials("+-", "++", "-+");
    assert.deepEqual(
      [judgeNoGap(seen), judgeOneWay(seen)].map(({ held }) => held),
      [true, true],
    );
    assert.equal(
      judgeNoGap(seen).evidence,
      "old: 2 × accepted, 1 × refused; new: 2 × accepted, 1 × refused",
    );
  });

  it("is a gap, when neither is accepted after some write", () => {
    const { held, evidence } = judgeNoGap(trials("+-", "--", "-+"));
    assert.deepEqual([held, evidence], [false, "none accepted after write 0"]);
  });

  it("is no roll, when the old one comes back or the new one goes", () => {
    assert.deepEqual(judgeOneWay(trials("+-", "-+", "++")), {
      rule: judgeOneWay([]).rule,
      held: false,
      evidence: "canary-1 (old) accepted after write 1: 202",
    });
    assert.equal(judgeOneWay(trials("++", "+-", "-+")).held, false);
  });

  it("is no roll, when the new one is never accepted, the old one never was, or nothing was tried", () => {
    for (const seen of [trials("+-", "+-"), trials("-+", "-+"), trials()]) {
      assert.equal(judgeOneWay(seen).held, false);
    }
  });

  it("closes a breach, when nobody with the old key comes in from the cut-off on", () => {
    assert.equal(judgeClosedTried(trials("+-", "--", "-+"), 0).held, true);
    assert.equal(judgeClosedTried(trials("+-", "--", "++"), 0).held, false);
  });

  it("closes nothing, when the old key never came in, was not tried again, or there was no cut-off", () => {
    assert.equal(judgeClosedTried(trials("--", "--"), 0).held, false);
    assert.equal(judgeClosedTried(trials("+-"), 0).held, false);
    assert.equal(judgeClosedTried(trials("+-", "-+"), -1).held, false);
  });

  it("is true to the records, or not", () => {
    const records = moments([old, next], [next]);
    assert.equal(judgeTruth(trials("+-", "++", "-+"), records).held, true);
    const { held, evidence } = judgeTruth(trials("+-", "++", "++"), records);
    assert.deepEqual([held, evidence], [false, "canary-1 (old) accepted after write 1: 202"]);
  });

  it("may be true to any record between a try and its answer", () => {
    const records = moments([old], [next]);
    const [, , tried] = trials("+-", "-+");
    assert.equal(judgeTruth([{ ...tried!, to: 1 }], records).held, true);
    assert.equal(judgeTruth([tried!], records).held, false);
  });

  it("shows nothing, when nothing was tried after a write", () => {
    assert.equal(judgeTruth(trials("+-"), moments([old])).held, false);
  });
});
