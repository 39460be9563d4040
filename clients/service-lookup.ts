/** Which DPS a command works on, when no stack says so. */
import { call, find } from "./calls";
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

/** What is known of a stack's DPS before anything of Azure is. Plain JSON. */
export interface StackService extends Pick<Connection, "target" | "auth" | "resourceGroup"> {
  /** Absent for the sandbox, whose endpoints say it: who declares it would wait for a plugin's answer. */
  subscriptionId?: string;
  /** Absent: made up. */
  name?: string;
  /** Of names that are made up: eight letters or digits follow. */
  prefix: string;
}

/**
 * The connection to the stack's DPS. Throws `WhichServiceError` when there is none, or more than one that
 * might be it, and `ServiceError`.
 */
export async function stackService(
  wanted: StackService,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Connection> {
  const { target, auth, resourceGroup, name, prefix } = wanted;
  const sandbox = target === "sandbox" ? attached(env) : undefined;
  const subscriptionId = wanted.subscriptionId ?? sandbox?.subscriptionId ?? "";
  const found =
    sandbox?.services.filter(
      (one) => one.resourceGroup.toLowerCase() === resourceGroup.toLowerCase(),
    ) ??
    (await servicesIn({
      ...{ target, auth, subscriptionId, resourceGroup },
      ...{ service: name ?? "", serviceHostName: "" },
    }));
  const isIt = (one: string): boolean =>
    name === undefined
      ? one.startsWith(prefix) && /^[a-z0-9]{8}$/.test(one.slice(prefix.length))
      : one.toLowerCase() === name.toLowerCase();
  const [one, ...more] = found.filter((each) => isIt(each.name));
  if (one === undefined || more.length > 0) {
    const which = name === undefined ? `${prefix}…` : `"${name}"`;
    throw new WhichServiceError(
      `there is ${one === undefined ? "no" : "more than one"} DPS ${which} in resource group "${resourceGroup}"`,
    );
  }
  const { name: service, serviceHostName } = one;
  return { target, auth, subscriptionId, resourceGroup, service, serviceHostName };
}

function attached(env: NodeJS.ProcessEnv): ReturnType<typeof sandboxServices> {
  try {
    return sandboxServices(env);
  } catch (error) {
    throw new WhichServiceError((error as Error).message);
  }
}

/** Of one resource group; none when there is no such group. */
async function servicesIn(
  connection: Connection,
): Promise<{ name: string; serviceHostName: string }[]> {
  const { resourceGroup } = connection;
  const operation = `list the DPS instances of resource group "${resourceGroup}"`;
  const found = await find(resourceManagerAttempt(connection, operation), async () => {
    const all = [];
    const { iotDpsResource } = provisioningServices(connection);
    for await (const one of iotDpsResource.listByResourceGroup(resourceGroup)) all.push(one);
    return all;
  });
  return (found ?? []).map(({ name = "", properties }) => ({
    name,
    serviceHostName: properties.serviceOperationsHostName ?? "",
  }));
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
