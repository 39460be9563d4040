/** Where a linked hub is in the subscription. */
import { call } from "./calls";
import { findHub, type HubPlace, iotHubs, resourceManagerAttempt } from "./credentials";
import { ServiceError } from "./service-error";
import type { Connection } from "./target";

/** Throws `ServiceError`, also when the hub is not in the subscription. */
export async function hubPlace(
  connection: Connection,
  hostName: string,
  operation: string,
): Promise<HubPlace> {
  const place = await findHub(connection, hostName, operation);
  if (place !== undefined) return place;
  throw new ServiceError(
    `Could not ${operation}: it is not in subscription ${connection.subscriptionId}.`,
    { code: "NotFound", operation, status: undefined, serviceCode: undefined },
  );
}

/** What a hub's rates depend on. */
export interface HubTier {
  /** `S1` */
  sku: string;
  units: number;
}

/**
 * Tiers of the hubs that the identity may see in the subscription, by host name in lower case.
 * @throws ServiceError
 */
export async function hubTiers(connection: Connection): Promise<Map<string, HubTier>> {
  const list = async (): Promise<Map<string, HubTier>> => {
    const tiers = new Map<string, HubTier>();
    for await (const { properties, sku } of iotHubs(
      connection,
    ).iotHubResource.listBySubscription()) {
      const host = properties?.hostName?.toLowerCase();
      if (host !== undefined) tiers.set(host, { sku: sku.name, units: sku.capacity ?? 1 });
    }
    return tiers;
  };
  return call(resourceManagerAttempt(connection, "list the IoT hubs of the subscription"), list);
}
