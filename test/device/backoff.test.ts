import assert from "node:assert/strict";
import { Backoff, systemClock } from "../../device/backoff";

describe("backoff of a device", () => {
  it("doubles its ceiling up to the maximum, and begins anew when all is well", () => {
    const backoff = new Backoff({ firstMs: 1000, maximumMs: 5000 }, () => 0.5);
    assert.deepEqual(
      Array.from({ length: 5 }, () => backoff.next()),
      [500, 1000, 2000, 2500, 2500],
    );
    backoff.reset();
    assert.equal(backoff.next(), 500);
  });

  it("waits anything from nothing to the ceiling", () => {
    assert.equal(new Backoff({ firstMs: 1000, maximumMs: 5000 }, () => 0).next(), 0);
  });

  it("waits at least as long as the service asks", () => {
    assert.equal(new Backoff({ firstMs: 1000, maximumMs: 5000 }, () => 0.5).next(3000), 3500);
  });

  it("ends a sleep at once when it is over", async () => {
    await systemClock.sleep(3_600_000, AbortSignal.abort());
    const over = new AbortController();
    const asleep = systemClock.sleep(3_600_000, over.signal);
    over.abort();
    await asleep;
  });
});
