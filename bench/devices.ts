/**
 * Devices as cheap as they can be, so that the server is what is measured: bare MQTT packets and plain
 * HTTPS over one TLS connection each, with what Microsoft's device SDK sends and in its order.
 */
import { once } from "node:events";
import { Agent, request } from "node:https";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { generate, parser, type Packet } from "mqtt-packet";
import type { EndpointsFile } from "../sandbox/endpoints";
import type { TestCa } from "../test/support/test-ca";

export interface Device {
  id: string;
  /** Leaf, intermediate and key, and the server roots to trust: read once, before anything is timed. */
  context: SecureContext;
}

/** @param trusted PEM of the servers' roots */
export async function makeDevices(
  ca: TestCa,
  trusted: string[],
  prefix: string,
  count: number,
): Promise<Device[]> {
  const devices: Device[] = [];
  for (let index = 0; index < count; index++) {
    const id = `${prefix}-${index}`;
    const { chainPem: cert, key } = await ca.leaf(id);
    devices.push({ id, context: createSecureContext({ cert, key, ca: trusted }) });
  }
  return devices;
}

/** A full handshake, in which both sides prove themselves, and one byte from the server. */
export async function handshake(port: number, device: Device): Promise<void> {
  const socket = await open(port, device);
  if (socket.readableLength === 0) await once(socket, "readable");
  socket.destroy();
}

const REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid=1";
const POLL = "$dps/registrations/GET/iotdps-get-operationstatus/";
const API = "api-version=2019-03-31";

interface Answer {
  operationId: string;
  status: string;
}

/** CONNECT, SUBSCRIBE, registration, one poll. */
export async function registerOverMqtt(endpoints: EndpointsFile, device: Device): Promise<void> {
  const { idScope, device: address } = endpoints.provisioningServices[0]!;
  const wire = await MqttWire.open(portOf(address.mqtt), device, {
    username: `${idScope}/registrations/${device.id}/${API}&ClientVersion=bench`,
    clean: true,
  });
  await wire.subscribe("$dps/registrations/res/#");
  const ask = async (topic: string, payload: string): Promise<Answer> =>
    JSON.parse(await wire.request(topic, payload)) as Answer;
  const { operationId, status } = await ask(
    REGISTER,
    JSON.stringify({ registrationId: device.id }),
  );
  must(device, "assigning", status);
  const poll = await ask(`${POLL}?$rid=2&operationId=${operationId}`, " ");
  must(device, "assigned", poll.status);
  wire.close();
}

/** Registration and one poll, on one connection. */
export async function registerOverHttps(endpoints: EndpointsFile, device: Device): Promise<void> {
  const { idScope, device: address } = endpoints.provisioningServices[0]!;
  const { port } = new URL(address.https);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
  const common = { host: "127.0.0.1", port, servername: "localhost", agent };
  const call = async (method: string, path: string, body = ""): Promise<Answer> => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const options = { ...common, secureContext: device.context, method, path, headers };
    const outgoing = request(options).end(body);
    const [response] = (await once(outgoing, "response")) as [AsyncIterable<Buffer>];
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part);
    return JSON.parse(Buffer.concat(parts).toString()) as Answer;
  };
  const base = `/${idScope}/registrations/${device.id}`;
  const body = JSON.stringify({ registrationId: device.id });
  const { operationId, status } = await call("PUT", `${base}/register?${API}`, body);
  must(device, "assigning", status);
  must(device, "assigned", (await call("GET", `${base}/operations/${operationId}?${API}`)).status);
  agent.destroy();
}

/** A device that is connected to its hub and stays so. */
export interface Connected {
  /** Asks the hub for the device's twin: the connection is alive and so is what stands behind it. */
  twin(): Promise<void>;
  close(): void;
}

export async function connectToHub(endpoints: EndpointsFile, device: Device): Promise<Connected> {
  const hub = endpoints.iotHubs[0]!;
  const wire = await MqttWire.open(portOf(hub.mqtt), device, {
    username: `${hub.hostName}/${device.id}/?api-version=2021-04-12`,
    clean: false,
  });
  await wire.subscribe("$iothub/twin/res/#");
  return {
    twin: async () => {
      const twin = JSON.parse(await wire.request("$iothub/twin/GET/?$rid=1", " ")) as object;
      if (!("desired" in twin)) throw new Error(`${device.id}: that is no twin`);
    },
    close: () => wire.close(),
  };
}

/** One MQTT 3.1.1 connection that asks one thing at a time. */
class MqttWire {
  private readonly arrived: Packet[] = [];
  private wake: () => void = () => undefined;
  private fault: Error | undefined;
  private messageId = 0;

  private constructor(private readonly socket: TLSSocket) {
    const reader = parser({ protocolVersion: 4 });
    reader.on("packet", (packet) => {
      this.arrived.push(packet);
      this.wake();
    });
    reader.on("error", (error: Error) => socket.destroy(error));
    socket.on("data", (data: Buffer) => reader.parse(data));
    socket.on("error", (error: Error) => (this.fault = error));
    socket.on("close", () => {
      this.fault ??= new Error("the connection was closed");
      this.wake();
    });
  }

  static async open(
    port: number,
    device: Device,
    session: { username: string; clean: boolean },
  ): Promise<MqttWire> {
    const wire = new MqttWire(await open(port, device));
    const connect = { protocolId: "MQTT", protocolVersion: 4, keepalive: 0 } as const;
    wire.send({ cmd: "connect", clientId: device.id, ...connect, ...session });
    const { returnCode } = (await wire.next("connack")) as { returnCode?: number };
    if (returnCode !== 0) throw new Error(`${device.id}: refused with return code ${returnCode}`);
    return wire;
  }

  async subscribe(topic: string): Promise<void> {
    const messageId = ++this.messageId;
    this.send({ cmd: "subscribe", messageId, subscriptions: [{ topic, qos: 1 }] });
    await this.next("suback");
  }

  /** The payload of the message that answers. */
  async request(topic: string, payload: string): Promise<string> {
    const messageId = ++this.messageId;
    this.send({ cmd: "publish", topic, payload, qos: 1, messageId, dup: false, retain: false });
    const answer = await this.next("publish");
    return (answer as { payload: Buffer }).payload.toString();
  }

  close(): void {
    this.socket.destroy();
  }

  private send(packet: Packet): void {
    this.socket.write(generate(packet));
  }

  /** Acknowledgements of what was published are passed over. */
  private async next(wanted: Packet["cmd"]): Promise<Packet> {
    for (;;) {
      for (let packet = this.arrived.shift(); packet !== undefined; packet = this.arrived.shift()) {
        if (packet.cmd === wanted) return packet;
        if (packet.cmd !== "puback") throw new Error(`${packet.cmd} in place of ${wanted}`);
      }
      if (this.fault !== undefined) throw this.fault;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

async function open(port: number, { context }: Device): Promise<TLSSocket> {
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: "localhost",
    secureContext: context,
  });
  await once(socket, "secureConnect");
  if (socket.isSessionReused()) throw new Error("a session was resumed: this is no full handshake");
  return socket;
}

function must({ id }: Device, wanted: string, found: string): void {
  if (found !== wanted) throw new Error(`${id}: status is "${found}" and not "${wanted}"`);
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
