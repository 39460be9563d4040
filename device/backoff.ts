/** Time and chance, replaceable in tests. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Waits; ends early, without an error, when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        return resolve();
      }
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done);
    }),
};

export interface BackoffOptions {
  /** Ceiling of the first wait, milliseconds. Default 1,000. */
  firstMs: number;
  /** Ceiling of any wait, milliseconds. Default 300,000: DPS takes 1,000 registrations a minute. */
  maximumMs: number;
}

/**
 * Exponential backoff with full jitter: each wait is anything between nothing and a ceiling that
 * doubles, so that a fleet that lost its hub in one moment does not come back in one moment.
 */
export class Backoff {
  private failures = 0;

  constructor(
    private readonly options: BackoffOptions,
    private readonly random: () => number,
  ) {}

  /** Milliseconds to wait after one more failure. What the service asked for is the least. */
  next(retryAfterMs = 0): number {
    const { firstMs, maximumMs } = this.options;
    const ceiling = Math.min(maximumMs, firstMs * 2 ** this.failures);
    this.failures += 1;
    return retryAfterMs + this.random() * ceiling;
  }

  /** All is well again. */
  reset(): void {
    this.failures = 0;
  }
}
