/** The limits of a provisioning service. Source: MicrosoftDocs/azure-docs includes/iot-dps-limits.md, March 2024. */
import type { HttpError } from "../common/errors";
import type { Sandbox } from "../common/model";
import type { RateLimit } from "../common/throttles";
import { throttled } from "./service-errors";

export const MAX_GROUPS = { x509: 100, symmetricKey: 100 };
/** Entries in one bulk operation. */
export const MAX_BULK = 10;

/** Of the service API, in all. */
export const OPERATIONS: RateLimit = { name: "dps-operations", count: 1000, seconds: 60 };
/** Registrations and polls are throttled apart (azure-iot-sdk-c#1703, quoting the DPS team). */
export const REGISTRATIONS: RateLimit = { name: "dps-registrations", count: 1000, seconds: 60 };
/** Of each device. */
export const POLLS: RateLimit = { name: "dps-polls", count: 5, seconds: 10 };

/** Throws `HttpError` 429 with Retry-After when the owner has used up its rate. */
export function throttle(
  { throttles, clock }: Pick<Sandbox, "throttles" | "clock">,
  limit: RateLimit,
  owner: string,
  cost = 1,
): void {
  const wait = throttles.take(limit, owner, cost);
  if (wait !== undefined) {
    const error: HttpError = throttled(clock.now());
    error.headers["retry-after"] = String(wait);
    error.message += ` ${limit.name}: ${limit.count} in ${limit.seconds} s`;
    throw error;
  }
}
