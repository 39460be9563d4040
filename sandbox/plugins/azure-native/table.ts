/**
 * The resource types and functions of `@pulumi/azure-native` that the stand-in plugin knows. Another
 * one is another entry here and a run of `declared-shapes.ts` (in the tests); ARM of the sandbox has to have it too.
 */
import type { ObjectShape } from "./shapes";
import shapes from "./shapes.json";

export interface ResourceType {
  /** As the program registers it. */
  token: string;
  /** The version that the package names as its default for this type. */
  apiVersion: string;
  /** ARM path. What stands in braces, the subscription aside, is an input and identifies the resource. */
  path: string;
  /** The input that azure-native names by itself when it is left out. */
  nameInput: string;
  /** Inputs, beside those in the path, whose change replaces the resource. */
  replaceOnChange: string[];
  /** ARM does creation and update as a long-running operation. */
  longRunning: boolean;
}

/** A function that reads: the answer of one request, cut to the declared shape. */
export interface ArmFunction {
  token: string;
  apiVersion: string;
  method: "GET" | "POST";
  path: string;
  /** Its result carries `azureApiVersion`, as that of every function that gets a resource. */
  getsResource: boolean;
}

/** The shapes of everything in the table; see `declared-shapes.ts`. */
export interface ShapesFile {
  /** Version of the package that they were read from. */
  version: string;
  resources: Record<string, { inputs: ObjectShape; outputs: ObjectShape }>;
  functions: Record<string, { inputs: ObjectShape; outputs: ObjectShape }>;
}

const GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}";
const SERVICE = `${GROUP}/providers/Microsoft.Devices/provisioningServices/{provisioningServiceName}`;
const HUB = `${GROUP}/providers/Microsoft.Devices/IotHubs/{resourceName}`;
const RESOURCES_API = "2024-03-01";
const DPS_API = "2023-03-01-preview";
const HUB_API = "2023-06-30";

export const RESOURCE_TYPES: readonly ResourceType[] = [
  {
    token: "azure-native:resources:ResourceGroup",
    apiVersion: RESOURCES_API,
    path: GROUP,
    nameInput: "resourceGroupName",
    replaceOnChange: ["location"],
    longRunning: false,
  },
  {
    token: "azure-native:deviceprovisioningservices:IotDpsResource",
    apiVersion: DPS_API,
    path: SERVICE,
    nameInput: "provisioningServiceName",
    replaceOnChange: ["location"],
    longRunning: true,
  },
  {
    token: "azure-native:iothub:IotHubResource",
    apiVersion: HUB_API,
    path: HUB,
    nameInput: "resourceName",
    replaceOnChange: ["location"],
    longRunning: true,
  },
];

/** The function that asks nothing of ARM: who the provider is. */
export const CLIENT_CONFIG = "azure-native:authorization:getClientConfig";

/** `CLIENT_CONFIG` is here for its shape; its path is empty. */
export const FUNCTIONS: readonly ArmFunction[] = [
  getter("azure-native:resources:getResourceGroup", RESOURCES_API, GROUP),
  getter("azure-native:deviceprovisioningservices:getIotDpsResource", DPS_API, SERVICE),
  lister("azure-native:deviceprovisioningservices:listIotDpsResourceKeys", DPS_API, SERVICE),
  lister(
    "azure-native:deviceprovisioningservices:listIotDpsResourceKeysForKeyName",
    DPS_API,
    `${SERVICE}/keys/{keyName}`,
  ),
  getter("azure-native:iothub:getIotHubResource", HUB_API, HUB),
  lister("azure-native:iothub:listIotHubResourceKeys", HUB_API, HUB),
  lister(
    "azure-native:iothub:listIotHubResourceKeysForKeyName",
    HUB_API,
    `${HUB}/IotHubKeys/{keyName}`,
  ),
  { token: CLIENT_CONFIG, apiVersion: "", method: "GET", path: "", getsResource: false },
];

/** Shapes by token, read from the package when the table was last changed. */
export const SHAPES = shapes as ShapesFile;

function getter(token: string, apiVersion: string, path: string): ArmFunction {
  return { token, apiVersion, method: "GET", path, getsResource: true };
}

function lister(token: string, apiVersion: string, path: string): ArmFunction {
  return { token, apiVersion, method: "POST", path: `${path}/listkeys`, getsResource: false };
}

/** Names in braces of a path, the subscription aside. */
export function pathInputs(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)]
    .map((match) => match[1] ?? "")
    .filter((name) => name !== "subscriptionId");
}

/** An ARM path with its values. Throws when one is missing. */
export function fillPath(path: string, values: Record<string, unknown>): string {
  return path.replace(/\{(\w+)\}/g, (_match, name: string) => {
    const value = values[name];
    if (typeof value !== "string" || value === "") {
      throw new Error(`missing required property '${name}'`);
    }
    return encodeURIComponent(value);
  });
}

/** The values in an ARM ID, by the names in braces; ARM's IDs are case-insensitive. */
export function parsePath(path: string, id: string): Record<string, string> {
  const names: string[] = [];
  const pattern = path.replace(/\{(\w+)\}/g, (_match, name: string) => {
    names.push(name);
    return "([^/]+)";
  });
  const match = new RegExp(`^${pattern}$`, "i").exec(id);
  if (match === null) {
    throw new Error(`'${id}' is not an ID of the form ${path}`);
  }
  return Object.fromEntries(
    names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? "")]),
  );
}

/** The entry of a resource type. Throws for one that the sandbox does not have. */
export function resourceType(token: string): ResourceType {
  return entryOf(RESOURCE_TYPES, token, "resource type");
}

/** The entry of a function. Throws for one that the sandbox does not have. */
export function armFunction(token: string): ArmFunction {
  return entryOf(FUNCTIONS, token, "function");
}

function entryOf<T extends { token: string }>(table: readonly T[], token: string, kind: string): T {
  const found = table.find((entry) => entry.token === token);
  if (found === undefined) {
    const known = table.map((entry) => entry.token.slice("azure-native:".length)).join(", ");
    throw new Error(
      `the sandbox's stand-in for the azure-native plugin does not know the ${kind} '${token}'; it knows ${known}`,
    );
  }
  return found;
}

/** The declared shapes of a resource type. */
export function resourceShapes(token: string): { inputs: ObjectShape; outputs: ObjectShape } {
  return shapesIn(SHAPES.resources, token);
}

/** The declared shapes of a function. */
export function functionShapes(token: string): { inputs: ObjectShape; outputs: ObjectShape } {
  return shapesIn(SHAPES.functions, token);
}

function shapesIn<T>(shapesByToken: Record<string, T>, token: string): T {
  const found = shapesByToken[token];
  if (found === undefined) {
    throw new Error(`shapes.json lacks '${token}': run declared-shapes.ts`);
  }
  return found;
}
