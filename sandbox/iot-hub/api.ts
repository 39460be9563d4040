/** What all paths of the service API have in common: the check before, the body, the pages of a list. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Sandbox } from "../common/model";
import { authorize, type Operation } from "./access";
import { HubFault, invalid } from "./faults";
import type { Jobs } from "./jobs";
import { throttle, type LimitedOperation } from "./limits";
import type { DirectMethods } from "./methods";
import { QUERY_PAGE } from "./not-known";
import type { Json } from "./records";
import type { DeviceRegistry } from "./registry";
import { isObject } from "./twin-collection";

export interface HubApi {
  sandbox: Sandbox;
  hubName: string;
  registry: DeviceRegistry;
  methods: DirectMethods;
  jobs: Jobs;
  /** Host names, beside its own, under which clients reach the hub. */
  names: string[];
  /** The listeners are closed: nobody waits for an answer any more. */
  closing: AbortSignal;
  notWritten(operation: string): Error;
}

interface Call {
  id: string;
  ifMatch: string | undefined;
  query: Record<string, unknown>;
  request: FastifyRequest;
  reply: FastifyReply;
}

type Run = (call: Call) => unknown;

/** api-version, then authorization, then the rate, then the operation. */
export function handler(api: HubApi, operation: Operation, run: Run) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const query = request.query as Record<string, unknown>;
    checkApiVersion(query["api-version"]);
    const { authorization } = request.headers;
    authorize(api.sandbox, api.hubName, authorization, operation, api.names);
    await throttle(api, limitedAs(operation, request), entriesIn(request));
    const { id = "" } = request.params as { id?: string };
    return run({ id, ifMatch: request.headers["if-match"], query, request, reply });
  };
}

/** Which of the hub's rates an operation counts against; a method's size counts where it is read. */
function limitedAs(operation: Operation, { method }: FastifyRequest): LimitedOperation | undefined {
  switch (operation) {
    case "readIdentity":
    case "writeIdentity":
      return "registry";
    case "twin":
      return method === "GET" ? "twinRead" : "twinUpdate";
    case "query":
    case "job":
      return operation;
    case "method":
      return undefined;
  }
}

/** A bulk operation seems to count once for each device (device-simulation-dotnet#167). */
function entriesIn({ body }: FastifyRequest): number {
  return Array.isArray(body) ? Math.max(1, body.length) : 1;
}

/** Any version by its form: SDKs send 2019-10-01, 2021-04-12. */
function checkApiVersion(version: unknown): void {
  if (typeof version !== "string" || !/^\d{4}-\d{2}-\d{2}(-[a-z]+)?$/i.test(version)) {
    throw new HubFault("InvalidProtocolVersion", "api-version is missing or not valid");
  }
}

export function readObject(body: unknown): Json {
  if (!isObject(body)) {
    throw new HubFault("IotHubFormatError", "The body must be a JSON object");
  }
  return body;
}

/** A number from 1; more than `most` is `most`. */
export function readCount(text: unknown, name: string, most: number): number {
  if (typeof text !== "string" || !/^\d{1,9}$/.test(text) || Number(text) < 1) {
    throw invalid(`${name} must be a number from 1`);
  }
  return Math.min(Number(text), most);
}

export interface Keyed<T> {
  key: string;
  item: T;
}

/**
 * The part of `all` (in the order of the keys) that the request asks for with `x-ms-max-item-count`
 * and `x-ms-continuation`; says in the reply's header where the next one begins.
 */
export function pageOf<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  all: Iterable<Keyed<T>>,
): T[] {
  const size = readPageSize(request);
  const page: Keyed<T>[] = [];
  let isMore = false;
  // What is beyond the page may cost something to make, so it is not asked for.
  for (const one of beyond(readContinuation(request), all)) {
    isMore = page.length === size;
    if (isMore) break;
    page.push(one);
  }
  const last = page[page.length - 1];
  if (isMore && last !== undefined) {
    reply.header("x-ms-continuation", Buffer.from(`/${last.key}`).toString("base64"));
  }
  return page.map(({ item }) => item);
}

function* beyond<T>(after: string | undefined, all: Iterable<Keyed<T>>): Generator<Keyed<T>> {
  for (const one of all) {
    if (after === undefined || one.key > after) yield one;
  }
}

function readPageSize(request: FastifyRequest): number {
  const size = request.headers["x-ms-max-item-count"];
  return size === undefined
    ? QUERY_PAGE.usual
    : readCount(size, "x-ms-max-item-count", QUERY_PAGE.most);
}

/** The key after which a page begins; undefined: at the beginning. */
export function readContinuation(request: FastifyRequest): string | undefined {
  const token = request.headers["x-ms-continuation"];
  if (token === undefined || token === "") {
    return undefined;
  }
  const key = Buffer.from(String(token), "base64").toString();
  if (!key.startsWith("/") || Buffer.from(key).toString("base64") !== token) {
    throw invalid("x-ms-continuation is not a token of this hub");
  }
  return key.slice(1);
}
