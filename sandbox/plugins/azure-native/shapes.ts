/**
 * The shapes of values that a resource type or function takes and returns, as the type declarations
 * of `@pulumi/azure-native` say them. The genuine plugin keeps to its schema in the same way: what
 * the schema does not name goes neither into a request nor out of an answer.
 */
import { isRecord, isUnknown, reveal, type Rich, Secret, UNKNOWN, type Values } from "./values";

export type Shape =
  | { type: "string" | "number" | "boolean" | "any" }
  | { type: "array"; items: Shape }
  | { type: "map"; items: Shape }
  | ObjectShape;

export interface ObjectShape {
  type: "object";
  properties: Record<string, Shape>;
  required: string[];
}

/** A fault of an input, in the words of azure-native. */
export interface Fault {
  reason: string;
}

/**
 * Arrays of strings in the SDK, maps of empty objects in ARM: a user-assigned identity is a key of
 * the map, and what ARM answers under it is output.
 */
const STRING_SETS = new Set(["userAssignedIdentities"]);

/**
 * Compares inputs with their shape, unknown values aside: what is required and missing, and what has
 * another type. Names that the shape does not have are no fault, as in azure-native.
 */
export function faultsOf(value: Rich, shape: Shape, path: string): Fault[] {
  const plain = value instanceof Secret ? value.value : value;
  if (isUnknown(plain) || shape.type === "any") {
    return [];
  }
  if (Array.isArray(plain)) {
    return shape.type === "array"
      ? plain.flatMap((item, index) => faultsOf(item, shape.items, `${path}[${index}]`))
      : [{ reason: `'${path}' should be of type '${shape.type}' but got an array` }];
  }
  if (isRecord(plain)) {
    if (shape.type === "map") {
      return Object.entries(plain).flatMap(([key, item]) =>
        faultsOf(item, shape.items, `${path}.${key}`),
      );
    }
    return shape.type === "object"
      ? objectFaults(plain, shape, path)
      : [{ reason: `'${path}' should be of type '${shape.type}' but got an object` }];
  }
  if (typeof plain !== shape.type) {
    return [{ reason: `'${path}' should be of type '${shape.type}' but got a ${typeof plain}` }];
  }
  return [];
}

function objectFaults(value: Values, shape: ObjectShape, path: string): Fault[] {
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const missing = shape.required
    .filter((name) => value[name] === undefined)
    .map((name) => ({ reason: missingReason(at(name)) }));
  const faulty = Object.entries(shape.properties).flatMap(([name, property]) =>
    value[name] === undefined ? [] : faultsOf(value[name], property, at(name)),
  );
  return [...missing, ...faulty];
}

/** How azure-native says that a required input is missing. */
export function missingReason(path: string): string {
  const hint =
    path === "location"
      ? ". Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'."
      : "";
  return `missing required property '${path}'${hint}`;
}

/** The part of an ARM answer that the shape names; null and absent are the same. */
export function outputsOf(answer: unknown, shape: Shape): Rich {
  if (answer === null || answer === undefined) {
    return undefined;
  }
  if (shape.type === "array" && Array.isArray(answer)) {
    return answer.map((item) => outputsOf(item, shape.items));
  }
  if (typeof answer === "object" && !Array.isArray(answer)) {
    return projected(answer as Record<string, unknown>, shape);
  }
  return answer as Rich;
}

function projected(answer: Record<string, unknown>, shape: Shape): Rich {
  if (shape.type === "object" || shape.type === "map") {
    const result: Values = {};
    for (const [name, item] of Object.entries(answer)) {
      const inner = shape.type === "map" ? shape.items : shape.properties[name];
      const value = inner === undefined ? undefined : outputsOf(item, inner);
      if (value !== undefined) {
        result[name] = value;
      }
    }
    return result;
  }
  return answer as Rich;
}

/** What inputs would say what these outputs say: outputs cut down to the shape of the inputs. */
export function inputsOf(outputs: Values, shape: ObjectShape): Values {
  return (cutToInputs(outputs, shape, "") ?? {}) as Values;
}

function cutToInputs(value: Rich, shape: Shape, name: string): Rich {
  if (STRING_SETS.has(name) && isRecord(value)) {
    return Object.keys(value);
  }
  if (shape.type === "array" && Array.isArray(value)) {
    return value.map((item) => cutToInputs(item, shape.items, ""));
  }
  if (isRecord(value) && (shape.type === "object" || shape.type === "map")) {
    const result: Values = {};
    for (const [key, item] of Object.entries(value)) {
      const inner = shape.type === "map" ? shape.items : shape.properties[key];
      if (inner !== undefined && item !== undefined) {
        result[key] = cutToInputs(item, inner, key);
      }
    }
    return result;
  }
  return value;
}

/** The body of a PUT: inputs cut down to the shape, string sets as maps. Unknown values must not be there. */
export function bodyOf(value: Rich, shape: Shape, name = ""): unknown {
  if (isUnknown(value)) {
    throw new Error(`the value of '${name}' is unknown`);
  }
  const plain = reveal(value);
  if (STRING_SETS.has(name) && Array.isArray(plain)) {
    return Object.fromEntries(plain.map((item) => [item as string, {}]));
  }
  if (shape.type === "array" && Array.isArray(plain)) {
    return plain.map((item) => bodyOf(item, shape.items, name));
  }
  if (isRecord(plain) && (shape.type === "object" || shape.type === "map")) {
    const result: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(plain)) {
      const inner = shape.type === "map" ? shape.items : shape.properties[key];
      if (inner !== undefined && item !== undefined) {
        result[key] = bodyOf(item, inner, key);
      }
    }
    return result;
  }
  return plain;
}

/**
 * The outputs that a preview can know: inputs as they are, and unknown for what only the service
 * knows. Connection strings are masked, because that is how ARM will answer them.
 */
export function previewOf(inputs: Rich, shape: Shape, name = ""): Rich {
  if (inputs === undefined || isUnknown(inputs)) {
    return UNKNOWN;
  }
  if (inputs instanceof Secret) {
    const masked = previewOf(inputs.value, shape, name);
    return typeof inputs.value === "string" && masked !== inputs.value ? masked : wrap(masked);
  }
  if (shape.type === "array" && Array.isArray(inputs)) {
    return inputs.map((item) => previewOf(item, shape.items, name));
  }
  if (isRecord(inputs) && shape.type === "object") {
    const result: Values = {};
    for (const [key, inner] of Object.entries(shape.properties)) {
      result[key] = previewOf(inputs[key], inner, key);
    }
    return result;
  }
  if (STRING_SETS.has(name)) {
    return UNKNOWN;
  }
  return name === "connectionString" && typeof inputs === "string" ? maskKey(inputs) : inputs;
}

function wrap(value: Rich): Rich {
  return isUnknown(value) || value === undefined ? UNKNOWN : new Secret(value);
}

/** As ARM shows a connection string; see the property `iotHubs` of a provisioning service. */
function maskKey(connectionString: string): string {
  return connectionString.replace(/(SharedAccessKey=)[^;]*/i, "$1****");
}
