/** What hubs do for the DPS instances that link them. */
import type { IotHubRecord, LinkedHubOperations, Sandbox } from "../common/model";
import { HubFault } from "./faults";
import { DeviceRegistry } from "./registry";

/** not known: which rights DPS asks of the policy in a linked hub's connection string; assumed. */
const NEEDED_RIGHT = /\bRegistryWrite\b/i;

/** Errors of `assign`, `twin` and `remove` are the hub's own answers (`HttpError`). */
export function createLinkedHubOperations(sandbox: Sandbox): LinkedHubOperations {
  const hubOf = (hostName: string): IotHubRecord | undefined =>
    sandbox.hubs.list().find((hub) => hub.hostName.toLowerCase() === hostName.toLowerCase());

  const registryOf = (hostName: string): DeviceRegistry | undefined => {
    const hub = hubOf(hostName);
    return hub && new DeviceRegistry(sandbox, hub.name);
  };

  const existing = (hostName: string): DeviceRegistry => {
    const registry = registryOf(hostName);
    if (registry === undefined) {
      throw new HubFault("IotHubUnauthorizedAccess", `There is no hub ${hostName}`);
    }
    return registry;
  };

  const answering = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      throw error instanceof HubFault ? error.toHttp(sandbox.clock.now()) : error;
    }
  };

  return {
    accepts: (connectionString) => {
      const fields = parseConnectionString(connectionString);
      const policyName = fields.get("sharedaccesskeyname")?.toLowerCase();
      const key = fields.get("sharedaccesskey");
      const policy = hubOf(fields.get("hostname") ?? "")?.authorizationPolicies.find(
        ({ keyName }) => keyName.toLowerCase() === policyName,
      );
      return (
        policy !== undefined &&
        NEEDED_RIGHT.test(policy.rights) &&
        (key === policy.primaryKey || key === policy.secondaryKey)
      );
    },
    assign: (assignment, reset) =>
      answering(() => existing(assignment.hubHostName).assign(assignment, reset)),
    has: (hostName, deviceId) => registryOf(hostName)?.find(deviceId) !== undefined,
    twin: (hostName, deviceId) => {
      const record = registryOf(hostName)?.find(deviceId);
      return record && { tags: record.tags, properties: { desired: record.desired.values } };
    },
    remove: (hostName, deviceId) => answering(() => existing(hostName).delete(deviceId, undefined)),
  };
}

/** Names in lower case; a key ends with "=", so only the first one separates. */
function parseConnectionString(text: string): Map<string, string> {
  return new Map(
    text.split(";").flatMap((part) => {
      const at = part.indexOf("=");
      return at < 1 ? [] : [[part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()]];
    }),
  );
}
