/** Which DPS a command works on, when no stack says so. */
import { call } from "./calls";
import { provisioningServices, resourceManagerAttempt } from "./credentials";
import { type Connection, SANDBOX_ENDPOINTS, sandboxServices } from "./target";

export interface Wanted {
  auth: Connection["auth"];
  /** Name of the DPS instance. */
  service?: string;
  /** Host name of its service API; default: that of the name in public Azure. */
  host?: string;
  /** Default: it is looked up in the subscription. */
  resourceGroup?: string;
  /** Default: ARM_SUBSCRIPTION_ID, or AZURE_SUBSCRIPTION_ID. */
  subscription?: string;
}

const DOMAIN = ".azure-devices-provisioning.net";

/** What is asked for does not name one DPS. */
export class WhichServiceError extends Error {
  override readonly name = "WhichServiceError";
}

/**
 * The DPS that is meant: in a shell that is attached to a sandbox one of the sandbox, otherwise one in
 * Azure, which has to be named. Its resource group is empty when it is not known: then only the service
 * API can be asked. Throws `WhichServiceError`.
 */
export function serviceWanted(wanted: Wanted, env: NodeJS.ProcessEnv = process.env): Connection {
  if (env[SANDBOX_ENDPOINTS]) {
    return inSandbox(wanted, env);
  }
  const host = wanted.host ?? (wanted.service && `${wanted.service}${DOMAIN}`);
  if (!host) {
    throw new WhichServiceError(
      'No DPS is named: give --service NAME (or --host HOST) for one in Azure; for the sandbox attach this shell: eval "$(npm run -s sandbox -- env)".',
    );
  }
  return {
    target: "azure",
    auth: wanted.auth,
    subscriptionId:
      wanted.subscription ?? env["ARM_SUBSCRIPTION_ID"] ?? env["AZURE_SUBSCRIPTION_ID"] ?? "",
    resourceGroup: wanted.resourceGroup ?? "",
    service: wanted.service ?? host.split(".")[0] ?? host,
    serviceHostName: host,
  };
}

function inSandbox(wanted: Wanted, env: NodeJS.ProcessEnv): Connection {
  const { subscriptionId, services } = sandboxServices(env);
  const matching = services.filter(
    ({ name, serviceHostName }) =>
      (wanted.service === undefined || wanted.service.toLowerCase() === name.toLowerCase()) &&
      (wanted.host === undefined || wanted.host.toLowerCase() === serviceHostName.toLowerCase()),
  );
  const [one] = matching;
  if (one === undefined || matching.length > 1) {
    const names = services.map(({ name }) => `"${name}"`).join(", ");
    throw new WhichServiceError(
      `The sandbox has ${services.length === 0 ? "no DPS yet" : `the DPS ${names}`}: ` +
        "name one with --service NAME.",
    );
  }
  return {
    target: "sandbox",
    auth: wanted.auth,
    subscriptionId,
    resourceGroup: one.resourceGroup,
    service: one.name,
    serviceHostName: one.serviceHostName,
  };
}

/** The connection with the service's resource group looked up, when it is not known. Throws `ServiceError`. */
export async function withResourceGroup(connection: Connection): Promise<Connection> {
  if (connection.resourceGroup !== "" || connection.subscriptionId === "") {
    return connection;
  }
  const { serviceHostName, service, subscriptionId } = connection;
  const attempt = resourceManagerAttempt(
    connection,
    `look for DPS "${service}" in subscription ${subscriptionId}`,
  );
  const found = await call(attempt, async () => {
    for await (const one of provisioningServices(connection).iotDpsResource.listBySubscription()) {
      if (
        one.properties.serviceOperationsHostName?.toLowerCase() === serviceHostName.toLowerCase()
      ) {
        return one;
      }
    }
    return undefined;
  });
  const resourceGroup = /\/resourceGroups\/([^/]+)\//i.exec(found?.id ?? "")?.[1] ?? "";
  return { ...connection, resourceGroup, ...(found?.name && { service: found.name }) };
}
