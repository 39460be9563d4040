/**
 * Tags, desired and reported properties: how a patch is merged, and what is allowed in them.
 * Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-device-twins.
 */
import { invalid } from "./faults";
import { hubDate, type Json, type TwinCollection } from "./records";

const MAX_DEPTH = 10;
export const TAGS_BYTES = 8 * 1024;
export const PROPERTIES_BYTES = 32 * 1024;

/** `$metadata` and `$version` may be sent back with a document that was read; they are not stored. */
const COMPUTED = ["$metadata", "$version"];

export function emptyCollection(now: Date): TwinCollection {
  return { values: {}, metadata: { $lastUpdated: hubDate(now) }, version: 1 };
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The part without what the hub computes. Throws `HubFault` when it is not allowed. */
export function readPart(value: unknown, name: string): Json {
  if (!isObject(value)) {
    throw invalid(`${name} must be an object`);
  }
  const own = Object.fromEntries(Object.entries(value).filter(([key]) => !COMPUTED.includes(key)));
  checkKeys(own, name, 1);
  return own;
}

function checkKeys(value: unknown, path: string, depth: number): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => checkKeys(item, `${path}[${index}]`, depth + 1));
  } else if (isObject(value)) {
    if (depth > MAX_DEPTH) {
      throw invalid(`${path} is deeper than ${MAX_DEPTH} levels`);
    }
    for (const [key, child] of Object.entries(value)) {
      // Control characters (C0, C1), ".", "$" and space.
      // eslint-disable-next-line no-control-regex
      if (key === "" || /[\u0000-\u001f\u007f-\u009f.$ ]/.test(key)) {
        throw invalid(`${path} has a name that is not allowed: "${key}"`);
      }
      checkKeys(child, `${path}.${key}`, depth + 1);
    }
  }
}

/** A merge patch: null removes, objects are merged, everything else is put in place. */
export function merged(values: Json, patch: Json, name: string, maxBytes: number): Json {
  const result = mergeInto(values, patch);
  if (Buffer.byteLength(JSON.stringify(result)) > maxBytes) {
    throw invalid(`${name} is larger than ${maxBytes} bytes`);
  }
  return result;
}

function mergeInto(values: Json, patch: Json): Json {
  const result = { ...values };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      delete result[key];
    } else if (isObject(value)) {
      const before = result[key];
      result[key] = mergeInto(isObject(before) ? before : {}, value);
    } else {
      result[key] = value;
    }
  }
  return result;
}

/**
 * The collection after a patch; its version counts up.
 *
 * @param versioned note the version at each changed property: desired properties do, reported not
 */
export function patched(
  collection: TwinCollection,
  patch: Json,
  options: { name: string; now: Date; versioned: boolean },
): TwinCollection {
  const version = collection.version + 1;
  const stamp: Json = {
    $lastUpdated: hubDate(options.now),
    ...(options.versioned ? { $lastUpdatedVersion: version } : {}),
  };
  return {
    values: merged(collection.values, patch, options.name, PROPERTIES_BYTES),
    metadata: stamped(collection.metadata, patch, stamp),
    version,
  };
}

function stamped(metadata: Json, patch: Json, stamp: Json): Json {
  const result = { ...metadata, ...stamp };
  for (const [key, value] of Object.entries(patch)) {
    const before = metadata[key];
    if (value === null) {
      delete result[key];
    } else if (isObject(value)) {
      result[key] = stamped(isObject(before) ? before : {}, value, stamp);
    } else {
      result[key] = { ...stamp };
    }
  }
  return result;
}

/** The merge patch that makes `after` out of `before`. */
export function difference(before: Json, after: Json): Json {
  const patch: Json = {};
  for (const key of Object.keys(before)) {
    if (!(key in after)) {
      patch[key] = null;
    }
  }
  for (const [key, value] of Object.entries(after)) {
    const old = before[key];
    if (isObject(value) && isObject(old)) {
      const inner = difference(old, value);
      if (Object.keys(inner).length > 0) {
        patch[key] = inner;
      }
    } else if (JSON.stringify(value) !== JSON.stringify(old)) {
      patch[key] = value;
    }
  }
  return patch;
}
