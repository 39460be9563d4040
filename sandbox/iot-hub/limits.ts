/**
 * The rates of a hub by tier and number of units.
 * Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling, "Operation throttles".
 */
import { hubError } from "../common/errors";
import type { IotHubRecord, Sandbox } from "../common/model";
import type { RateLimit } from "../common/throttles";

export type LimitedOperation =
  "registry" | "query" | "job" | "twinRead" | "twinUpdate" | "methodKilobytes" | "connection";

const MINUTE = 60;
const SECOND = 1;

type Rate = (units: number) => [count: number, seconds: number];

/** Tiers 1 (also free and basic), 2 and 3. */
const RATES: Record<LimitedOperation, [Rate, Rate, Rate]> = {
  registry: [(n) => [100 * n, MINUTE], (n) => [100 * n, MINUTE], (n) => [5000 * n, MINUTE]],
  query: [(n) => [20 * n, MINUTE], (n) => [20 * n, MINUTE], (n) => [1000 * n, MINUTE]],
  job: [(n) => [100 * n, MINUTE], (n) => [100 * n, MINUTE], (n) => [5000 * n, MINUTE]],
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

/** Seconds to wait before the operation; undefined: it was counted and may go on. */
export function waitFor(
  { throttles, hubs }: Pick<Sandbox, "throttles" | "hubs">,
  hubName: string,
  operation: LimitedOperation,
  cost = 1,
): number | undefined {
  const hub = hubs.get(hubName);
  return hub && throttles.take(limitOf(operation, hub), hubName, cost);
}

/**
 * Throws `HttpError` 429 with Retry-After when the hub's rate is used up; its text was recorded in
 * Azure-Samples/Iot-Telemetry-Simulator#39.
 */
export function throttle(
  sandbox: Sandbox,
  hubName: string,
  operation: LimitedOperation | undefined,
  cost = 1,
): void {
  const wait = operation && waitFor(sandbox, hubName, operation, cost);
  if (wait !== undefined) {
    const text = `The request has been throttled. Wait ${wait} seconds and try again. Operation type: ${operation}`;
    const error = hubError(429, "ThrottlingBacklogTimeout", text, sandbox.clock.now());
    error.headers["retry-after"] = String(wait);
    throw error;
  }
}

/** A payload in the meter's whole steps. */
export function methodKilobytes(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 1024 / METHOD_METER_KILOBYTES)) * METHOD_METER_KILOBYTES;
}
