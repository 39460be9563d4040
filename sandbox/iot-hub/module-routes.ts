/** The service API's paths of modules: identities and twins. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { invalid } from "./faults";
import { showModule, showModuleTwin } from "./presenter";
import type { Json, ModuleRecord } from "./records";
import { handler, readObject, type HubApi } from "./api";
import { partsOf } from "./twin-record";

/** Adds them to `app`. */
export function moduleRoutes(app: FastifyInstance, api: HubApi): void {
  const { registry } = api;
  const { modules } = registry;

  const send = (reply: FastifyReply, record: ModuleRecord): Json => {
    reply.header("etag", `"${record.etag}"`);
    return showModule(record);
  };
  const sendTwin = (reply: FastifyReply, record: ModuleRecord): Json => {
    const twin = showModuleTwin(record, registry.get(record.deviceId));
    reply.header("etag", `"${String(twin["etag"])}"`);
    return twin;
  };

  app.get(
    "/devices/:id/modules",
    handler(api, "readIdentity", ({ id }) => {
      registry.get(id);
      return modules.list(id).map(showModule);
    }),
  );
  app.get(
    "/devices/:id/modules/:moduleId",
    handler(api, "readIdentity", ({ id, request, reply }) => {
      registry.get(id);
      return send(reply, modules.get(id, moduleIdOf(request)));
    }),
  );
  app.put(
    "/devices/:id/modules/:moduleId",
    handler(api, "writeIdentity", ({ id, ifMatch, request, reply }) => {
      registry.get(id);
      const moduleId = moduleIdOf(request);
      const body = readObject(request.body);
      checkIds(body, id, moduleId);
      const record =
        ifMatch === undefined
          ? modules.create(id, moduleId, body)
          : modules.update(id, moduleId, body, ifMatch);
      return send(reply, record);
    }),
  );
  app.delete(
    "/devices/:id/modules/:moduleId",
    handler(api, "writeIdentity", ({ id, ifMatch, request, reply }) => {
      registry.get(id);
      modules.delete(id, moduleIdOf(request), ifMatch);
      return reply.code(204).send();
    }),
  );

  const path = "/twins/:id/modules/:moduleId";
  app.get(
    path,
    handler(api, "twin", ({ id, request, reply }) => {
      registry.get(id);
      return sendTwin(reply, modules.get(id, moduleIdOf(request)));
    }),
  );
  app.patch(
    path,
    handler(api, "twin", ({ id, ifMatch, request, reply }) => {
      registry.get(id);
      const patch = partsOf(readObject(request.body));
      return sendTwin(reply, modules.patchTwin(id, moduleIdOf(request), patch, ifMatch));
    }),
  );
  app.put(
    path,
    handler(api, "twin", ({ id, ifMatch, request, reply }) => {
      registry.get(id);
      const parts = partsOf(readObject(request.body));
      return sendTwin(reply, modules.replaceTwin(id, moduleIdOf(request), parts, ifMatch));
    }),
  );
}

function moduleIdOf(request: FastifyRequest): string {
  return (request.params as { moduleId: string }).moduleId;
}

function checkIds(body: Json, deviceId: string, moduleId: string): void {
  for (const [name, wanted] of [
    ["deviceId", deviceId],
    ["moduleId", moduleId],
  ] as const) {
    if (body[name] !== undefined && body[name] !== wanted) {
      throw invalid(`The ${name} of the body is not the one of the path`);
    }
  }
}
