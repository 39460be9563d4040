/** The service API's paths: identities, twins, queries, direct methods. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Sandbox } from "../common/model";
import { authorize, type Operation } from "./access";
import { bulk, unwrittenMode } from "./bulk";
import { HubFault, invalid } from "./faults";
import { readMethodCall, type DirectMethods } from "./methods";
import { QUERY_PAGE } from "./not-known";
import { showIdentity, showTwin } from "./presenter";
import { parseQuery } from "./query";
import { deviceKey, type DeviceRecord, type Json } from "./records";
import type { DeviceRegistry } from "./registry";
import { partsOf } from "./twin-record";
import { isObject } from "./twin-collection";

export interface HubApi {
  sandbox: Sandbox;
  hubName: string;
  registry: DeviceRegistry;
  methods: DirectMethods;
  /** Host names, beside its own, under which clients reach the hub. */
  names: string[];
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

const MAX_TOP = 1000;

/** Adds all operations to `app`; what is not here answers 501. */
export function hubRoutes(app: FastifyInstance, api: HubApi): void {
  identityRoutes(app, api);
  twinRoutes(app, api);
}

function identityRoutes(app: FastifyInstance, api: HubApi): void {
  const { registry } = api;
  const show = (record: DeviceRecord): Json =>
    showIdentity(record, registry.connections.isConnected(record.deviceId));
  const send = (reply: FastifyReply, record: DeviceRecord): Json => {
    reply.header("etag", `"${record.etag}"`);
    return show(record);
  };

  app.get(
    "/devices",
    handler(api, "readIdentity", ({ query }) => registry.list().slice(0, readTop(query)).map(show)),
  );
  app.get(
    "/devices/:id",
    handler(api, "readIdentity", ({ id, reply }) => send(reply, registry.get(id))),
  );
  app.put(
    "/devices/:id",
    handler(api, "writeIdentity", ({ id, ifMatch, request, reply }) => {
      const body = readObject(request.body);
      if (body["deviceId"] !== undefined && body["deviceId"] !== id) {
        throw invalid("The device ID of the body is not the one of the path");
      }
      const record =
        ifMatch === undefined ? registry.create(id, body) : registry.update(id, body, ifMatch);
      return send(reply, record);
    }),
  );
  app.delete(
    "/devices/:id",
    handler(api, "writeIdentity", ({ id, ifMatch, reply }) => {
      registry.delete(id, ifMatch);
      return reply.code(204).send();
    }),
  );
  app.post(
    "/devices",
    handler(api, "writeIdentity", ({ request, reply }) => {
      const mode = unwrittenMode(request.body);
      if (mode !== undefined) {
        throw api.notWritten(`POST /devices with import mode ${mode}`);
      }
      const result = bulk(registry, request.body);
      if (!result.isSuccessful) {
        reply.code(api.sandbox.switches.hubBulkFailureStatus);
        reply.note = result.errors.map((one) => `${one.deviceId}: ${one.errorCode}`).join(", ");
      }
      return result;
    }),
  );
  app.get(
    "/statistics/devices",
    handler(api, "readIdentity", () => {
      const statuses = registry.list().map(({ status }) => status);
      const enabledDeviceCount = statuses.filter((status) => status === "enabled").length;
      return {
        totalDeviceCount: statuses.length,
        enabledDeviceCount,
        disabledDeviceCount: statuses.length - enabledDeviceCount,
      };
    }),
  );
  app.get(
    "/statistics/service",
    handler(api, "twin", () => ({
      connectedDeviceCount: registry.connections.count(
        registry.list().map(({ deviceId }) => deviceId),
      ),
    })),
  );
}

function twinRoutes(app: FastifyInstance, api: HubApi): void {
  const { registry } = api;
  const show = (record: DeviceRecord): Json =>
    showTwin(record, registry.connections.isConnected(record.deviceId));
  const send = (reply: FastifyReply, twin: Json): Json => {
    reply.header("etag", `"${String(twin["etag"])}"`);
    return twin;
  };

  app.get(
    "/twins/:id",
    handler(api, "twin", ({ id, reply }) => send(reply, show(registry.get(id)))),
  );
  app.patch(
    "/twins/:id",
    handler(api, "twin", ({ id, ifMatch, request, reply }) => {
      const patch = partsOf(readObject(request.body));
      return send(reply, show(registry.patchTwin(id, patch, ifMatch)));
    }),
  );
  app.put(
    "/twins/:id",
    handler(api, "twin", ({ id, ifMatch, request, reply }) => {
      const parts = partsOf(readObject(request.body));
      return send(reply, show(registry.replaceTwin(id, parts, ifMatch)));
    }),
  );
  app.post(
    "/twins/:id/methods",
    handler(api, "method", async ({ id, request, reply }) => {
      registry.get(id);
      const call = readMethodCall(request.body, api.sandbox.clock.now());
      const result = await api.methods.invoke(id, call);
      reply.note = `${call.methodName}: ${result.status}`;
      return result;
    }),
  );
  app.post(
    "/devices/query",
    handler(api, "query", ({ request, reply }) => {
      const query = parseQuery(readObject(request.body)["query"]);
      const keyOf = (record: DeviceRecord): string => deviceKey("", record.deviceId);
      const after = readContinuation(request);
      const size = readPageSize(request);
      const found = registry
        .list()
        .filter((record) => after === undefined || keyOf(record) > after)
        .filter((record) => query.matches(show(record)));
      const page = found.slice(0, size);
      const last = page[page.length - 1];
      reply.header("x-ms-item-type", query.itemType);
      if (found.length > size && last !== undefined) {
        reply.header("x-ms-continuation", Buffer.from(keyOf(last)).toString("base64"));
      }
      return page.map((record) => query.project(show(record)));
    }),
  );
}

/** api-version, then authorization, then the operation. */
export function handler(api: HubApi, operation: Operation, run: Run) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const query = request.query as Record<string, unknown>;
    checkApiVersion(query["api-version"]);
    const { authorization } = request.headers;
    authorize(api.sandbox, api.hubName, authorization, operation, api.names);
    const { id = "" } = request.params as { id?: string };
    return run({ id, ifMatch: request.headers["if-match"], query, request, reply });
  };
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

function readTop({ top }: Record<string, unknown>): number {
  return top === undefined ? MAX_TOP : readCount(top, "top", MAX_TOP);
}

function readPageSize(request: FastifyRequest): number {
  const size = request.headers["x-ms-max-item-count"];
  return size === undefined
    ? QUERY_PAGE.usual
    : readCount(size, "x-ms-max-item-count", QUERY_PAGE.most);
}

function readCount(text: unknown, name: string, most: number): number {
  if (typeof text !== "string" || !/^\d{1,9}$/.test(text) || Number(text) < 1) {
    throw invalid(`${name} must be a number from 1`);
  }
  return Math.min(Number(text), most);
}

function readContinuation(request: FastifyRequest): string | undefined {
  const token = request.headers["x-ms-continuation"];
  if (token === undefined || token === "") {
    return undefined;
  }
  const key = Buffer.from(String(token), "base64").toString();
  if (!key.startsWith("/") || Buffer.from(key).toString("base64") !== token) {
    throw invalid("x-ms-continuation is not a token of this hub");
  }
  return key;
}
