/**
 * Queries over twins and over the jobs of devices: the part of the hub's query language that fleets
 * use,
 *
 *     SELECT [TOP <n>] * | <column>, ... FROM devices | devices.jobs
 *     [WHERE <condition>] [GROUP BY <path>, ...]
 *
 * where a column is a path, COUNT(), or AVG, SUM, MIN, MAX of a path, each with AS <name>. All else is
 * refused, and the refusal names it.
 * Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-query-language.
 */
import { readCondition, readPath, valueAt, type Condition } from "./query-expression";
import { refused, Tokens } from "./query-tokens";
import type { Json } from "./records";

export interface Query {
  source: "devices" | "devices.jobs";
  /** "Twin" and "DeviceJob" for `SELECT *`, else "Raw": the header `x-ms-item-type`. */
  itemType: "Twin" | "DeviceJob" | "Raw";
  /** Most items in the whole answer; undefined: all. */
  top: number | undefined;
  matches(item: Json): boolean;
  /** What is shown of one item; only when there is no `aggregate`. */
  project(item: Json): Json;
  /** What is shown of all items that match, where the query counts or groups. */
  aggregate: ((items: Json[]) => Json[]) | undefined;
}

interface Column {
  name: string;
  /** Undefined: COUNT(). */
  path: string[] | undefined;
  /** Undefined: the value itself. */
  combine: ((values: unknown[]) => unknown) | undefined;
}

const AGGREGATES: Record<string, (values: unknown[]) => unknown> = {
  count: (values) => values.length,
  sum: (values) => sum(numbers(values)),
  avg: (values) => sum(numbers(values)) / numbers(values).length,
  min: (values) => Math.min(...numbers(values)),
  max: (values) => Math.max(...numbers(values)),
};

/** Throws `HubFault` for what is not understood. */
export function parseQuery(text: unknown): Query {
  if (typeof text !== "string" || text.trim() === "") {
    throw refused("there is no query");
  }
  const tokens = new Tokens(text.trim().replace(/;$/, ""));
  tokens.demands("select");
  const top = tokens.takes("top") ? readTop(tokens) : undefined;
  const source = sourceOf(tokens);
  const words = source.split(".");
  const columns = tokens.takes("*") ? undefined : readColumns(tokens, words);
  tokens.demands("from");
  readSource(tokens);
  const condition = tokens.takes("where") ? readCondition(tokens, words) : () => true;
  const groups = tokens.takes("group") ? readGroups(tokens, words) : undefined;
  tokens.end();
  const all = source === "devices" ? "Twin" : "DeviceJob";
  return {
    source,
    top,
    itemType: columns === undefined ? all : "Raw",
    matches: (item) => condition(item) === true,
    project: (item) => (columns === undefined ? item : projected(item, columns)),
    aggregate: aggregation(columns, groups),
  };
}

/**
 * The condition of a job: what stands behind WHERE. "*" takes every device.
 * Source: learn.microsoft.com/cli/azure/iot/hub/job.
 */
export function parseQueryCondition(text: string): (twin: Json) => boolean {
  if (text.trim() === "*") {
    return () => true;
  }
  const tokens = new Tokens(text);
  const condition: Condition = readCondition(tokens, ["devices"]);
  tokens.end();
  return (twin) => condition(twin) === true;
}

function readTop(tokens: Tokens): number {
  const count = Number(tokens.next("a number"));
  if (!Number.isInteger(count) || count < 1) {
    throw refused("TOP without a number");
  }
  return count;
}

/** Columns come before the source that their paths may begin with. */
function sourceOf(tokens: Tokens): Query["source"] {
  let at = 0;
  while (tokens.peek(at) !== undefined && !(tokens.sees("from", at) && !tokens.sees(".", at - 1))) {
    at += 1;
  }
  return tokens.sees(".", at + 2) && tokens.sees("jobs", at + 3) ? "devices.jobs" : "devices";
}

function readSource(tokens: Tokens): void {
  const source = tokens.next("a source");
  const part = tokens.takes(".") ? `.${tokens.next("a source")}` : "";
  if (source.toLowerCase() !== "devices" || !["", ".jobs"].includes(part.toLowerCase())) {
    throw refused(`FROM ${source}${part}: only devices and devices.jobs`);
  }
}

function readColumns(tokens: Tokens, source: string[]): Column[] {
  const columns: Column[] = [];
  do {
    const call = tokens.sees("(", 1) ? tokens.next("a function") : undefined;
    if (call === undefined) {
      const path = readPath(tokens, source);
      columns.push({ path, name: alias(tokens, path[path.length - 1] ?? ""), combine: undefined });
      continue;
    }
    const combine = AGGREGATES[call.toLowerCase()];
    if (combine === undefined) {
      throw refused(`${call}(`);
    }
    tokens.demands("(");
    const path = tokens.sees(")") ? undefined : readPath(tokens, source);
    tokens.demands(")");
    if ((path === undefined) !== (call.toLowerCase() === "count")) {
      throw refused(`${call}(${path?.join(".") ?? ""})`);
    }
    columns.push({ path, name: alias(tokens, call), combine });
  } while (tokens.takes(","));
  return columns;
}

function alias(tokens: Tokens, otherwise: string): string {
  return tokens.takes("as") ? tokens.next("a name") : otherwise;
}

function readGroups(tokens: Tokens, source: string[]): string[][] {
  tokens.demands("by");
  const groups: string[][] = [];
  do {
    groups.push(readPath(tokens, source));
  } while (tokens.takes(","));
  return groups;
}

function aggregation(
  columns: Column[] | undefined,
  groups: string[][] | undefined,
): Query["aggregate"] {
  if (groups === undefined && !columns?.some(({ combine }) => combine)) {
    return undefined;
  }
  if (columns === undefined) {
    throw refused("SELECT * with GROUP BY");
  }
  const grouped = (groups ?? []).map(String);
  const alone = columns.find(
    ({ path, combine }) => combine === undefined && !grouped.includes(String(path)),
  );
  if (alone !== undefined) {
    throw refused(`${alone.path?.join(".") ?? ""} beside an aggregate, without GROUP BY`);
  }
  return (items) => {
    const parts = new Map<string, Json[]>();
    for (const item of items) {
      const key = JSON.stringify((groups ?? []).map((path) => valueAt(item, path) ?? null));
      const part = parts.get(key) ?? [];
      part.push(item);
      parts.set(key, part);
    }
    if (groups === undefined && items.length === 0) {
      parts.set("", []);
    }
    return [...parts.values()].map((part) => combined(part, columns));
  };
}

function combined(items: Json[], columns: Column[]): Json {
  return Object.fromEntries(
    columns.flatMap(({ name, path, combine }): [string, unknown][] => {
      if (combine === undefined) {
        const value = valueAt(items[0] ?? {}, path ?? []);
        return value === undefined ? [] : [[name, value]];
      }
      const value = combine(path === undefined ? items : items.map((item) => valueAt(item, path)));
      return Number.isFinite(value) ? [[name, value]] : [];
    }),
  );
}

function projected(item: Json, columns: Column[]): Json {
  return Object.fromEntries(
    columns.flatMap(({ path, name }) => {
      const value = valueAt(item, path ?? []);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function numbers(values: unknown[]): number[] {
  return values.filter((value): value is number => typeof value === "number");
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
