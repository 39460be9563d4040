/** A hub's own CA certificates: devices below them get in without DPS. */
import { call } from "./calls";
import { iotHubs, resourceManagerAttempt } from "./credentials";
import { ServiceError } from "./service-error";
import type { Connection } from "./target";

export interface HubCaCertificate {
  name: string;
  /** SHA-1, upper-case hex. */
  thumbprint: string;
  isVerified: boolean;
  /** PEM or DER, base64, where the resource manager shows it. */
  certificate?: string;
}

/** Throws `ServiceError`, also when the hub is not in the subscription. */
export async function hubCaCertificates(
  connection: Connection,
  hostName: string,
): Promise<HubCaCertificate[]> {
  const client = iotHubs(connection);
  const attempt = resourceManagerAttempt(connection, `list the CA certificates of hub ${hostName}`);
  const place = await call(attempt, async () => {
    for await (const { id, name, properties } of client.iotHubResource.listBySubscription()) {
      if (properties?.hostName?.toLowerCase() === hostName.toLowerCase()) {
        const group = /\/resourceGroups\/([^/]+)\//i.exec(id ?? "")?.[1];
        return group !== undefined && name !== undefined ? { group, name } : undefined;
      }
    }
    return undefined;
  });
  if (place === undefined) {
    throw new ServiceError(
      `Could not ${attempt.operation}: it is not in subscription ${connection.subscriptionId}.`,
      { code: "NotFound", operation: attempt.operation, status: undefined, serviceCode: undefined },
    );
  }
  const { value } = await call(attempt, () =>
    client.certificates.listByIotHub(place.group, place.name),
  );
  return (value ?? []).map(({ name, properties }) => ({
    name: name ?? "",
    thumbprint: (properties?.thumbprint ?? "").toUpperCase(),
    isVerified: properties?.isVerified ?? false,
    ...(properties?.certificate && { certificate: properties.certificate }),
  }));
}
