/** Microsoft's clients for a hub's service API, one for each connection and hub. */
import type { TokenCredential } from "@azure/identity";
import { credentialOf, hubKey } from "./credentials";
import { sdks } from "./sdks";
import type { Attempt, ServiceKind } from "./service-error";
import { type Connection, perConnection } from "./target";

/** How each of the SDK's classes is made. */
interface Maker<T> {
  fromConnectionString(text: string): T;
  fromTokenCredential(hostName: string, credential: TokenCredential): T;
}

/** The clients' extra argument is the hub's host name, as DPS names a linked hub; no port. */
function perHub<T>(maker: () => Maker<T>) {
  return perConnection(async (connection, _environment, hubHostName) =>
    connection.auth === "keys"
      ? maker().fromConnectionString(await hubKey(connection, hubHostName))
      : maker().fromTokenCredential(hubHostName, credentialOf(connection)),
  );
}

/** Identities, twins, queries. */
export const registries = perHub(() => sdks.hub().Registry);
export const jobClients = perHub(() => sdks.hub().JobClient);
/** Direct methods. */
export const methodClients = perHub(() => sdks.hub().Client);

/** Describes a call to a hub, for `call`. */
export function hubAttempt(
  connection: Connection,
  hubHostName: string,
  operation: string,
  service: ServiceKind = "hub",
): Attempt {
  return { operation: `${operation} of ${hubHostName}`, service, host: hubHostName, connection };
}
