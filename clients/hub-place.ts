/** Where a linked hub is in the subscription: DPS names it by its host name alone. */
import { call } from "./calls";
import { iotHubs, resourceManagerAttempt } from "./credentials";
import { ServiceError } from "./service-error";
import type { Connection } from "./target";

export interface HubPlace {
  resourceGroup: string;
  name: string;
}

/** Throws `ServiceError`, also when the hub is not in the subscription. */
export async function hubPlace(
  connection: Connection,
  hostName: string,
  operation: string,
): Promise<HubPlace> {
  const attempt = resourceManagerAttempt(connection, operation);
  const place = await call(attempt, async () => {
    for await (const hub of iotHubs(connection).iotHubResource.listBySubscription()) {
      if (hub.properties?.hostName?.toLowerCase() !== hostName.toLowerCase()) continue;
      const resourceGroup = /\/resourceGroups\/([^/]+)\//i.exec(hub.id ?? "")?.[1];
      return resourceGroup !== undefined && hub.name !== undefined
        ? { resourceGroup, name: hub.name }
        : undefined;
    }
    return undefined;
  });
  if (place !== undefined) return place;
  throw new ServiceError(
    `Could not ${operation}: it is not in subscription ${connection.subscriptionId}.`,
    { code: "NotFound", operation, status: undefined, serviceCode: undefined },
  );
}
