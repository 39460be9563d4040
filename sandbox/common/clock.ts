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
  constructor(private offsetMs = 0) {}

  now(): Date {
    return new Date(Date.now() + this.offsetMs);
  }

  /** Moves the clock by `ms` milliseconds; negative moves it back. */
  advance(ms: number): void {
    this.offsetMs += ms;
  }
}
