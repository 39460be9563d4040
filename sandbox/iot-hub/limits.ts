/**
 * The rates of a hub by tier and number of units.
 * Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling, "Operation throttles" and
 * "Traffic shaping": a rate holds over a minute; what is above it is queued and carried out at the rate;
 * when the queue is full, the answer is 429.
 */
import { hubError } from "../common/errors";
import type { IotHubRecord, Sandbox } from "../common/model";
import type { RateLimit } from "../common/throttles";

export type LimitedOperation =
  | "registry"
  | "query"
  | "job"
  | "jobDevice"
  | "twinRead"
  | "twinUpdate"
  | "methodKilobytes"
  | "connection";

const MINUTE = 60;
const SECOND = 1;

type Rate = (units: number) => [count: number, seconds: number];

/** Tiers 1 (also free and basic), 2 and 3. */
const RATES: Record<LimitedOperation, [Rate, Rate, Rate]> = {
  registry: [(n) => [100 * n, MINUTE], (n) => [100 * n, MINUTE], (n) => [5000 * n, MINUTE]],
  query: [(n) => [20 * n, MINUTE], (n) => [20 * n, MINUTE], (n) => [1000 * n, MINUTE]],
  job: [(n) => [100 * n, MINUTE], (n) => [100 * n, MINUTE], (n) => [5000 * n, MINUTE]],
  jobDevice: [() => [10, SECOND], (n) => [Math.max(10, n), SECOND], (n) => [50 * n, SECOND]],
  twinRead: [() => [100, SECOND], (n) => [Math.max(100, 10 * n), SECOND], (n) => [500 * n, SECOND]],
  twinUpdate: [() => [50, SECOND], (n) => [Math.max(50, 5 * n), SECOND], (n) => [250 * n, SECOND]],
  methodKilobytes: [
    (n) => [160 * n, SECOND],
    (n) => [480 * n, SECOND],
    (n) => [24 * 1024 * n, SECOND],
  ],
  connection: [
    (n) => [Math.max(100, 12 * n), SECOND],
    (n) => [120 * n, SECOND],
    (n) => [6000 * n, SECOND],
  ],
};

/** What direct methods are metered in. */
const METHOD_METER_KILOBYTES = 4;

export function limitOf(operation: LimitedOperation, { sku }: IotHubRecord): RateLimit {
  const tier = /3$/.test(sku.name) ? 2 : /2$/.test(sku.name) ? 1 : 0;
  const [count, seconds] = RATES[operation][tier](Math.max(1, sku.capacity));
  return { name: `hub-${operation}`, count, seconds };
}

/** The same rate as it is held: "in minute ranges". */
function overAMinute({ name, count, seconds }: RateLimit): RateLimit {
  return { name, count: (count / seconds) * MINUTE, seconds: MINUTE };
}

/** A hub whose rates are held, and the end of its listeners. */
export interface LimitedHub {
  sandbox: Pick<Sandbox, "throttles" | "hubs" | "switches" | "clock">;
  hubName: string;
  closing: AbortSignal;
}

/**
 * Resolves when it is the operation's turn: at once, or when it has come to the front of the queue; with
 * the seconds to wait when the queue is full. Throws when the hub goes away.
 */
export async function waitFor(
  { sandbox, hubName, closing }: LimitedHub,
  operation: LimitedOperation,
  cost = 1,
): Promise<number | undefined> {
  const hub = sandbox.hubs.get(hubName);
  if (hub === undefined) return undefined;
  const seconds = sandbox.switches.hubQueueSeconds;
  const limit = overAMinute(limitOf(operation, hub));
  try {
    return await sandbox.throttles.turn(limit, hubName, cost, { seconds, closing });
  } catch (error) {
    if (!closing.aborted) throw error;
    throw hubError(503, "ServiceUnavailable", "The hub is being closed.", sandbox.clock.now());
  }
}

/**
 * As `waitFor`, but throws `HttpError` 429 with Retry-After when the queue is full; its text was recorded
 * in Azure-Samples/Iot-Telemetry-Simulator#39. not known: when it is ThrottlingException or
 * ThrottleBacklogLimitExceeded, which troubleshoot-error-codes names beside it.
 */
export async function throttle(
  hub: LimitedHub,
  operation: LimitedOperation | undefined,
  cost = 1,
): Promise<void> {
  const wait = operation && (await waitFor(hub, operation, cost));
  if (wait !== undefined) {
    const text = `The request has been throttled. Wait ${wait} seconds and try again. Operation type: ${operation}`;
    const error = hubError(429, "ThrottlingBacklogTimeout", text, hub.sandbox.clock.now());
    error.headers["retry-after"] = String(wait);
    throw error;
  }
}

/** A payload in the meter's whole steps. */
export function methodKilobytes(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 1024 / METHOD_METER_KILOBYTES)) * METHOD_METER_KILOBYTES;
}
