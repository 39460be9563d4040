import type { Clock } from "./backoff";

/** What a device has lived through since its start. */
export class Counters {
  /** Attempts that were answered with no. */
  readonly refused = { dps: 0, hub: 0 };
  /** Successful registrations. */
  registrations = 0;
  connections = 0;
  /** Messages that the hub has acknowledged. */
  messages = 0;
  private offlineMs = 0;
  /** Since when there is no connection; undefined before the first one, and while there is one. */
  private offlineSince: number | undefined;

  constructor(private readonly clock: Clock) {}

  /** Counted from the first connection on. */
  get secondsWithoutConnection(): number {
    const now = this.clock.now();
    return (this.offlineMs + now - (this.offlineSince ?? now)) / 1000;
  }

  connected(): void {
    this.connections += 1;
    if (this.offlineSince !== undefined) {
      this.offlineMs += this.clock.now() - this.offlineSince;
      this.offlineSince = undefined;
    }
  }

  disconnected(): void {
    this.offlineSince = this.clock.now();
  }

  toJSON(): object {
    const { refused, registrations, connections, messages, secondsWithoutConnection } = this;
    return { refused, registrations, connections, messages, secondsWithoutConnection };
  }
}
