/** The schema's answers turned into faults that name the place, what was found and what to write. */
import Ajv, { type ErrorObject } from "ajv";
import { fault, type Fault } from "../certificates/faults";
import { displayName, listed, nearest, pathOf } from "../certificates/text";
import schema from "./schema.json";

const validate = new Ajv({
  allErrors: true,
  verbose: true,
  useDefaults: true,
  allowUnionTypes: true,
}).compile(schema);

/** Faults in the order of the schema; fills defaults into `value`, in place. */
export function schemaFaults(value: unknown): Fault[] {
  if (validate(value)) return [];
  const errors = validate.errors ?? [];
  return errors.filter((error) => !isEcho(error, errors)).map(toFault);
}

/* One mistake is said once: the wrong count of properties follows from a misspelt or missing one,
   and a wrong name is reported by its `propertyNames`. */
function isEcho(error: ErrorObject, all: readonly ErrorObject[]): boolean {
  if (error.propertyName !== undefined) return true;
  if (error.keyword !== "minProperties" && error.keyword !== "maxProperties") return false;
  return all.some(
    (other) =>
      other.instancePath === error.instancePath &&
      (other.keyword === "additionalProperties" || other.keyword === "required"),
  );
}

function toFault(error: ErrorObject): Fault {
  const place = segments(error);
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case "additionalProperties": {
      const name = String(params["additionalProperty"]);
      return unknownProperty(pathOf(...place, name), name, allowedNames(error));
    }
    case "required": {
      const name = String(params["missingProperty"]);
      return fault(
        "DPS-CERT-021",
        pathOf(...place, name),
        "nothing",
        meaning(properties(error)[name]),
      );
    }
    case "propertyNames": {
      const name = String(params["propertyName"]);
      return fault(
        "DPS-CERT-023",
        pathOf(...place, name),
        `the name ${displayName(name)}`,
        idRule(error),
      );
    }
    case "enum":
      return choose(place, error, params["allowedValues"] as unknown[]);
    case "minProperties":
    case "maxProperties":
      return count(place, error, Number(params["limit"]));
    default:
      return fault(codeOf(error), pathOr(place), shown(error.data), meaning(parent(error)));
  }
}

function codeOf(error: ErrorObject): "DPS-CERT-022" | "DPS-CERT-023" {
  const isName =
    error.schemaPath.includes("definitions/name/") || error.schemaPath.includes("definitions/id/");
  return isName && error.keyword === "pattern" ? "DPS-CERT-023" : "DPS-CERT-022";
}

function unknownProperty(path: string, name: string, allowed: string[]): Fault {
  const near = nearest(name, allowed);
  return fault(
    "DPS-CERT-020",
    path,
    `the unknown property ${displayName(name)}`,
    `${near === undefined ? "" : `did you mean ${near}? `}Allowed: ${listed(allowed)}`,
  );
}

function choose(place: (string | number)[], error: ErrorObject, allowed: unknown[]): Fault {
  const names = allowed.map(String);
  const near = typeof error.data === "string" ? nearest(error.data, names) : undefined;
  return fault(
    "DPS-CERT-022",
    pathOr(place),
    shown(error.data),
    `${near === undefined ? "" : `did you mean ${near}? `}Allowed: ${listed(names)}`,
  );
}

function count(place: (string | number)[], error: ErrorObject, limit: number): Fault {
  const names = allowedNames(error);
  const found = Object.keys(error.data as object);
  if (names.length === 0) {
    const fix = `declare at most ${limit}`;
    return fault("DPS-CERT-022", pathOr(place), `${found.length} entries`, fix);
  }
  const choice = names.filter((name) => !requiredNames(error).includes(name));
  const chosen = found.filter((name) => choice.includes(name));
  return fault(
    "DPS-CERT-022",
    pathOr(place),
    chosen.length === 0 ? `none of ${listed(choice)}` : `${listed(chosen)} together`,
    `give exactly one of ${listed(choice)}`,
  );
}

interface SchemaNode {
  description?: string;
  $ref?: string;
  properties?: Record<string, SchemaNode>;
  propertyNames?: SchemaNode;
  required?: string[];
}

function parent(error: ErrorObject): SchemaNode | undefined {
  return error.parentSchema as SchemaNode | undefined;
}

function properties(error: ErrorObject): Record<string, SchemaNode> {
  return parent(error)?.properties ?? {};
}

function allowedNames(error: ErrorObject): string[] {
  return Object.keys(properties(error));
}

function requiredNames(error: ErrorObject): string[] {
  return parent(error)?.required ?? [];
}

function idRule(error: ErrorObject): string {
  return meaning(parent(error)?.propertyNames);
}

/** What belongs there, in the schema's own words. */
function meaning(node: SchemaNode | undefined): string {
  const name = node?.$ref?.split("/").at(-1) ?? "";
  const definitions: Record<string, SchemaNode> = schema.definitions;
  const words = node?.description ?? definitions[name]?.description;
  return words === undefined
    ? "see configuration/schema.json"
    : `give: ${words.replace(/\.$/, "")}`;
}

/** A value as it may be shown: what is long, or may be PEM, is not repeated. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "an object";
  if (typeof value !== "string") return `the ${typeof value} ${JSON.stringify(value)}`;
  if (value.length > 80 || /-----|[\r\n]/.test(value)) {
    return `text of ${value.length} characters (not shown)`;
  }
  return value === "" ? "empty text" : `the text ${displayName(value)}`;
}

/* A segment is an index when what it is looked up in is a list. */
function segments(error: ErrorObject): (string | number)[] {
  const names = error.instancePath.split("/").slice(1);
  return names.map((name, index) => {
    const plain = name.replaceAll("~1", "/").replaceAll("~0", "~");
    const list = index > 0 && LISTS.has(names[index - 1] ?? "") && /^\d+$/.test(plain);
    return list ? Number(plain) : plain;
  });
}

const LISTS = new Set([
  "hubs",
  "compromised",
  "denied",
  "waivers",
  "devices",
  "command",
  "signatureCommand",
]);

function pathOr(place: (string | number)[]): string {
  return place.length === 0 ? "the configuration" : pathOf(...place);
}
