/** Who the clients are: Microsoft Entra ID, or shared access keys that are listed at run time. */
import type { TokenCredential } from "@azure/identity";
import { faultError } from "../certificates/faults";
import { call, type Pacing } from "./calls";
import { sdks } from "./sdks";
import type { Attempt } from "./service-error";
import { type Connection, type Environment, perConnection } from "./target";

const AZURE_RESOURCE_MANAGER = "https://management.azure.com";
/** `call` does the waiting, so that there is one policy for all services. */
const NO_RETRIES = { retryOptions: { maxRetries: 0 } };

/**
 * The Entra credential of a connection: for Azure whatever `DefaultAzureCredential` finds
 * (environment, workload identity, managed identity, `az login`), for the sandbox its own client.
 */
export const credentialOf = perConnection<TokenCredential>((_connection, { sandbox }) => {
  const { ClientSecretCredential, DefaultAzureCredential } = sdks.identity();
  if (sandbox === undefined) {
    return new DefaultAzureCredential();
  }
  const { tenantId, clientId, clientSecret, authorityHost } = sandbox.arm;
  return new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost,
    // Else the token service's address would be asked of login.microsoftonline.com.
    disableInstanceDiscovery: true,
  });
});

/** The resource manager's API for DPS instances and their CA certificates. */
export const provisioningServices = perConnection((connection, environment) => {
  const { IotDpsClient } = sdks.deviceProvisioning();
  return new IotDpsClient(credentialOf(connection), connection.subscriptionId, {
    endpoint: resourceManagerOf(environment),
    ...NO_RETRIES,
  });
});

/** The resource manager's API for IoT hubs. */
export const iotHubs = perConnection((connection, environment) => {
  const { IotHubClient } = sdks.iotHub();
  return new IotHubClient(credentialOf(connection), connection.subscriptionId, {
    endpoint: resourceManagerOf(environment),
    ...NO_RETRIES,
  });
});

function resourceManagerOf({ sandbox }: Environment): string {
  return sandbox?.arm.endpoint ?? AZURE_RESOURCE_MANAGER;
}

/** Describes a call to the resource manager, for `call`. */
export function resourceManagerAttempt(connection: Connection, operation: string): Attempt {
  return { operation, service: "arm", host: "the resource manager", connection };
}

/**
 * Connection string of the DPS instance's service API, with a key that may write enrollments.
 * Listed anew each time; a secret, so keep it in memory only.
 */
export async function provisioningServiceKey(
  connection: Connection,
  pacing?: Pacing,
): Promise<string> {
  const { service, resourceGroup, serviceHostName } = connection;
  const operation = `list the keys of DPS "${service}"`;
  const policies = await call(
    resourceManagerAttempt(connection, operation),
    () => all(provisioningServices(connection).iotDpsResource.listKeys(service, resourceGroup)),
    pacing,
  );
  const rights = ["ServiceConfig", "EnrollmentWrite"];
  return connectionString(serviceHostName, policies, rights, `DPS "${service}"`);
}

export interface HubPlace {
  resourceGroup: string;
  name: string;
}

/**
 * Where a linked hub is: DPS names it by its host name alone, and it may be in another resource group.
 * Undefined: not in the subscription. Throws `ServiceError`.
 */
export async function findHub(
  connection: Connection,
  hostName: string,
  operation: string,
  pacing?: Pacing,
): Promise<HubPlace | undefined> {
  const lookFor = async (): Promise<HubPlace | undefined> => {
    for await (const hub of iotHubs(connection).iotHubResource.listBySubscription()) {
      if (hub.properties?.hostName?.toLowerCase() !== hostName.toLowerCase()) continue;
      const resourceGroup = /\/resourceGroups\/([^/]+)\//i.exec(hub.id ?? "")?.[1];
      return resourceGroup !== undefined && hub.name !== undefined
        ? { resourceGroup, name: hub.name }
        : undefined;
    }
    return undefined;
  };
  return call(resourceManagerAttempt(connection, operation), lookFor, pacing);
}

/**
 * Connection string of a hub's service API, with a key that may write identities and twins. The hub
 * is looked for by host name in the whole subscription: a linked hub may be in another group.
 */
export async function hubKey(
  connection: Connection,
  hostName: string,
  pacing?: Pacing,
): Promise<string> {
  const operation = `look for hub ${hostName} in the subscription`;
  const hub = await findHub(connection, hostName, operation, pacing);
  if (hub === undefined) {
    throw faultError(
      "DPS-CERT-181",
      "auth",
      `keys, and hub ${hostName} is not in subscription ${connection.subscriptionId}, so its keys cannot be listed`,
      "use `auth: entra`",
    );
  }
  const { resourceGroup, name } = hub;
  const policies = await call(
    resourceManagerAttempt(connection, `list the keys of hub "${name}"`),
    () => all(iotHubs(connection).iotHubResource.listKeys(resourceGroup, name)),
    pacing,
  );
  return connectionString(hostName, policies, ["RegistryWrite", "ServiceConnect"], `hub "${name}"`);
}

interface Policy {
  keyName: string;
  primaryKey?: string;
  rights: string;
}

function connectionString(
  hostName: string,
  policies: Policy[],
  rights: string[],
  owner: string,
): string {
  const found = policies.find(
    (policy) =>
      policy.primaryKey !== undefined &&
      rights.every((right) => policy.rights.split(/,\s*/).includes(right)),
  );
  if (found?.primaryKey === undefined) {
    throw faultError(
      "DPS-CERT-181",
      "auth",
      `keys, and no access policy of ${owner} has ${rights.join(" and ")}`,
      "add one, or use `auth: entra`",
    );
  }
  return `HostName=${hostName};SharedAccessKeyName=${found.keyName};SharedAccessKey=${found.primaryKey}`;
}

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of pages) {
    items.push(item);
  }
  return items;
}
