/**
 * Conditions of the hub's query language:
 *
 *     AND, OR, NOT, ( ), = != <> < > <= >=, IN [...], NIN [...],
 *     IS_DEFINED(path), STARTSWITH(path, 'text'), ARRAY_CONTAINS(path, 'text')
 *
 * A comparison with a property that is not there is neither true nor false, and so is its NOT.
 * Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-query-language, "Expressions and
 * conditions".
 */
import { STRING_FUNCTIONS_IN_TWIN_QUERIES } from "./not-known";
import { refused, type Tokens } from "./query-tokens";
import type { Json } from "./records";
import { isObject } from "./twin-collection";

/** Undefined: it cannot be said, because something is not there. */
export type Condition = (item: Json) => boolean | undefined;

type Literal = string | number | boolean | null;
type Comparison = (actual: unknown, wanted: Literal) => boolean | undefined;

const KEYWORDS = ["select", "top", "from", "where", "and", "or", "not", "in", "nin", "as", "group"];

const COMPARISONS: Record<string, Comparison> = {
  "=": (actual, wanted) => actual === wanted,
  "!=": (actual, wanted) => actual !== wanted,
  "<>": (actual, wanted) => actual !== wanted,
  "<": ordered((actual, wanted) => actual < wanted),
  ">": ordered((actual, wanted) => actual > wanted),
  "<=": ordered((actual, wanted) => actual <= wanted),
  ">=": ordered((actual, wanted) => actual >= wanted),
};

/**
 * Reads a condition, to the end of it.
 *
 * @param source what the items are called in paths (`devices.jobs.jobId`); may be left out there
 */
export function readCondition(tokens: Tokens, source: string[]): Condition {
  const readOr = (): Condition => {
    let left = readAnd();
    while (tokens.takes("or")) {
      left = either(left, readAnd());
    }
    return left;
  };
  const readAnd = (): Condition => {
    let left = readNot();
    while (tokens.takes("and")) {
      left = both(left, readNot());
    }
    return left;
  };
  const readNot = (): Condition => {
    if (tokens.takes("not")) {
      const inner = readNot();
      return (item) => {
        const value = inner(item);
        return value === undefined ? undefined : !value;
      };
    }
    if (tokens.takes("(")) {
      const inner = readOr();
      tokens.demands(")");
      return inner;
    }
    return tokens.sees("(", 1) ? readFunction(tokens, source) : readComparison(tokens, source);
  };
  return readOr();
}

function both(left: Condition, right: Condition): Condition {
  return (item) => {
    const values = [left(item), right(item)];
    return values.includes(false) ? false : values.includes(undefined) ? undefined : true;
  };
}

function either(left: Condition, right: Condition): Condition {
  return (item) => {
    const values = [left(item), right(item)];
    return values.includes(true) ? true : values.includes(undefined) ? undefined : false;
  };
}

function readFunction(tokens: Tokens, source: string[]): Condition {
  const name = tokens.next("a function");
  tokens.demands("(");
  const path = readPath(tokens, source);
  switch (name.toLowerCase()) {
    // As azure-iot-cli-extension (hub.py) asks for the children of an Edge device.
    case "array_contains": {
      tokens.demands(",");
      const wanted = readLiteral(tokens);
      tokens.demands(")");
      return (item) => {
        const value = valueAt(item, path);
        return Array.isArray(value) ? value.includes(wanted) : undefined;
      };
    }
    case "is_defined":
      tokens.demands(")");
      return (item) => valueAt(item, path) !== undefined;
    case "startswith":
    case "starts_with":
      if (STRING_FUNCTIONS_IN_TWIN_QUERIES) {
        tokens.demands(",");
        const start = readLiteral(tokens);
        tokens.demands(")");
        return (item) => {
          const value = valueAt(item, path);
          return typeof value === "string" ? value.startsWith(String(start)) : undefined;
        };
      }
  }
  throw refused(`${name}(`);
}

function readComparison(tokens: Tokens, source: string[]): Condition {
  const path = readPath(tokens, source);
  for (const [word, wanted] of [
    ["in", true],
    ["nin", false],
  ] as const) {
    if (tokens.takes(word)) {
      const values = readList(tokens, word.toUpperCase());
      return (item) => {
        const actual = valueAt(item, path);
        return actual === undefined ? undefined : values.includes(actual as Literal) === wanted;
      };
    }
  }
  const operator = tokens.next("an operator");
  const compare = COMPARISONS[operator];
  if (compare === undefined) {
    throw refused(`the operator ${operator}`);
  }
  const value = readLiteral(tokens);
  return (item) => {
    const actual = valueAt(item, path);
    return actual === undefined ? undefined : compare(actual, value);
  };
}

/** Numbers with numbers, text with text; anything else has no order. */
function ordered(compare: <T extends number | string>(actual: T, wanted: T) => boolean) {
  return (actual: unknown, wanted: Literal): boolean | undefined => {
    if (typeof actual === "number" && typeof wanted === "number") {
      return compare(actual, wanted);
    }
    return typeof actual === "string" && typeof wanted === "string"
      ? compare(actual, wanted)
      : undefined;
  };
}

/** A property's names, from the item on; `source` in front of it is left away. */
export function readPath(tokens: Tokens, source: string[]): string[] {
  const path: string[] = [];
  do {
    const name = tokens.next("a property");
    if (!/^[A-Za-z_$]/.test(name) || (path.length === 0 && KEYWORDS.includes(name.toLowerCase()))) {
      throw refused(`"${name}" where a property is expected`);
    }
    path.push(name);
  } while (tokens.takes("."));
  if (tokens.sees("(") || tokens.sees("[")) {
    throw refused(`${path.join(".")}${tokens.peek() ?? ""}`);
  }
  const named = source.every((name, index) => path[index]?.toLowerCase() === name);
  return named && path.length > source.length ? path.slice(source.length) : path;
}

function readList(tokens: Tokens, operator: string): Literal[] {
  if (!tokens.takes("[")) {
    throw refused(`${operator} without [ ]`);
  }
  const values: Literal[] = [];
  do {
    values.push(readLiteral(tokens));
  } while (tokens.takes(","));
  if (!tokens.takes("]")) {
    throw refused(`${operator} without ]`);
  }
  return values;
}

function readLiteral(tokens: Tokens): Literal {
  const token = tokens.next("a value");
  if (/^['"]/.test(token)) {
    return token.slice(1, -1).replace(/\\(.)/g, "$1");
  }
  if (/^-?\d/.test(token)) {
    return Number(token);
  }
  const constants: Record<string, Literal> = { true: true, false: false, null: null };
  const constant = constants[token.toLowerCase()];
  if (constant === undefined) {
    throw refused(`"${token}" where a value is expected`);
  }
  return constant;
}

/** The item's own names are not case-sensitive (`LastActivityTime`), names in collections are. */
export function valueAt(item: Json, path: string[]): unknown {
  let value: unknown = item;
  path.forEach((name, depth) => {
    if (!isObject(value)) {
      value = undefined;
      return;
    }
    const wanted = name.toLowerCase();
    const key = depth === 0 ? Object.keys(value).find((one) => one.toLowerCase() === wanted) : name;
    value = key !== undefined && Object.hasOwn(value, key) ? value[key] : undefined;
  });
  return value;
}
