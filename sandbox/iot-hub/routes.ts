/** The service API's paths: identities, twins, direct methods; queries and jobs are files of their own. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { handler, readCount, readObject, type HubApi } from "./api";
import { bulk } from "./bulk";
import { invalid } from "./faults";
import { jobsRoutes } from "./jobs-routes";
import { methodKilobytes, throttle } from "./limits";
import { readMethodCall } from "./methods";
import { showIdentity, showTwin } from "./presenter";
import { queryRoutes } from "./query-routes";
import { deviceCounts } from "./registry-counts";
import type { DeviceRecord, Json } from "./records";
import { partsOf } from "./twin-record";

const MAX_TOP = 1000;

/** Adds all operations to `app`; what is not here answers 501. */
export function hubRoutes(app: FastifyInstance, api: HubApi): void {
  identityRoutes(app, api);
  twinRoutes(app, api);
  queryRoutes(app, api);
  jobsRoutes(app, api);
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
    handler(api, "readIdentity", () => deviceCounts(api.sandbox, api.hubName)),
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
      const size = methodKilobytes(Buffer.byteLength(JSON.stringify(request.body)));
      await throttle(api, "methodKilobytes", size);
      const result = await api.methods.invoke(id, call);
      reply.note = `${call.methodName}: ${result.status}`;
      return result;
    }),
  );
}

function readTop({ top }: Record<string, unknown>): number {
  return top === undefined ? MAX_TOP : readCount(top, "top", MAX_TOP);
}
