/**
 * Queries over twins: the part of the hub's query language that fleets use,
 *
 *     SELECT * | <path> [AS <name>], ... FROM devices
 *     [WHERE <path> = | != | <> <value> | <path> IN [<value>, ...] [AND ...]]
 *
 * All else is refused, and the refusal names it. A comparison with a property that is not there is
 * not true, whatever the operator.
 * Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-query-language.
 */
import { HubFault } from "./faults";
import type { Json } from "./records";
import { isObject } from "./twin-collection";

export interface Query {
  /** "Twin" for `SELECT *`, else "Raw": the header `x-ms-item-type`. */
  itemType: "Twin" | "Raw";
  matches(twin: Json): boolean;
  project(twin: Json): Json;
}

type Literal = string | number | boolean | null;

interface Condition {
  path: string[];
  negated: boolean;
  values: Literal[];
}

const TOKEN =
  /\s*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([A-Za-z_$][\w$-]*)|(<>|!=|<=|>=|[=<>*.,()[\]]))/iy;
const KEYWORDS = ["select", "from", "where", "and", "or", "not", "in", "as"];

/** Throws `HubFault` for what is not understood. */
export function parseQuery(text: unknown): Query {
  if (typeof text !== "string" || text.trim() === "") {
    throw refused("there is no query");
  }
  return new Parser(tokens(text.trim().replace(/;$/, ""))).query();
}

function refused(what: string): HubFault {
  return new HubFault("ArgumentInvalid", `The sandbox does not support this query: ${what}`);
}

function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text);
    if (token === null) {
      throw refused(`"${text.slice(at).trim().slice(0, 20)}" cannot be read`);
    }
    found.push(token[0].trim());
  }
  return found;
}

class Parser {
  private at = 0;

  constructor(private readonly tokens: string[]) {}

  query(): Query {
    this.keyword("select");
    const columns = this.peek() === "*" ? (this.at++, undefined) : this.columns();
    this.keyword("from");
    const source = this.next("a source");
    if (source.toLowerCase() !== "devices" || this.peek() === ".") {
      throw refused(`FROM ${source}${this.peek() === "." ? "." : ""}: only devices`);
    }
    const conditions = this.is("where") ? this.conditions() : [];
    if (this.peek() !== undefined) {
      throw refused(`"${this.peek()}"`);
    }
    return {
      itemType: columns === undefined ? "Twin" : "Raw",
      matches: (twin) => conditions.every((condition) => holds(condition, twin)),
      project: (twin) => (columns === undefined ? twin : projected(twin, columns)),
    };
  }

  private columns(): Column[] {
    const columns: Column[] = [];
    do {
      const path = this.path();
      const last = path[path.length - 1] ?? "";
      columns.push({ path, name: this.is("as") ? this.next("a name") : last });
    } while (this.isSymbol(","));
    return columns;
  }

  private conditions(): Condition[] {
    const conditions: Condition[] = [];
    do {
      conditions.push(this.condition());
    } while (this.is("and"));
    return conditions;
  }

  private condition(): Condition {
    const path = this.path();
    if (this.is("in")) {
      return { path, negated: false, values: this.list() };
    }
    const operator = this.next("an operator");
    if (!["=", "!=", "<>"].includes(operator)) {
      throw refused(`the operator ${operator}`);
    }
    return { path, negated: operator !== "=", values: [this.literal()] };
  }

  private path(): string[] {
    const path: string[] = [];
    do {
      const name = this.next("a property");
      if (!/^[A-Za-z_$]/.test(name) || (path.length === 0 && KEYWORDS.includes(lower(name)))) {
        throw refused(`"${name}" where a property is expected`);
      }
      path.push(name);
    } while (this.isSymbol("."));
    if (this.peek() === "(" || this.peek() === "[") {
      throw refused(`${path.join(".")}${this.peek()}`);
    }
    return path;
  }

  private list(): Literal[] {
    if (!this.isSymbol("[")) {
      throw refused("IN without [ ]");
    }
    const values: Literal[] = [];
    do {
      values.push(this.literal());
    } while (this.isSymbol(","));
    if (!this.isSymbol("]")) {
      throw refused("IN without ]");
    }
    return values;
  }

  private literal(): Literal {
    const token = this.next("a value");
    if (/^['"]/.test(token)) {
      return token.slice(1, -1).replace(/\\(.)/g, "$1");
    }
    if (/^-?\d/.test(token)) {
      return Number(token);
    }
    const constants: Record<string, Literal> = { true: true, false: false, null: null };
    const constant = constants[lower(token)];
    if (constant === undefined) {
      throw refused(`"${token}" where a value is expected`);
    }
    return constant;
  }

  private peek(): string | undefined {
    return this.tokens[this.at];
  }

  private next(expected: string): string {
    const token = this.tokens[this.at];
    if (token === undefined) {
      throw refused(`it ends where ${expected} is expected`);
    }
    this.at += 1;
    return token;
  }

  private is(keyword: string): boolean {
    return this.isSymbol(keyword);
  }

  private isSymbol(symbol: string): boolean {
    const found = lower(this.peek() ?? "") === symbol;
    this.at += found ? 1 : 0;
    return found;
  }

  private keyword(keyword: string): void {
    if (!this.is(keyword)) {
      throw refused(`${keyword.toUpperCase()} is expected at "${this.peek() ?? ""}"`);
    }
  }
}

interface Column {
  path: string[];
  name: string;
}

function lower(text: string): string {
  return text.toLowerCase();
}

function holds({ path, negated, values }: Condition, twin: Json): boolean {
  const actual = valueAt(twin, path);
  if (actual === undefined) {
    return false;
  }
  return values.some((value) => value === actual) !== negated;
}

function projected(twin: Json, columns: Column[]): Json {
  return Object.fromEntries(
    columns.flatMap(({ path, name }) => {
      const value = valueAt(twin, path);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The twin's own names are not case-sensitive (`LastActivityTime`), names in collections are. */
function valueAt(twin: Json, path: string[]): unknown {
  let value: unknown = twin;
  path.forEach((name, depth) => {
    if (!isObject(value)) {
      value = undefined;
      return;
    }
    const key = depth === 0 ? Object.keys(value).find((one) => lower(one) === lower(name)) : name;
    value = key !== undefined && Object.hasOwn(value, key) ? value[key] : undefined;
  });
  return value;
}
