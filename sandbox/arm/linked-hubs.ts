/** The hubs that a DPS instance may assign devices to, given as connection strings. */
import { devicesError } from "../common/errors";
import type { LinkedHub, Sandbox } from "../common/model";
import { findPolicy } from "./access-policies";
import { asObject } from "./context";
import { CODE_BAD_REQUEST, CODE_LINKED_HUB } from "./not-known";

/** Source: MicrosoftDocs/azure-docs includes/iot-dps-limits.md. */
const MOST_LINKED_HUBS = 50;
/** What ARM shows instead of a key. */
const MASK = "****";

/** What DPS needs at a hub: to write identities and to read twins. */
const NEEDED_RIGHTS = ["RegistryWrite", "ServiceConnect"];

/** "HostName=...;SharedAccessKeyName=...;SharedAccessKey=..." by lower-case name. */
export function parseConnectionString(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const part of text.split(";").filter((piece) => piece.includes("="))) {
    const at = part.indexOf("=");
    fields.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim());
  }
  return fields;
}

/** As ARM answers: the key masked. */
export function maskedHub(hub: LinkedHub): object {
  return {
    name: hub.name,
    connectionString: hub.connectionString.replace(
      /SharedAccessKey=[^;]*/i,
      `SharedAccessKey=${MASK}`,
    ),
    location: hub.location,
    ...(hub.applyAllocationPolicy === undefined
      ? {}
      : { applyAllocationPolicy: hub.applyAllocationPolicy }),
    ...(hub.allocationWeight === undefined ? {} : { allocationWeight: hub.allocationWeight }),
  };
}

/**
 * The linked hubs after a PUT. An entry whose key is masked, as GET shows it, keeps the connection
 * string that is stored; any other has to open an existing hub with enough rights.
 *
 * @param sent `properties.iotHubs` of the body; undefined or null: no linked hubs (PUT replaces)
 */
export function mergeLinkedHubs(
  sent: unknown,
  current: LinkedHub[],
  sandbox: Sandbox,
): LinkedHub[] {
  const now = sandbox.clock.now();
  if (sent === undefined || sent === null) {
    return [];
  }
  if (!Array.isArray(sent)) {
    throw devicesError(400, CODE_BAD_REQUEST, "iotHubs must be an array.", now);
  }
  const merged = sent.map((entry: unknown) => {
    const hub = asObject(entry, "A linked hub");
    const { connectionString, location, allocationWeight, applyAllocationPolicy } = hub;
    if (typeof connectionString !== "string" || connectionString === "") {
      const text = "hostName is required when connectionString is not provided.";
      throw devicesError(400, CODE_LINKED_HUB, text, now);
    }
    const name = parseConnectionString(connectionString).get("hostname");
    if (name === undefined) {
      throw devicesError(400, CODE_LINKED_HUB, "The connection string has no HostName.", now);
    }
    if (typeof hub["name"] === "string" && hub["name"].toLowerCase() !== name.toLowerCase()) {
      const text = "hostName does not match the host name of the connection string.";
      throw devicesError(400, CODE_LINKED_HUB, text, now);
    }
    const before = current.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (typeof location !== "string" || location === "") {
      throw devicesError(400, CODE_BAD_REQUEST, `The linked hub '${name}' needs a location.`, now);
    }
    return {
      name,
      connectionString: isMasked(connectionString)
        ? stored(before, name, now)
        : opening(connectionString, name, sandbox),
      location,
      ...(typeof allocationWeight === "number" ? { allocationWeight } : {}),
      ...(typeof applyAllocationPolicy === "boolean" ? { applyAllocationPolicy } : {}),
    };
  });
  if (merged.length > MOST_LINKED_HUBS) {
    const text = `A provisioning service can have at most ${MOST_LINKED_HUBS} linked hubs.`;
    throw devicesError(400, CODE_BAD_REQUEST, text, now);
  }
  const names = new Set(merged.map((hub) => hub.name.toLowerCase()));
  if (names.size !== merged.length) {
    throw devicesError(400, CODE_LINKED_HUB, "A hub can be linked only once.", now);
  }
  return merged;
}

function isMasked(connectionString: string): boolean {
  const key = parseConnectionString(connectionString).get("sharedaccesskey");
  return key !== undefined && /^\*+$/.test(key);
}

function stored(before: LinkedHub | undefined, name: string, now: Date): string {
  if (before === undefined) {
    const text = `The key of '${name}' is masked, and no such hub is linked.`;
    throw devicesError(400, CODE_LINKED_HUB, text, now);
  }
  return before.connectionString;
}

function opening(connectionString: string, name: string, sandbox: Sandbox): string {
  const now = sandbox.clock.now();
  const hub = sandbox.hubs.list().find((one) => one.hostName.toLowerCase() === name.toLowerCase());
  if (hub === undefined) {
    throw devicesError(400, CODE_LINKED_HUB, `The IoT hub '${name}' does not exist.`, now);
  }
  if (!sandbox.linkedHubs.accepts(connectionString)) {
    const text = `The IoT hub '${name}' refuses the connection string.`;
    throw devicesError(400, CODE_LINKED_HUB, text, now);
  }
  const policyName = parseConnectionString(connectionString).get("sharedaccesskeyname") ?? "";
  const rights = findPolicy(hub.authorizationPolicies, policyName)?.rights ?? "";
  const missing = NEEDED_RIGHTS.filter((right) => !rights.includes(right));
  if (missing.length > 0) {
    const text = `The access policy '${policyName}' of '${name}' lacks ${missing.join(", ")}.`;
    throw devicesError(400, CODE_LINKED_HUB, text, now);
  }
  return connectionString;
}
