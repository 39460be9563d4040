/** Long work in bounded steps. */
import { setTimeout as delay } from "node:timers/promises";

/** Items that are worked on at the same time; calls to one host are bounded besides. */
const AT_A_TIME = 25;
const SHORTEST_MS = 500;
/** Between two looks at many things: ten looks a second leave room for others below DPS's throttle. */
const MS_EACH = 100;

/** `work` for all items, some at a time. */
export async function inSeries<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += AT_A_TIME) {
    await Promise.all(items.slice(from, from + AT_A_TIME).map(work));
  }
}

/**
 * Looks at once, and again until it is done or `seconds` are over; the more a look asks, the longer
 * the time between.
 */
export async function until(
  seconds: number,
  look: () => Promise<{ done: boolean; asked: number }>,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const { done, asked } = await look();
    const pause = Math.max(SHORTEST_MS, asked * MS_EACH);
    if (done || Date.now() + pause > end) {
      return;
    }
    await delay(pause);
  }
}
