/**
 * What a hub takes in a minute, by tier and units. Source:
 * learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling, "Operation throttles".
 */
import { displayName, listed } from "../certificates/text";
import type { HubTier } from "../clients/hub-place";

/** Of a hub of which nothing is known: the slowest that there is. */
export const ASSUMED_TIER: HubTier = { sku: "S1", units: 1 };

/** Of one unit of the tiers 1 and 2 (also free and basic), and of tier 3. */
const RATES = { identities: [100, 5000], queries: [20, 1000] } as const;

/**
 * @param kind `identities`: operations on the identity registry; a bulk call seems to count once for each
 *   identity (device-simulation-dotnet#167). `queries`: calls of a query
 */
export function aMinute(kind: keyof typeof RATES, { sku, units }: HubTier): number {
  const [most, tier3] = RATES[kind];
  return (sku.endsWith("3") ? tier3 : most) * Math.max(1, units);
}

/** "S1, 2 units" */
export function tierWords({ sku, units }: HubTier): string {
  return `${sku}, ${units} ${units === 1 ? "unit" : "units"}`;
}

/** Of hubs of which nothing is known, a sentence. */
export function assumedWords(hubs: readonly string[]): string {
  return `The tier of ${listed(hubs.map(displayName))} could not be read, and is taken for ${tierWords(ASSUMED_TIER)}.`;
}
