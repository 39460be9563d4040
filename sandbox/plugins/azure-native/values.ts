/**
 * Property values on Pulumi's wire: a protobuf `Struct` in which secrets and unknown values are
 * marked by signatures (sdk/go/common/resource/plugin/rpc.go and resource/properties.go of
 * pulumi/pulumi).
 */
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const UNKNOWN_SIGNATURE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A value whose secrecy the engine asked to keep. */
export class Secret {
  constructor(readonly value: Rich) {}
}

/** A value that is not known during a preview. */
export const UNKNOWN = Symbol("unknown");

/** A property value; undefined stands for "not there". */
export type Rich =
  | string
  | number
  | boolean
  | undefined
  | typeof UNKNOWN
  | Secret
  | Rich[]
  | { [name: string]: Rich };

/** The properties of a resource, by name. */
export type Values = Record<string, Rich>;

export function isUnknown(value: Rich): value is typeof UNKNOWN {
  return value === UNKNOWN;
}

export function isRecord(value: Rich): value is Values {
  return (
    typeof value === "object" &&
    !Array.isArray(value) &&
    !(value instanceof Secret) &&
    value !== null
  );
}

/** Reads what the engine sent. Null is "not there", as the genuine plugin reads it. */
export function decode(struct: Struct | undefined): Values {
  return struct === undefined ? {} : (decodeValue(struct.toJavaScript()) as Values);
}

function decodeValue(value: unknown): Rich {
  if (value === null || value === undefined) {
    return undefined;
  }
  if (Array.isArray(value)) {
    return value.map(decodeValue);
  }
  if (typeof value === "object") {
    const record = value as Record<string, unknown>;
    const signature = record[SIGNATURE_KEY] as string | undefined;
    if (signature === SECRET_SIGNATURE) {
      return new Secret(decodeValue(record["value"]));
    }
    if (signature !== undefined) {
      throw new Error(`no property of these resources has a value of the kind ${signature}`);
    }
    return decodeRecord(record);
  }
  return value === UNKNOWN_SIGNATURE ? UNKNOWN : (value as string | number | boolean);
}

function decodeRecord(record: Record<string, unknown>): Values {
  const result: Values = {};
  for (const [name, item] of Object.entries(record)) {
    const inner = decodeValue(item);
    if (inner !== undefined) {
      result[name] = inner;
    }
  }
  return result;
}

/** Writes values for the engine. */
export function encode(values: Values): Struct {
  return Struct.fromJavaScript(encodeValue(values) as Record<string, JavaScriptValue>);
}

function encodeValue(value: Rich): JavaScriptValue {
  if (value === undefined) {
    return null;
  }
  if (isUnknown(value)) {
    return UNKNOWN_SIGNATURE;
  }
  if (value instanceof Secret) {
    return { [SIGNATURE_KEY]: SECRET_SIGNATURE, value: encodeValue(value.value) };
  }
  if (Array.isArray(value)) {
    return value.map(encodeValue);
  }
  if (typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([name, item]) => [name, encodeValue(item)]),
    );
  }
  return value;
}

/** The value without its marks of secrecy, at every depth. */
export function reveal(value: Rich): Rich {
  if (value instanceof Secret) {
    return reveal(value.value);
  }
  if (Array.isArray(value)) {
    return value.map(reveal);
  }
  if (isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, reveal(item)]));
  }
  return value;
}

export function revealAll(values: Values): Values {
  return reveal(values) as Values;
}

/** Is anything in the value not known yet? */
export function hasUnknowns(value: Rich): boolean {
  if (value instanceof Secret) {
    return hasUnknowns(value.value);
  }
  if (Array.isArray(value)) {
    return value.some(hasUnknowns);
  }
  return isRecord(value) ? Object.values(value).some(hasUnknowns) : isUnknown(value);
}
