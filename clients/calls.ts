/** How every call to Azure is made: bounded in number, in time and in attempts. */
import { setTimeout as delay } from "node:timers/promises";
import { type Attempt, ServiceError, toServiceError } from "./service-error";

/** Time and chance, replaceable in tests. */
export interface Pacing {
  /** Waits that many milliseconds. */
  sleep(ms: number): Promise<unknown>;
  /** Between 0 (included) and 1 (excluded). */
  random(): number;
  /** How long one attempt may take, milliseconds. */
  timeoutMs: number;
}

export const systemPacing: Pacing = { sleep: delay, random: Math.random, timeoutMs: 60_000 };

/** Calls at the same time to one host. DPS allows 1,000 operations a minute and service. */
const CONCURRENCY = 8;
/** A throttled call is worth more patience than a broken service: it is known to succeed. */
const ATTEMPTS = { throttled: 10, unavailable: 5 };
const BACKOFF = { firstMs: 500, maximumMs: 30_000 };
/** A longer wait is the person's decision. */
const LONGEST_RETRY_AFTER_MS = 120_000;

/**
 * Runs one call, again when it was throttled (429, after the time the service asked for) or when
 * the service or the network failed (5xx, resets, timeouts; with full jitter).
 *
 * An attempt whose answer got lost may have succeeded: writes therefore carry an etag, and callers
 * read again on "PreconditionFailed" and "Conflict".
 *
 * @throws ServiceError
 */
export async function call<T>(
  attempt: Attempt,
  run: () => Promise<T>,
  pacing: Pacing = systemPacing,
): Promise<T> {
  return laneOf(attempt.host).run(async () => {
    for (let tried = 1; ; tried += 1) {
      try {
        return await withTimeout(run, pacing.timeoutMs);
      } catch (thrown) {
        const error = toServiceError(thrown, attempt);
        const waitMs = waitBefore(error, tried, pacing);
        if (waitMs === undefined) {
          throw error;
        }
        await pacing.sleep(waitMs);
      }
    }
  });
}

/** As `call`; what is not there is undefined, not an error. */
export async function find<T>(
  attempt: Attempt,
  run: () => Promise<T>,
  pacing?: Pacing,
): Promise<T | undefined> {
  return call(attempt, run, pacing).catch((error: unknown) => {
    if (error instanceof ServiceError && error.code === "NotFound" && !isAbove(error.serviceCode)) {
      return undefined;
    }
    throw error;
  });
}

/** As `call`, for a deletion: what is gone already (an earlier attempt's answer got lost) is done. */
export async function remove(
  attempt: Attempt,
  run: () => Promise<unknown>,
  pacing?: Pacing,
): Promise<void> {
  await find(attempt, run, pacing);
}

/** Is it not the thing that is missing, but the service that should hold it? */
function isAbove(serviceCode: string | undefined): boolean {
  const above =
    /^(ResourceNotFound|ResourceGroupNotFound|SubscriptionNotFound|ParentResourceNotFound|IotHubNotFound)$/i;
  return serviceCode !== undefined && above.test(serviceCode);
}

/** Milliseconds until the next attempt; undefined when there is to be none. */
function waitBefore(error: ServiceError, tried: number, pacing: Pacing): number | undefined {
  const throttled = error.code === "Throttled";
  const again = throttled || error.code === "Unavailable";
  if (!again || tried >= (throttled ? ATTEMPTS.throttled : ATTEMPTS.unavailable)) {
    return undefined;
  }
  const ceiling = Math.min(BACKOFF.maximumMs, BACKOFF.firstMs * 2 ** tried);
  if (error.retryAfterMs === undefined) {
    return pacing.random() * ceiling;
  }
  return error.retryAfterMs > LONGEST_RETRY_AFTER_MS
    ? undefined
    : error.retryAfterMs + pacing.random() * BACKOFF.firstMs;
}

/** The SDKs for DPS and IoT Hub wait for an answer without end. */
async function withTimeout<T>(run: () => Promise<T>, timeoutMs: number): Promise<T> {
  const over = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: over.signal }).then(() => {
    const seconds = timeoutMs / 1000;
    throw Object.assign(new Error(`no answer within ${seconds} s`), { code: "NO_ANSWER" });
  });
  try {
    return await Promise.race([run(), late]);
  } finally {
    over.abort();
    late.catch(() => undefined);
  }
}

/** Lets a few through at a time, the others wait in order. */
class Lane {
  private free = CONCURRENCY;
  private readonly waiting: (() => void)[] = [];

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) {
      this.free -= 1;
    } else {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) {
        this.free += 1;
      } else {
        next();
      }
    }
  }
}

const lanes = new Map<string, Lane>();

function laneOf(host: string): Lane {
  const lane = lanes.get(host) ?? new Lane();
  lanes.set(host, lane);
  return lane;
}
