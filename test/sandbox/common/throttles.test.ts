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

  it("let so many wait, each until its turn, and refuse who comes when the queue is full", async () => {
    const sleeping: [ms: number, wake: () => void][] = [];
    const sleep = (time: number) => new Promise<void>((wake) => sleeping.push([time, wake]));
    const one = throttles({ sleep });
    // Four fit into a queue of 24 seconds at 10 a minute.
    const queue = { seconds: 24, closing: new AbortController().signal };
    const turn = (cost = 1) => one.turn(LIMIT, "dps", cost, queue);
    for (let at = 0; at < 10; at++) assert.equal(await turn(), undefined);
    assert.equal(sleeping.length, 0);
    const served: string[] = [];
    const first = turn().then(() => served.push("first"));
    const second = turn(2).then(() => served.push("second"));
    assert.equal(await turn(2), 30, "it would be the fifth");
    const third = turn().then(() => served.push("third"));
    assert.deepEqual(
      sleeping.map(([time]) => time),
      [6_000, 18_000, 24_000],
    );
    assert.equal(one.take(LIMIT, "dps"), 30, "nobody overtakes the queue");
    for (const [at, waiting] of [first, second, third].entries()) {
      assert.equal(served.length, at);
      sleeping[at]![1]();
      await waiting;
    }
    assert.deepEqual(served, ["first", "second", "third"]);
    ms += 24_000;
    assert.equal(one.take(LIMIT, "dps"), 6, "the queue is empty, and the bucket is too");
  });

  it("have a queue that moves faster by the same factor, holds as many, and ends when it is closed", async () => {
    const one = throttles({ scale: 60 });
    const closing = new AbortController();
    const queue = { seconds: 6, closing: closing.signal };
    many(one, 10);
    const waiting = one.turn(LIMIT, "dps", 1, queue);
    assert.equal(await one.turn(LIMIT, "dps", 1, queue), 1);
    closing.abort();
    await assert.rejects(waiting, { name: "AbortError" });
    assert.equal(await new Throttles(false).turn(LIMIT, "dps", 100, queue), undefined);
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
