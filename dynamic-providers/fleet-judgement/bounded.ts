/** Reads that are given up in time, and what is not known because of that. */
import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "../../clients/service-error";

/** What is read, and how; the problem, if it cannot be read. Throws what is no answer of a service. */
export type Reading = <T>(
  what: string,
  run: () => Promise<T>,
) => Promise<{ value: T; problem?: never } | { value?: never; problem: string }>;

/**
 * @param leftOut what cannot be read, and why, is added to it, for people
 * @param ms a read that takes longer is given up, milliseconds
 */
export function boundedReading(leftOut: string[], ms: number): Reading {
  return async (what, run) => {
    try {
      return { value: await within(ms, run()) };
    } catch (error) {
      if (!(error instanceof TooLate || error instanceof ServiceError)) throw error;
      const problem = error instanceof TooLate ? `no answer within ${ms / 1000} s` : error.message;
      leftOut.push(`${what}, because: ${problem}`);
      return { problem };
    }
  };
}

class TooLate extends Error {}

async function within<T>(ms: number, run: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = delay(ms, undefined, { signal: over.signal }).then(() => {
    throw new TooLate();
  });
  try {
    return await Promise.race([run, late]);
  } finally {
    over.abort();
    for (const each of [run, late]) each.catch(() => undefined);
  }
}
