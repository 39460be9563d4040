/**
 * The device API over MQTT 3.1.1. Topics and the username are as Microsoft's device SDKs send them;
 * a device that is refused is connected (CONNACK 0) and gets its refusal as the answer to its
 * registration (azure-iot-sdk-c#1900).
 */
import { startMqttFront, type MqttFront } from "../common/mqtt-front";
import { dpsError, HttpError } from "../common/errors";
import type { Sandbox, ServerIdentity } from "../common/model";
import { badRequest } from "../dps-service/service-errors";
import type { DeviceRequest } from "./attestation/attest";
import { RETRY_AFTER_SECONDS, type Registrar } from "./registrar";

const ANSWERS = "$dps/registrations/res/#";
const REGISTER = /^\$dps\/registrations\/PUT\/iotdps-register\/\?(.*)$/;
const POLL = /^\$dps\/registrations\/GET\/iotdps-get-operationstatus\/\?(.*)$/;
const USERNAME = /^([^/]+)\/registrations\/([^/]+)\/(.+)$/;

const ACCEPTED = 0;
/**
 * not known: the return code for an unknown ID scope, a client ID that is not the registration ID,
 * or a username without api-version. Assumed: not authorized.
 */
const NOT_AUTHORIZED = 5;

export interface MqttIdentity {
  sandbox: Sandbox;
  service: "dps-device";
  instance: string;
  identity: ServerIdentity;
}

/** Starts the MQTT listener; devices are told apart by their client ID. */
export async function startDeviceMqtt(
  front: MqttIdentity,
  listen: { address: string; port: number },
  registrar: Registrar,
): Promise<MqttFront> {
  const devices = new Map<string, DeviceRequest>();
  const { sandbox, service, instance } = front;
  const log = (path: string, status: number, note: string) =>
    sandbox.log.record({
      service,
      instance,
      protocol: "mqtt",
      method: "PUBLISH",
      path,
      status,
      note,
    });
  const server = await startMqttFront({
    ...front,
    listen,
    authenticate: ({ clientId, username, password, peerChain }) => {
      const device = readUsername(username, clientId, registrar);
      if (device === undefined) {
        return { code: NOT_AUTHORIZED, note: "ID scope, client ID or username is not right" };
      }
      // not known: whether a signature that is not right is refused here already; assumed that it
      // is treated like a certificate, whose refusal is the answer to the registration.
      devices.set(clientId, { ...device, presented: peerChain(), token: password });
      return ACCEPTED;
    },
    authorizeSubscribe: (_clientId, topic) => topic === ANSWERS,
    refusePublish: (clientId, topic, { status, retryAfterSeconds, message }) => {
      const query = (REGISTER.exec(topic) ?? POLL.exec(topic))?.[1];
      const rid = new URLSearchParams(query ?? "").get("$rid");
      if (rid === null) return false;
      // not known: the body of a 429; clients read the status and the time to wait.
      const { body } = dpsError(status, status * 1000, message, sandbox.clock.now());
      return server.publishTo(
        clientId,
        `$dps/registrations/res/${status}/?$rid=${rid}&retry-after=${retryAfterSeconds}`,
        Buffer.from(JSON.stringify(body)),
      );
    },
    onPublish: (clientId, topic, payload) => {
      const device = devices.get(clientId);
      const known = REGISTER.exec(topic) ?? POLL.exec(topic);
      const query = new URLSearchParams(known?.[1] ?? "");
      const rid = query.get("$rid");
      if (device === undefined || known === null || rid === null) {
        // Azure IoT closes the connection of a client that publishes elsewhere.
        log(topic, 400, `${clientId}: disconnected, not a topic of the service`);
        server.disconnect(clientId);
        return;
      }
      const answer = respond(device, topic, query, payload, registrar, sandbox);
      const wait = answer.retryAfter === undefined ? "" : `&retry-after=${answer.retryAfter}`;
      server.publishTo(
        clientId,
        `$dps/registrations/res/${answer.status}/?$rid=${rid}${wait}`,
        Buffer.from(JSON.stringify(answer.body)),
      );
      log(topic, answer.status, answer.note);
    },
  });
  return server;
}

/** `{idScope}/registrations/{registrationId}/api-version=...&ClientVersion=...` */
function readUsername(
  username: string,
  clientId: string,
  registrar: Registrar,
): Pick<DeviceRequest, "idScope" | "registrationId"> | undefined {
  const [, idScope, registrationId, rest] = USERNAME.exec(username) ?? [];
  if (idScope === undefined || registrationId === undefined || rest === undefined) {
    return undefined;
  }
  const hasVersion = new URLSearchParams(rest).has("api-version");
  const isSame = registrationId.toLowerCase() === clientId.toLowerCase();
  return hasVersion && isSame && registrar.hasScope(idScope)
    ? { idScope, registrationId }
    : undefined;
}

interface MqttAnswer {
  status: number;
  body: object;
  /** Seconds. */
  retryAfter: string | undefined;
  note: string;
}

function respond(
  device: DeviceRequest,
  topic: string,
  query: URLSearchParams,
  payload: Buffer,
  registrar: Registrar,
  sandbox: Sandbox,
): MqttAnswer {
  try {
    const answer = REGISTER.test(topic)
      ? registrar.register(device, readPayload(payload, sandbox))
      : registrar.poll(device, query.get("operationId") ?? "");
    const retryAfter = answer.status === 202 ? String(RETRY_AFTER_SECONDS) : undefined;
    return { ...answer, retryAfter };
  } catch (error) {
    if (error instanceof HttpError) {
      const { status, body, headers, message: note } = error;
      return { status, body, retryAfter: headers["retry-after"], note };
    }
    throw error;
  }
}

function readPayload(payload: Buffer, sandbox: Sandbox): unknown {
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    throw badRequest(sandbox.clock.now(), "The payload is not valid JSON.");
  }
}
