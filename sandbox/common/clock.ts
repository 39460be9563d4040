/**
 * The sandbox's clock. Device and CA certificates, and the dates in records, follow it; tokens and
 * server TLS follow the machine's clock, because Microsoft's SDKs sign with that one.
 */
export interface Clock {
  /** The sandbox's time now. */
  now(): Date;
}

/** A clock that runs with the machine's, moved by a number of milliseconds. */
export class OffsetClock implements Clock {
  /** @param moved hears of each move, with the new offset in milliseconds */
  constructor(
    private offsetMs = 0,
    private readonly moved: (offsetMs: number) => void = () => undefined,
  ) {}

  now(): Date {
    return new Date(Date.now() + this.offsetMs);
  }

  /** Ahead of the machine's clock, milliseconds; negative: behind it. */
  get offset(): number {
    return this.offsetMs;
  }

  /** Moves the clock by `ms` milliseconds; negative moves it back. */
  advance(ms: number): void {
    this.offsetMs += ms;
    this.moved(this.offsetMs);
  }

  /** Sets the clock to `time`, from where it goes on. */
  set(time: Date): void {
    this.advance(time.getTime() - this.now().getTime());
  }
}
