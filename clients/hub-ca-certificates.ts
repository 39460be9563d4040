/** A hub's own CA certificates: devices below them get in without DPS. */
import { call } from "./calls";
import { iotHubs, resourceManagerAttempt } from "./credentials";
import { hubPlace } from "./hub-place";
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
  const operation = `list the CA certificates of hub ${hostName}`;
  const { resourceGroup, name } = await hubPlace(connection, hostName, operation);
  const { value } = await call(resourceManagerAttempt(connection, operation), () =>
    iotHubs(connection).certificates.listByIotHub(resourceGroup, name),
  );
  return (value ?? []).map(({ name, properties }) => ({
    name: name ?? "",
    thumbprint: (properties?.thumbprint ?? "").toUpperCase(),
    isVerified: properties?.isVerified ?? false,
    ...(properties?.certificate && { certificate: properties.certificate }),
  }));
}
