import assert from "node:assert/strict";
import { call, find, type Pacing, remove } from "../../clients/calls";
import { type Attempt, isServiceError } from "../../clients/service-error";

function attempt(host: string): Attempt {
  const connection = {
    target: "azure" as const,
    auth: "entra" as const,
    resourceGroup: "rg",
    service: "dps",
  };
  return { operation: "try", service: "dps", host, connection };
}

function answer(statusCode: number, headers: object = {}, body: object = {}): Error {
  const responseBody = JSON.stringify(body);
  return Object.assign(new Error(), { response: { statusCode, headers }, responseBody });
}

describe("calls to Azure", () => {
  let waits: number[];
  let pacing: Pacing;

  beforeEach(() => {
    waits = [];
    pacing = {
      sleep: async (ms) => void waits.push(ms),
      random: () => 0.5,
      timeoutMs: 5000,
    };
  });

  /** Fails with each error in turn, then answers. */
  function failing(...errors: Error[]): () => Promise<string> {
    return async () => {
      const error = errors.shift();
      if (error !== undefined) throw error;
      return "done";
    };
  }

  it("waits as long as the service asks, and a little longer", async () => {
    const run = failing(answer(429, { "retry-after": "3" }), answer(429, { "retry-after": "5" }));
    assert.equal(await call(attempt("a"), run, pacing), "done");
    assert.deepEqual(waits, [3250, 5250]);
  });

  it("backs off with full jitter when the service or the network fails", async () => {
    const reset = Object.assign(new Error("read"), { code: "ECONNRESET" });
    assert.equal(await call(attempt("a"), failing(answer(503), reset), pacing), "done");
    assert.deepEqual(waits, [500, 1000]);
  });

  it("gives up after a bounded number of attempts", async () => {
    const many = (status: number) => failing(...Array.from({ length: 20 }, () => answer(status)));
    await assert.rejects(call(attempt("a"), many(500), pacing), { code: "Unavailable" });
    assert.equal(waits.length, 4);
    waits.length = 0;
    await assert.rejects(call(attempt("a"), many(429), pacing), { code: "Throttled" });
    assert.equal(waits.length, 9);
  });

  it("does not wait longer than two minutes for the service", async () => {
    const run = failing(answer(429, { "retry-after": "3600" }));
    await assert.rejects(call(attempt("a"), run, pacing), { retryAfterMs: 3_600_000 });
    assert.deepEqual(waits, []);
  });

  it("does not repeat what was refused", async () => {
    for (const status of [400, 401, 409, 412, 501]) {
      await assert.rejects(call(attempt("a"), failing(answer(status)), pacing));
    }
    assert.deepEqual(waits, []);
  });

  it("does not wait for an answer without end", async () => {
    const silent = (): Promise<never> => new Promise(() => undefined);
    await assert.rejects(
      call(attempt("a"), silent, { ...pacing, timeoutMs: 5 }),
      (error) => isServiceError(error, "Unavailable") && /no answer within/.test(error.message),
    );
  });

  it("makes few calls at the same time to one host", async () => {
    let running = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const run = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => release.push(resolve));
      running -= 1;
    };
    const calls = Array.from({ length: 30 }, () => call(attempt("busy"), run, pacing));
    const other = call(attempt("idle"), async () => "through", pacing);
    assert.equal(await other, "through");
    for (let done = 0; done < 30;) {
      const next = release.shift();
      if (next === undefined) {
        await new Promise(setImmediate);
      } else {
        next();
        done += 1;
      }
    }
    await Promise.all(calls);
    assert.equal(most, 8);
  });

  it("takes what is not there as undefined, but not when its service is missing", async () => {
    assert.equal(await find(attempt("a"), failing(answer(404)), pacing), undefined);
    const missing = answer(404, {}, { error: { code: "ResourceNotFound", message: "no DPS" } });
    await assert.rejects(find(attempt("a"), failing(missing), pacing), { code: "NotFound" });
  });

  it("takes a deletion as done when an earlier attempt's answer was lost", async () => {
    const reset = Object.assign(new Error("read"), { code: "ECONNRESET" });
    await remove(attempt("a"), failing(reset, answer(404)), pacing);
  });
});
