/**
 * MQTT 3.1.1 over TLS for devices: one listener and one broker per DPS instance or hub. Nothing is
 * passed from one device to another; what a device publishes goes to its service alone, and the
 * service answers that one device.
 */
import { setTimeout } from "node:timers/promises";
import { createServer } from "node:tls";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Aedes, AuthenticateError, Client, Connection } from "aedes" with {
  "resolution-mode": "import",
};
import { Connections } from "./connections";
import { injected } from "./fault-hooks";
import { tlsServerOptions } from "./http";
import type { InjectedFault } from "./injected-faults";
import type { Sandbox, ServerIdentity } from "./model";
import { NoExchange } from "./no-exchange";
import { peerChain, peerLeaf } from "./peer-chain";
import type { LoggedRequest } from "./request-log";

/** What a client says when it connects. */
export interface MqttConnect {
  clientId: string;
  /** Empty when none was sent. */
  username: string;
  /** Undefined when none was sent. Never to be logged. */
  password: string | undefined;
  /**
   * Presented certificates, DER, leaf first; empty when none was presented. To be asked before the
   * client has its answer: a connection that is over has no certificates any more.
   */
  readonly peerChain: () => Buffer[];
  /** The first of them; much quicker than all of them. */
  readonly peerLeaf: () => Buffer | undefined;
}

/**
 * CONNACK return code (MQTT 3.1.1, 3.2.2.3; 0: accepted), with a note for the request log; the client
 * learns only the code.
 */
export type ConnectAnswer = number | { code: number; note: string };

export interface PublishRefusal {
  status: 429 | 500;
  retryAfterSeconds: number;
  message: string;
}

export interface MqttFrontOptions {
  sandbox: Pick<Sandbox, "log"> & Partial<Pick<Sandbox, "faults">>;
  service: LoggedRequest["service"];
  /** Name of the DPS instance or hub. */
  instance: string;
  identity: ServerIdentity;
  /** Loopback address; port 0 takes any free one. */
  listen: { address: string; port: number };
  authenticate(connect: MqttConnect): ConnectAnswer | Promise<ConnectAnswer>;
  /** False: the SUBACK refuses the topic (0x80). Asked again when a stored session is resumed. */
  authorizeSubscribe(clientId: string, topic: string): boolean;
  /**
   * Called in the order of arrival, before the packet is acknowledged. It writes the request log,
   * because it knows the status. When it throws, the client is disconnected.
   */
  onPublish(clientId: string, topic: string, payload: Buffer): void | Promise<void>;
  /**
   * Answers a published request with a status of the service's own, for a fault that somebody ordered.
   * False: nothing in the protocol answers this topic; the client is then disconnected.
   */
  refusePublish?(clientId: string, topic: string, refusal: PublishRefusal): boolean;
  /** The client is connected and can be published to. */
  onConnect?(clientId: string): void;
  /** The client's connection is over, whoever ended it; also before a newer one takes its place. */
  onDisconnect?(clientId: string): void;
}

export interface MqttFront {
  port: number;
  /**
   * Publishes with QoS 0 to one client. False when it is not connected, or not subscribed to the
   * topic: nothing is sent or stored then.
   */
  publishTo(clientId: string, topic: string, payload: Buffer): boolean;
  /**
   * Ends the client's connection; does nothing when there is none.
   * @param forget also drop what an earlier connection without "clean session" left: subscriptions
   */
  disconnect(clientId: string, forget?: boolean): void;
  isConnected(clientId: string): boolean;
  /** Is it connected, with a subscription that covers the topic? */
  isSubscribed(clientId: string, topic: string): boolean;
  /** Serves a connection that came in elsewhere, with the certificates presented there. */
  accept: (connection: Duplex, presented: Buffer[]) => void;
  /** Ends all connections and the listener. */
  close(): Promise<void>;
}

/** aedes keeps stored sessions here; its type declarations leave the property away. */
interface WithPersistence {
  persistence: { cleanSubscriptions(client: { id: string }): Promise<unknown> };
}

/** As above. */
interface Pausable {
  pause(): void;
}

const ACCEPTED = 0;
/** Nobody can subscribe to it: services allow only topics of their own. */
const NOWHERE = "sandbox/received";

/** Throws when the port is taken. */
export async function startMqttFront(options: MqttFrontOptions): Promise<MqttFront> {
  // aedes is an ES module, and the sandbox is CommonJS.
  const { Aedes } = await import("aedes");
  const broker = await Aedes.createBroker({ mq: new NoExchange() });
  const clients = new Clients(broker, options);
  const server = createServer(tlsServerOptions(options.identity, true));
  const connections = new Connections(server);
  server.on("secureConnection", (socket) => broker.handle(socket));
  // A handshake that fails has no MQTT client yet; Node destroys its socket.
  server.on("tlsClientError", () => undefined);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.listen.port, options.listen.address, resolve);
    });
  } catch (error) {
    await new Promise<void>((resolve) => broker.close(resolve));
    throw error;
  }
  return {
    port: (server.address() as AddressInfo).port,
    publishTo: (clientId, topic, payload) => clients.publishTo(clientId, topic, payload),
    disconnect: (clientId, forget = false) => clients.disconnect(clientId, forget),
    isConnected: (clientId) => clients.isConnected(clientId),
    isSubscribed: (clientId, topic) => clients.isSubscribed(clientId, topic),
    accept: (connection, presented) => {
      connections.add(connection);
      // A client that goes away in the middle of a frame.
      connection.on("error", () => connection.destroy());
      clients.presented.set(connection, presented);
      broker.handle(connection);
    },
    close: async () => {
      clients.closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => broker.close(resolve));
      // Connections that have not come as far as CONNECT are unknown to the broker.
      connections.end();
      await closed;
    },
  };
}

/** The connected clients of one broker, and what they may do. */
class Clients {
  private readonly connected = new Map<string, Client>();
  private readonly topics = new WeakMap<Client, Set<string>>();
  /** Clients whose answers are lost. */
  private readonly muted = new Set<string>();
  /** The records may be gone already when a client that is on its way gets here. */
  closing = false;
  /** Certificates of connections that are not TLS sockets themselves. */
  readonly presented = new WeakMap<object, Buffer[]>();

  constructor(
    private readonly broker: Aedes,
    private readonly options: MqttFrontOptions,
  ) {
    broker.preConnect = (client, _packet, done) => {
      // aedes pauses a client while it is authenticated, but one turn late: a packet that comes in between
      // would be handled before anybody knows who the client is.
      (client as Client & Pausable).pause();
      done(null, true);
    };
    broker.authenticate = (client, username, password, done) => {
      void this.authenticate(client, username, password).then(
        (code) => (code === ACCEPTED ? done(null, true) : done(refusal(code), false)),
        (error: unknown) => done(this.failed(error), false),
      );
    };
    broker.authorizeSubscribe = (client, subscription, done) => {
      const { topic } = subscription;
      const allowed = options.authorizeSubscribe(client.id, topic);
      if (allowed) {
        this.topicsOf(client).add(topic);
      }
      this.record("SUBSCRIBE", topic, ACCEPTED, allowed ? client.id : `${client.id}: refused`);
      done(null, allowed ? subscription : null);
    };
    broker.authorizePublish = (client, packet, done) => {
      if (client === null) {
        return done(new Error("no client"));
      }
      const { topic } = packet;
      const payload = Buffer.from(packet.payload);
      packet.topic = NOWHERE;
      packet.retain = false;
      if (packet.qos === 2) {
        // learn.microsoft.com/azure/iot/iot-mqtt-connect-to-iot-hub: the connection is closed.
        this.record("PUBLISH", topic, ACCEPTED, `${client.id}: QoS 2 is not supported`);
        return done(new Error("QoS 2"));
      }
      void this.publish(client.id, topic, payload).then(
        () => {
          oneWrite(client.conn);
          done(null);
        },
        (error: unknown) => done(this.failed(error)),
      );
    };
    broker.on("unsubscribe", (topics, client) => {
      topics.forEach((topic) => this.topicsOf(client).delete(topic));
    });
    broker.on("client", (client) => {
      this.connected.set(client.id, client);
      options.onConnect?.(client.id);
    });
    broker.on("clientDisconnect", (client) => {
      if (this.connected.get(client.id) === client) {
        this.connected.delete(client.id);
      }
      options.onDisconnect?.(client.id);
    });
  }

  publishTo(clientId: string, topic: string, payload: Buffer): boolean {
    const client = this.connected.get(clientId);
    // An answer that is to be lost.
    if (this.muted.has(clientId)) return true;
    if (client === undefined || !this.isSubscribed(clientId, topic)) {
      return false;
    }
    const packet = { cmd: "publish", topic, payload, qos: 0, retain: false, dup: false } as const;
    client.publish(packet, () => undefined);
    return true;
  }

  disconnect(clientId: string, forget: boolean): void {
    const client = this.connected.get(clientId);
    // At once: closing takes a few turns of the event loop.
    this.connected.delete(clientId);
    client?.close();
    if (forget) {
      const { persistence } = this.broker as unknown as WithPersistence;
      void persistence.cleanSubscriptions({ id: clientId }).catch((error) => this.failed(error));
    }
  }

  isConnected(clientId: string): boolean {
    return this.connected.has(clientId);
  }

  isSubscribed(clientId: string, topic: string): boolean {
    const client = this.connected.get(clientId);
    return client !== undefined && [...this.topicsOf(client)].some((one) => covers(one, topic));
  }

  private async authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<number> {
    if (this.closing) return SERVER_UNAVAILABLE;
    const fault = this.strike("CONNECT", username ?? "");
    if (fault?.kind === "latency") await setTimeout(fault.wait);
    else if (fault !== undefined) {
      this.record(
        "CONNECT",
        username ?? "",
        SERVER_UNAVAILABLE,
        `${client.id}: ${injected(fault)}`,
      );
      // MQTT 3.1.1 knows one code for a server that cannot serve; the others end without an answer.
      if (fault.kind !== "error" && fault.kind !== "throttle") client.conn.destroy();
      return SERVER_UNAVAILABLE;
    }
    const presented = this.presented.get(client.conn);
    const socket = client.conn as Connection & Socket;
    const answer = await this.options.authenticate({
      clientId: client.id,
      username: username ?? "",
      password: password?.toString("utf8"),
      peerChain: () => presented ?? peerChain(socket),
      peerLeaf: () => (presented === undefined ? peerLeaf(socket) : presented[0]),
    });
    const { code, note } = typeof answer === "number" ? { code: answer, note: "" } : answer;
    this.record("CONNECT", username ?? "", code, note === "" ? client.id : `${client.id}: ${note}`);
    return code;
  }

  private async publish(clientId: string, topic: string, payload: Buffer): Promise<void> {
    const fault = this.strike("PUBLISH", topic);
    if (fault === undefined) return this.options.onPublish(clientId, topic, payload);
    const note = `${clientId}: ${injected(fault)}`;
    switch (fault.kind) {
      case "latency":
        await setTimeout(fault.wait);
        return this.options.onPublish(clientId, topic, payload);
      case "lost-response":
        this.muted.add(clientId);
        await this.options.onPublish(clientId, topic, payload);
        this.muted.delete(clientId);
        return this.disconnect(clientId, false);
      case "error":
      case "throttle": {
        const status = fault.kind === "error" ? 500 : 429;
        const refusal = {
          status,
          retryAfterSeconds: fault.wait,
          message: injected(fault),
        } as const;
        this.record("PUBLISH", topic, status, note);
        if (this.options.refusePublish?.(clientId, topic, refusal) === true) return;
        return this.disconnect(clientId, false);
      }
      case "reset":
      case "etag-conflict":
        this.record("PUBLISH", topic, ACCEPTED, note);
        return this.disconnect(clientId, false);
    }
  }

  private strike(method: string, path: string): InjectedFault | undefined {
    const { sandbox, service } = this.options;
    return sandbox.faults?.strike({ service, method, path });
  }

  private record(method: string, path: string, status: number, note: string): void {
    const { service, instance, sandbox } = this.options;
    sandbox.log.record({ service, instance, protocol: "mqtt", method, path, status, note });
  }

  /**
   * A defect of the sandbox: it must be seen, and must not pass for an answer. Not while it closes, which
   * ends what is under way.
   */
  private failed(error: unknown): AuthenticateError {
    if (!this.closing) console.error("The sandbox failed while it served an MQTT client:", error);
    return refusal(SERVER_UNAVAILABLE);
  }

  private topicsOf(client: Client): Set<string> {
    const topics = this.topics.get(client) ?? new Set<string>();
    this.topics.set(client, topics);
    return topics;
  }
}

const SERVER_UNAVAILABLE = 3;

/** The acknowledgement and the answer, which aedes writes one turn later, leave in one TLS record. */
function oneWrite(connection: Connection): void {
  connection.cork();
  setImmediate(() => connection.uncork());
}

function refusal(returnCode: number): AuthenticateError {
  return Object.assign(new Error(`refused with return code ${returnCode}`), { returnCode });
}

/** Topic filters of MQTT 3.1.1, 4.7: `+` is one level, `#` at the end is all that follow. */
function covers(filter: string, topic: string): boolean {
  const levels = topic.split("/");
  const wanted = filter.split("/");
  const rest = wanted.indexOf("#");
  const compared = rest === -1 ? wanted : wanted.slice(0, rest);
  return (
    (rest === -1 ? levels.length === wanted.length : levels.length >= rest) &&
    compared.every((level, index) => level === "+" || level === levels[index])
  );
}
