/**
 * Reads a device identity from a request body. A write replaces the whole identity: what is left out
 * gets its default again. Source: learn.microsoft.com/rest/api/iothub/service/devices.
 */
import { randomBytes } from "node:crypto";
import { invalid } from "./faults";
import type { Authentication, AuthenticationType, Json } from "./records";
import { isObject } from "./twin-collection";

/** The part of an identity that callers write. */
export interface IdentityInput {
  status: "enabled" | "disabled";
  statusReason: string | null;
  authentication: Authentication;
  capabilities: { iotEdge: boolean };
  deviceScope?: string;
  parentScopes: string[];
}

const DEVICE_ID = /^[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$/;
const THUMBPRINT = /^([0-9a-f]{40}|[0-9a-f]{64})$/i;
const TYPES: AuthenticationType[] = ["sas", "selfSigned", "certificateAuthority", "none"];
const NO_KEYS = { primaryKey: null, secondaryKey: null };
const NO_THUMBPRINTS = { primaryThumbprint: null, secondaryThumbprint: null };

/** Device and module IDs have the same characters. */
export function checkDeviceId(deviceId: unknown, what = "device ID"): string {
  if (typeof deviceId !== "string" || !DEVICE_ID.test(deviceId)) {
    throw invalid(`The ${what} ${JSON.stringify(deviceId)} is not valid`);
  }
  return deviceId;
}

/** Throws `HubFault` for what the hub does not take. */
export function readIdentity(body: Json): IdentityInput {
  const { status, statusReason, deviceScope, parentScopes } = body;
  return {
    status: oneOf(status ?? "enabled", ["enabled", "disabled"], "status"),
    statusReason: optionalText(statusReason, "statusReason") ?? null,
    authentication: readAuthentication(body["authentication"]),
    capabilities: { iotEdge: readEdge(body["capabilities"]) },
    ...(optionalText(deviceScope, "deviceScope") === undefined
      ? {}
      : { deviceScope: deviceScope as string }),
    parentScopes: readScopes(parentScopes),
  };
}

/** selfSigned with these slots. */
export function selfSigned(primary: string | null, secondary: string | null): Authentication {
  return {
    type: "selfSigned",
    symmetricKey: NO_KEYS,
    x509Thumbprint: { primaryThumbprint: primary, secondaryThumbprint: secondary },
  };
}

/** sas with these keys, base64. */
export function sas(primaryKey: string, secondaryKey: string): Authentication {
  return {
    type: "sas",
    symmetricKey: { primaryKey, secondaryKey },
    x509Thumbprint: NO_THUMBPRINTS,
  };
}

export function readAuthentication(value: unknown): Authentication {
  const sent = value === undefined || value === null ? {} : object(value, "authentication");
  const slots = readThumbprints(sent["x509Thumbprint"]);
  const { primaryThumbprint: primary, secondaryThumbprint: secondary } = slots;
  const hasThumbprint = primary !== null || secondary !== null;
  const type = oneOf(
    sent["type"] ?? (hasThumbprint ? "selfSigned" : "sas"),
    TYPES,
    "authentication.type",
  );
  switch (type) {
    case "sas":
      return {
        type,
        symmetricKey: readKeys(sent["symmetricKey"]),
        x509Thumbprint: NO_THUMBPRINTS,
      };
    case "selfSigned":
      if (!hasThumbprint) {
        throw invalid("A selfSigned device needs a thumbprint");
      }
      return selfSigned(primary, secondary);
    case "certificateAuthority":
    case "none":
      return { type, symmetricKey: NO_KEYS, x509Thumbprint: NO_THUMBPRINTS };
  }
}

/** Keys that are missing or empty are made by the hub. */
function readKeys(value: unknown): Authentication["symmetricKey"] {
  const sent = value === undefined || value === null ? {} : object(value, "symmetricKey");
  return {
    primaryKey: readKey(sent["primaryKey"], "primaryKey"),
    secondaryKey: readKey(sent["secondaryKey"], "secondaryKey"),
  };
}

function readKey(value: unknown, name: string): string {
  const key = optionalText(value, name) ?? "";
  if (key === "") {
    return randomBytes(32).toString("base64");
  }
  const bytes = Buffer.from(key, "base64");
  if (bytes.toString("base64") !== key || bytes.length < 16 || bytes.length > 64) {
    throw invalid(`${name} is not base64 of 16 to 64 bytes`);
  }
  return key;
}

function readThumbprints(value: unknown): Authentication["x509Thumbprint"] {
  const sent = value === undefined || value === null ? {} : object(value, "x509Thumbprint");
  return {
    primaryThumbprint: readThumbprint(sent["primaryThumbprint"], "primaryThumbprint"),
    secondaryThumbprint: readThumbprint(sent["secondaryThumbprint"], "secondaryThumbprint"),
  };
}

function readThumbprint(value: unknown, name: string): string | null {
  const thumbprint = optionalText(value, name) ?? "";
  if (thumbprint === "") {
    return null;
  }
  if (!THUMBPRINT.test(thumbprint)) {
    throw invalid(`${name} is not a SHA-1 or SHA-256 thumbprint`);
  }
  return thumbprint.toUpperCase();
}

function readEdge(value: unknown): boolean {
  const sent = value === undefined || value === null ? {} : object(value, "capabilities");
  const edge = sent["iotEdge"] ?? false;
  if (typeof edge !== "boolean") {
    throw invalid("capabilities.iotEdge must be a boolean");
  }
  return edge;
}

function readScopes(value: unknown): string[] {
  const scopes: unknown = value ?? [];
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === "string")) {
    throw invalid("parentScopes must be an array of strings");
  }
  return scopes;
}

/** Enumerations are not case-sensitive. */
function oneOf<T extends string>(value: unknown, allowed: T[], name: string): T {
  const found =
    typeof value === "string"
      ? allowed.find((one) => one.toLowerCase() === value.toLowerCase())
      : undefined;
  if (found === undefined) {
    throw invalid(`${name} must be one of ${allowed.join(", ")}`);
  }
  return found;
}

function optionalText(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== "string") {
    throw invalid(`${name} must be a string`);
  }
  return value;
}

function object(value: unknown, name: string): Json {
  if (!isObject(value)) {
    throw invalid(`${name} must be an object`);
  }
  return value;
}
