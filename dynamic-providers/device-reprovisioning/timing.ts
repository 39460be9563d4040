import { setTimeout as delay } from "node:timers/promises";

/** The machine's time, replaceable in tests. */
export interface Timing {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<unknown>;
}

export const systemTiming: Timing = { now: Date.now, sleep: delay };

/** The end of a bounded wait. */
export class Deadline {
  private constructor(
    private readonly timing: Timing,
    private readonly end: number,
  ) {}

  static in(seconds: number, timing: Timing): Deadline {
    return new Deadline(timing, timing.now() + seconds * 1000);
  }

  later(seconds: number): Deadline {
    return new Deadline(this.timing, this.end + seconds * 1000);
  }

  /** This deadline, or the one that is `seconds` from now, whichever comes first. */
  notLaterThan(seconds: number): Deadline {
    return new Deadline(this.timing, Math.min(this.end, this.timing.now() + seconds * 1000));
  }

  get isOver(): boolean {
    return this.timing.now() >= this.end;
  }

  /** Seconds that are left, whole ones, not below 0. */
  get seconds(): number {
    return Math.max(0, Math.floor((this.end - this.timing.now()) / 1000));
  }

  /**
   * Asks again and again, less often as time goes by, until the answer is true or the time is over.
   * Returns the last answer.
   */
  async until(ask: () => Promise<boolean>, firstMs: number, maximumMs: number): Promise<boolean> {
    for (let waitMs = firstMs; ; waitMs = Math.min(maximumMs, waitMs * 2)) {
      if (await ask()) {
        return true;
      }
      if (this.isOver) {
        return false;
      }
      await this.timing.sleep(Math.min(waitMs, Math.max(1, this.end - this.timing.now())));
    }
  }
}
