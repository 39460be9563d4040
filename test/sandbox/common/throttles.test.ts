import assert from "node:assert/strict";
import { Throttles, type ThrottleOptions } from "../../../sandbox/common/throttles";

const LIMIT = { name: "operations", count: 10, seconds: 60 };

describe("limits on rates", () => {
  let ms: number;
  const throttles = (options: ThrottleOptions = {}) => new Throttles({ now: () => ms, ...options });
  const many = (one: Throttles, times: number, owner = "dps") =>
    Array.from({ length: times }, () => one.take(LIMIT, owner));

  beforeEach(() => (ms = 5_000));

  it("let through what a period allows, then tell how long to wait, then let through again", () => {
    const one = throttles();
    assert.deepEqual(many(one, 10), Array(10).fill(undefined));
    assert.equal(one.take(LIMIT, "dps"), 6);
    ms += 5_999;
    assert.equal(one.take(LIMIT, "dps"), 1);
    ms += 1;
    assert.deepEqual(many(one, 2), [undefined, 6]);
    ms += 3_600_000;
    assert.deepEqual(many(one, 11), [...(Array(10).fill(undefined) as undefined[]), 6]);
  });

  it("count each owner and each limit for itself, whatever the case of a name", () => {
    const one = throttles();
    many(one, 10);
    assert.equal(one.take(LIMIT, "other"), undefined);
    assert.equal(one.take({ ...LIMIT, name: "registrations" }, "dps"), undefined);
    assert.equal(one.take(LIMIT, "DPS"), 6);
  });

  it("take nothing from who is refused, and a whole period for more than one allows", () => {
    const one = throttles();
    assert.equal(one.take(LIMIT, "dps", 8), undefined);
    assert.equal(one.take(LIMIT, "dps", 4), 12);
    assert.equal(one.take(LIMIT, "dps", 2), undefined);
    assert.equal(one.take(LIMIT, "dps", 100), 60);
    ms += 60_000;
    assert.equal(one.take(LIMIT, "dps", 100), undefined);
  });

  it("go faster by a factor, and can be off", () => {
    const fast = throttles({ scale: 60 });
    many(fast, 10);
    assert.equal(fast.take(LIMIT, "dps"), 1);
    ms += 1_000;
    assert.deepEqual(many(fast, 10), Array(10).fill(undefined));
    assert.deepEqual(many(new Throttles(false), 100), Array(100).fill(undefined));
  });

  it("remember devices no longer than it matters", () => {
    const one = throttles();
    for (let at = 0; at < 10_000; at++) {
      one.take(LIMIT, `device-${at}`);
    }
    many(one, 9, "busy");
    ms += 6_000;
    one.take(LIMIT, "one more");
    assert.deepEqual(many(one, 3, "busy"), [undefined, undefined, 6]);
    assert.deepEqual([...one["buckets"].keys()].sort(), ["operations busy", "operations one more"]);
  });
});
