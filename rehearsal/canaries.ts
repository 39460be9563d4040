/**
 * Canaries: certificates of the observer's own, which it tries at DPS after each write. A
 * registration rewrites the hub's record of its device, so nobody's certificate but its own is tried.
 */
import { set } from "./configuration";
import type { Identity } from "./factory";
import type { Observer } from "./moments";
import type { Trial } from "./trials";
import type { Wire } from "./wire";

export interface Canary {
  registrationId: string;
  identity: Identity;
  /** Is it below (or in) what a roll takes away, or what it brings in? */
  role: "old" | "new";
}

/** Canaries report no certificate, and one of them stays with what is retired. */
export const WITH_CANARIES = set(["retirement"], { notKnown: "100%" });

/** Tries canaries one after the other, and writes down how DPS met each. */
export class Aviary {
  readonly trials: Trial[] = [];
  /** So many trials were those of canaries that have gone. */
  private left = 0;
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly observer: Observer,
    private readonly wire: Wire,
  ) {}

  /** Tries these now, and after each write until the function that is returned is called. */
  async watch(canaries: Canary[]): Promise<() => void> {
    await this.tryAll(canaries);
    return this.observer.atEachWrite(() => this.tryAll(canaries));
  }

  /** Canaries without an entry of their own go: nobody is to count them, or to wait for them. */
  async leave(entries: (registrationId: string) => boolean): Promise<void> {
    const there = this.trials.slice(this.left).filter(({ accepted }) => accepted);
    this.left = this.trials.length;
    for (const id of new Set(there.map(({ registrationId }) => registrationId))) {
      if (!entries(id)) await this.wire.forget(id);
    }
  }

  /** Resolves once every try that was begun has been answered. */
  private async tryAll(canaries: Canary[]): Promise<void> {
    const from = this.observer.latest;
    // One registration of a device at a time.
    const turn = this.queue.then(async () => {
      for (const canary of canaries) {
        await this.try(canary, from);
      }
    });
    this.queue = turn.catch(() => undefined);
    await turn;
  }

  private async try({ registrationId, identity, role }: Canary, from: number): Promise<void> {
    const { accepted, answer } = await this.wire.tryDps(registrationId, identity);
    const { chain } = identity;
    const to = this.observer.latest;
    this.trials.push({ registrationId, chain, role, accepted, answer, from, to });
  }
}
