/** Pages of a query: `x-ms-max-item-count`, `x-ms-continuation`, `x-ms-item-type`. */
import { BodyError, object, required, text } from "./body-reader";

export interface Page<T> {
  items: T[];
  /** Opaque; undefined on the last page. */
  continuation?: string;
}

/** not known: how many items a page has when none is asked for, and how many at most. */
const DEFAULT_ITEMS = 100;
const MAX_ITEMS = 1000;

/** Throws `BodyError` for a page size or a continuation token that cannot be read. */
export function pageOf<T>(
  sorted: T[],
  key: (item: T) => string,
  headers: { maxItemCount: string | undefined; continuation: string | undefined },
): Page<T> {
  const size = readSize(headers.maxItemCount);
  const after = readContinuation(headers.continuation);
  const rest =
    after === undefined ? sorted : sorted.filter((item) => key(item).toLowerCase() > after);
  const items = rest.slice(0, size);
  const last = items[items.length - 1];
  return rest.length > items.length && last !== undefined
    ? { items, continuation: token(key(last).toLowerCase()) }
    : { items };
}

/** Throws `BodyError`; answers false for a query that the sandbox cannot evaluate. */
export function asksForEverything(body: unknown): boolean {
  const query = required(object(body, "The body"), "query", "", text);
  return /^\s*select\s+\*(\s+from\s+\w+)?\s*;?\s*$/i.test(query);
}

function readSize(header: string | undefined): number {
  if (header === undefined || header === "") {
    return DEFAULT_ITEMS;
  }
  const size = Number(header);
  if (!Number.isInteger(size) || size < 1) {
    throw new BodyError("x-ms-max-item-count must be a positive whole number.");
  }
  return Math.min(size, MAX_ITEMS);
}

function token(key: string): string {
  return Buffer.from(JSON.stringify({ after: key })).toString("base64");
}

/** The key, in lower case, after which a page begins. Throws `BodyError`; undefined: at the beginning. */
export function readContinuation(header: string | undefined): string | undefined {
  if (header === undefined || header === "") {
    return undefined;
  }
  try {
    const { after } = JSON.parse(Buffer.from(header, "base64").toString()) as { after?: unknown };
    if (typeof after === "string") {
      return after;
    }
  } catch {
    // Falls through: not one of our tokens.
  }
  throw new BodyError("Bad Request");
}
