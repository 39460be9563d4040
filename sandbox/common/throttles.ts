/**
 * The services' published limits on rates. What comes above them waits in a queue, if the service has
 * one, or is answered with 429 and Retry-After. Each is a bucket that holds what one period allows and
 * fills steadily. not known: how Azure counts.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** So many in so many seconds. */
export interface RateLimit {
  /** Tells the buckets of one owner apart. */
  name: string;
  count: number;
  seconds: number;
}

export interface ThrottleOptions {
  /** How many times faster than in Azure the buckets fill: 60 makes a minute a second. Default: 1. */
  scale?: number;
  /** Milliseconds of a clock that never goes back. Default: the machine's. */
  now?: () => number;
  /** Resolves so many milliseconds later, or rejects when it is aborted. Default: the machine's timer. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** Requests above the limit that wait for their turn instead of being refused. */
export interface Queue {
  /** How many fit: what the limit lets through in so many seconds. */
  seconds: number;
  /** Ends the waiting, which then throws. */
  closing: AbortSignal;
}

interface Bucket {
  /** Below 0: what is waiting. */
  left: number;
  /** When `left` was true, milliseconds. */
  at: number;
  limit: RateLimit;
}

/** Less than any share of a request that matters, more than the errors of arithmetic. */
const ROUNDING = 1e-6;
/** Above this many, buckets that are full again are forgotten. */
const MANY_BUCKETS = 10_000;

export class Throttles {
  private readonly buckets = new Map<string, Bucket>();
  private readonly scale: number;
  private readonly now: () => number;
  private readonly sleep: NonNullable<ThrottleOptions["sleep"]>;

  /** @param options false: nothing is ever refused */
  constructor(private readonly options: ThrottleOptions | false) {
    const { scale, now, sleep: wait } = options === false ? {} : options;
    this.scale = scale ?? 1;
    this.now = now ?? (() => performance.now());
    this.sleep = wait ?? ((ms, signal) => sleep(ms, undefined, { signal, ref: false }));
  }

  /**
   * Takes `cost` out of the owner's bucket. Undefined: it was taken; else the whole seconds to wait
   * until there is enough, and nothing was taken. A cost above the whole bucket takes a full one.
   *
   * @param owner the service, hub or device that the limit is for
   */
  take(limit: RateLimit, owner: string, cost = 1): number | undefined {
    const short = this.reserve(limit, owner, cost, 0);
    return short === undefined ? undefined : Math.max(1, Math.ceil(short.seconds));
  }

  /**
   * As `take`, but what the bucket does not hold is waited for, as long as the queue is not full: it
   * resolves when the request's turn has come. In the order of arrival, and nobody overtakes.
   */
  async turn(
    limit: RateLimit,
    owner: string,
    cost: number,
    { seconds, closing }: Queue,
  ): Promise<number | undefined> {
    const short = this.reserve(limit, owner, cost, (limit.count / limit.seconds) * seconds);
    if (short === undefined) return undefined;
    if (!short.taken) return Math.max(1, Math.ceil(short.seconds));
    await this.sleep(Math.ceil(short.seconds * 1000), closing);
    return undefined;
  }

  /**
   * Undefined: there was enough. Else the seconds until there is, and whether it was taken ahead of
   * that, because no more than `ahead` is.
   */
  private reserve(
    limit: RateLimit,
    owner: string,
    cost: number,
    ahead: number,
  ): { seconds: number; taken: boolean } | undefined {
    if (this.options === false) {
      return undefined;
    }
    const key = `${limit.name} ${owner.toLowerCase()}`;
    const now = this.now();
    const before = this.buckets.get(key);
    const held = before === undefined ? limit.count : this.filled({ ...before, limit }, now);
    const left = held - Math.min(cost, limit.count);
    const taken = left + ahead + ROUNDING >= 0;
    if (taken) this.forgetFull(now);
    this.buckets.set(key, { left: taken ? left : held, at: now, limit });
    const seconds = (-left - ROUNDING) / this.perSecond(limit);
    return seconds <= 0 ? undefined : { seconds, taken };
  }

  private filled({ left, at, limit }: Bucket, now: number): number {
    return Math.min(limit.count, left + ((now - at) / 1000) * this.perSecond(limit));
  }

  private perSecond({ count, seconds }: RateLimit): number {
    return (count / seconds) * this.scale;
  }

  private forgetFull(now: number): void {
    if (this.buckets.size < MANY_BUCKETS) {
      return;
    }
    for (const [key, bucket] of this.buckets) {
      if (this.filled(bucket, now) === bucket.limit.count) {
        this.buckets.delete(key);
      }
    }
  }
}
