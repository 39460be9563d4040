/** Reads JSON bodies strictly: what has the wrong type is a 400 with its path, never a default. */

/** A body that DPS answers with 400. */
export class BodyError extends Error {}

export type Json = Record<string, unknown>;

/** The body or property `path` as an object. */
export function object(value: unknown, path: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BodyError(`${path} must be an object.`);
  }
  return value as Json;
}

/** Is the property there, and not null? */
export function present(body: Json, name: string): boolean {
  return body[name] !== undefined && body[name] !== null;
}

/** Undefined when the property is absent or null. */
export function optional<T>(
  body: Json,
  name: string,
  path: string,
  read: (value: unknown, path: string) => T,
): T | undefined {
  return present(body, name) ? read(body[name], join(path, name)) : undefined;
}

export function required<T>(
  body: Json,
  name: string,
  path: string,
  read: (value: unknown, path: string) => T,
): T {
  const value = optional(body, name, path, read);
  if (value === undefined) {
    throw new BodyError(`${join(path, name)} is required.`);
  }
  return value;
}

export function text(value: unknown, path: string): string {
  if (typeof value !== "string" || value === "") {
    throw new BodyError(`${path} must be a string that is not empty.`);
  }
  return value;
}

export function flag(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") {
    throw new BodyError(`${path} must be true or false.`);
  }
  return value;
}

export function list<T>(read: (value: unknown, path: string) => T) {
  return (value: unknown, path: string): T[] => {
    if (!Array.isArray(value)) {
      throw new BodyError(`${path} must be an array.`);
    }
    return value.map((item, at) => read(item, `${path}[${at}]`));
  };
}

/** One of these words; DPS does not mind their case (not known, assumed). */
export function oneOf<T extends string>(...words: T[]) {
  return (value: unknown, path: string): T => {
    const found =
      typeof value === "string"
        ? words.find((word) => word.toLowerCase() === value.toLowerCase())
        : undefined;
    if (found === undefined) {
      throw new BodyError(`${path} must be one of ${words.join(", ")}.`);
    }
    return found;
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the properties that are undefined. */
export function defined<T extends object>(properties: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(properties).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
