/**
 * The services' published limits on rates. What comes above them is answered with 429 and Retry-After.
 * Each is a bucket that holds what one period allows and fills steadily. not known: how Azure counts;
 * IoT Hub also lets some wait for a while before it refuses (azure-docs, "traffic shaping").
 */

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
}

interface Bucket {
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

  /** @param options false: nothing is ever refused */
  constructor(private readonly options: ThrottleOptions | false) {
    const { scale = 1, now = () => performance.now() } = options === false ? {} : options;
    this.scale = scale;
    this.now = now;
  }

  /**
   * Takes `cost` out of the owner's bucket. Undefined: it was taken; else the whole seconds to wait
   * until there is enough, and nothing was taken. A cost above the whole bucket takes a full one.
   *
   * @param owner the service, hub or device that the limit is for
   */
  take(limit: RateLimit, owner: string, cost = 1): number | undefined {
    if (this.options === false) {
      return undefined;
    }
    const key = `${limit.name} ${owner.toLowerCase()}`;
    const now = this.now();
    const before = this.buckets.get(key);
    const left = before === undefined ? limit.count : this.filled({ ...before, limit }, now);
    const wanted = Math.min(cost, limit.count);
    if (left + ROUNDING < wanted) {
      this.buckets.set(key, { left, at: now, limit });
      return Math.max(1, Math.ceil((wanted - left - ROUNDING) / this.perSecond(limit)));
    }
    this.forgetFull(now);
    this.buckets.set(key, { left: left - wanted, at: now, limit });
    return undefined;
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
