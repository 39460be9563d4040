/** The device API over HTTPS. Source: learn.microsoft.com/rest/api/iot-dps/device. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { peerChain } from "../common/peer-chain";
import type { Sandbox } from "../common/model";
import { checkApiVersion } from "../dps-service/routes";
import type { DeviceRequest } from "./attestation/attest";
import { RETRY_AFTER_SECONDS, type DeviceAnswer, type Registrar } from "./registrar";

interface Params {
  idScope: string;
  id: string;
  operationId: string;
}

/** Adds register, operation status and lookup to `app`. */
export function deviceRoutes(app: FastifyInstance, sandbox: Sandbox, registrar: Registrar): void {
  const path = "/:idScope/registrations/:id";

  app.put(`${path}/register`, (request, reply) => {
    const device = deviceOf(request, sandbox);
    return send(device, registrar.register(device, request.body), reply);
  });

  app.get(`${path}/operations/:operationId`, (request, reply) => {
    const { operationId } = request.params as Params;
    const device = deviceOf(request, sandbox);
    return send(device, registrar.poll(device, operationId), reply);
  });

  app.post(path, (request) => registrar.lookUp(deviceOf(request, sandbox)));
}

/** not known: whether the certificate is looked at on every request of one connection. It is here. */
function deviceOf(request: FastifyRequest, sandbox: Sandbox): DeviceRequest {
  checkApiVersion(request, sandbox.clock.now());
  const { idScope, id } = request.params as Params;
  return {
    idScope,
    registrationId: id,
    presented: peerChain(request.raw.socket),
    token: request.headers.authorization,
  };
}

function send(device: DeviceRequest, answer: DeviceAnswer, reply: FastifyReply): FastifyReply {
  reply.note = answer.note;
  if (answer.status === 202) {
    const { idScope, registrationId } = device;
    const id = encodeURIComponent(registrationId);
    reply
      .header("location", `/${idScope}/registrations/${id}/operations/${answer.operationId}`)
      .header("retry-after", String(RETRY_AFTER_SECONDS));
  }
  return reply.code(answer.status).send(answer.body);
}
