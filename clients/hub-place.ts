/** Where a linked hub is in the subscription. */
import { findHub, type HubPlace } from "./credentials";
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
