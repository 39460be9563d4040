/**
 * The hub for its devices, over MQTT 3.1.1: telemetry, twins, direct methods.
 * Source: learn.microsoft.com/azure/iot/iot-mqtt-connect-to-iot-hub.
 */
import { startMqttFront, type MqttFront } from "../common/mqtt-front";
import type { Sandbox, ServerIdentity } from "../common/model";
import { authenticate } from "./device-authentication";
import { deviceFault, HubFault } from "./faults";
import { waitFor, type LimitedOperation } from "./limits";
import type { DirectMethods } from "./methods";
import { showToDevice } from "./presenter";
import type { DeviceRegistry } from "./registry";
import { recordTelemetry } from "./telemetry";

export interface DeviceHub {
  sandbox: Sandbox;
  hubName: string;
  identity: ServerIdentity;
  registry: DeviceRegistry;
  methods: DirectMethods;
  /** Host names, beside its own, under which devices reach the hub. */
  names: string[];
  /** The hub goes away: nobody waits for an answer any more. */
  closing: AbortSignal;
}

/** What a published packet came to, for the request log. */
interface Outcome {
  status: number;
  note?: string;
}

/** MQTT 3.1.1, 3.2.2.3. */
const SERVER_UNAVAILABLE = 3;
const TWIN_GET = /^\$iothub\/twin\/GET\/\?(.*)$/;
const TWIN_REPORT = /^\$iothub\/twin\/PATCH\/properties\/reported\/\?(.*)$/;
const METHOD_ANSWER = /^\$iothub\/methods\/res\/(-?\d+)\/\?(.*)$/;
const SUBSCRIPTIONS = [
  "$iothub/twin/res/#",
  "$iothub/twin/PATCH/properties/desired/#",
  "$iothub/methods/POST/#",
];

/** Starts the listener. Throws when the port is taken. */
export async function startDeviceHub(
  hub: DeviceHub,
  listen: { address: string; port: number },
): Promise<MqttFront> {
  const { sandbox, hubName, registry } = hub;
  const { connections } = registry;
  const front: MqttFront = await startMqttFront({
    sandbox,
    service: "iot-hub-device",
    instance: hubName,
    identity: hub.identity,
    listen,
    authenticate: async (connect) => {
      if ((await waitFor(hub, "connection")) !== undefined) {
        // not known: what a client sees when a hub has too many new connections; assumed.
        return { code: SERVER_UNAVAILABLE, note: "too many new connections a second" };
      }
      const record = sandbox.hubs.get(hubName);
      return record === undefined
        ? { code: sandbox.switches.hubRefusalCode, note: "The hub has been deleted" }
        : authenticate(sandbox, record, registry, hub.names, connect);
    },
    authorizeSubscribe: (deviceId, topic) => {
      const allowed =
        SUBSCRIPTIONS.includes(topic) || topic === `devices/${deviceId}/messages/devicebound/#`;
      // After the front has noted the subscription.
      queueMicrotask(() => connections.emit("subscribed", deviceId));
      return allowed;
    },
    refusePublish: (deviceId, topic, { status, message }) => {
      const query = (TWIN_GET.exec(topic) ?? TWIN_REPORT.exec(topic))?.[1];
      if (query === undefined) return false;
      const answer = `$iothub/twin/res/${status}/?$rid=${ridOf(query)}`;
      const body = deviceFault(status * 1000, message, sandbox.clock.now());
      return connections.publish(deviceId, answer, body);
    },
    onPublish: async (deviceId, topic, payload) => {
      const outcome = await receive(hub, deviceId, topic, payload);
      sandbox.log.record({
        service: "iot-hub-device",
        instance: hubName,
        protocol: "mqtt",
        method: "PUBLISH",
        path: topic,
        status: outcome?.status ?? 0,
        note: outcome === undefined ? `${deviceId}: no such topic` : (outcome.note ?? deviceId),
      });
      if (outcome === undefined) {
        // The hub closes the connection of a device that publishes elsewhere.
        front.disconnect(deviceId);
      }
    },
    onConnect: (deviceId) => {
      // Disabled or deleted while it was connecting.
      if (registry.find(deviceId)?.status !== "enabled") {
        return front.disconnect(deviceId);
      }
      registry.noteActivity(deviceId, true);
    },
    onDisconnect: (deviceId) => {
      registry.noteActivity(deviceId, true);
      connections.emit("disconnected", deviceId);
    },
  });
  connections.attach(front);
  return front;
}

/** Undefined for a topic that is none of the hub's. */
async function receive(
  hub: DeviceHub,
  deviceId: string,
  topic: string,
  payload: Buffer,
): Promise<Outcome | undefined> {
  const events = `devices/${deviceId}/messages/events/`;
  if (topic.startsWith(events)) {
    const properties = Object.fromEntries(
      new URLSearchParams(topic.slice(events.length).replace(/^\?/, "")),
    );
    recordTelemetry(hub.sandbox, hub.hubName, deviceId, { properties, payload });
    hub.registry.noteActivity(deviceId, false);
    return { status: 0 };
  }
  const answer = METHOD_ANSWER.exec(topic);
  if (answer !== null) {
    return methodAnswer(hub, deviceId, Number(answer[1]), ridOf(answer[2]), payload);
  }
  const get = TWIN_GET.exec(topic);
  if (get !== null) {
    return twinAnswer(hub, deviceId, "twinRead", new URLSearchParams(get[1]), () => ({
      status: 200,
      body: showToDevice(hub.registry.get(deviceId)),
    }));
  }
  const report = TWIN_REPORT.exec(topic);
  if (report !== null) {
    const query = new URLSearchParams(report[1]);
    return twinAnswer(hub, deviceId, "twinUpdate", query, () => {
      const patch = parseJson(payload);
      const { reported } = hub.registry.reportTwin(deviceId, patch, versionOf(query));
      return { status: 204, version: reported.version };
    });
  }
  return undefined;
}

function methodAnswer(
  hub: DeviceHub,
  deviceId: string,
  status: number,
  rid: string,
  payload: Buffer,
): Outcome {
  let body: unknown = null;
  if (payload.length > 0) {
    try {
      body = JSON.parse(payload.toString("utf8"));
    } catch {
      // not known: what the caller of a method gets when the device answers with what is no JSON. It
      // goes on waiting.
      return { status: 400, note: `${deviceId}: the answer is not valid JSON` };
    }
  }
  const awaited = hub.methods.respond(deviceId, rid, { status, payload: body });
  return awaited ? { status } : { status, note: `${deviceId}: nobody waits for this answer` };
}

/** Runs a twin request and answers it on the device's response topic. */
async function twinAnswer(
  hub: DeviceHub,
  deviceId: string,
  limit: LimitedOperation,
  query: URLSearchParams,
  run: () => { status: number; body?: unknown; version?: number },
): Promise<Outcome> {
  const now = hub.sandbox.clock.now();
  let answer: ReturnType<typeof run>;
  let note: string | undefined;
  try {
    const wait = await waitFor(hub, limit);
    answer =
      wait === undefined
        ? run()
        : { status: 429, body: deviceFault(429001, `Wait ${wait} seconds and try again.`, now) };
  } catch (error) {
    if (!(error instanceof HubFault)) {
      throw error;
    }
    note = `${deviceId}: ${error.code}: ${error.message}`;
    const body = deviceFault(error.number, error.message, now);
    answer = { status: error.statusCode, body };
  }
  const version = answer.version === undefined ? "" : `&$version=${answer.version}`;
  const topic = `$iothub/twin/res/${answer.status}/?$rid=${query.get("$rid") ?? ""}${version}`;
  hub.registry.connections.publish(deviceId, topic, answer.body);
  return note === undefined ? { status: answer.status } : { status: answer.status, note };
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    throw new HubFault("IotHubFormatError", "The payload is not valid JSON");
  }
}

/** The version that the device's patch was made for, if it says so. */
function versionOf(query: URLSearchParams): number | undefined {
  const version = query.get("$version");
  return version === null ? undefined : Number(version);
}

function ridOf(query: string | undefined): string {
  return new URLSearchParams(query ?? "").get("$rid") ?? "";
}
