import assert from "node:assert/strict";
import { once, type EventEmitter } from "node:events";
import { connect as connectTls, type SecureVersion } from "node:tls";
import { connect as connectSocket, type Socket } from "node:net";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { generate, type IConnectPacket } from "mqtt-packet";
import {
  startMqttFront,
  type MqttFront,
  type MqttFrontOptions,
} from "../../../sandbox/common/mqtt-front";
import { RequestLog, type LoggedRequest } from "../../../sandbox/common/request-log";
import { TlsRoot } from "../../../sandbox/common/tls";
import { TestCa, type Issued } from "../../support/test-ca";
import { publish, subscribe } from "../openssl/mqtt-packets";

describe("the MQTT listener", () => {
  let tls: TlsRoot;
  let leaf: Issued;
  let front: MqttFront;
  let base: MqttFrontOptions;
  let requests: LoggedRequest[];
  let received: { clientId: string; topic: string; text: string }[];
  let presented: { chain: Buffer[]; leaf: Buffer | undefined }[];
  let ended: string[];
  const clients: MqttClient[] = [];

  before(async () => {
    tls = await TlsRoot.create();
    const intermediate = await (await TestCa.root("Root")).intermediate("Intermediate");
    leaf = await intermediate.leaf("a");
  });

  beforeEach(async () => {
    requests = [];
    received = [];
    presented = [];
    ended = [];
    const log = new RequestLog(undefined, () => new Date());
    log.on("request", (request) => requests.push(request));
    base = {
      sandbox: { log },
      service: "iot-hub-device",
      instance: "alpha",
      identity: await tls.serverIdentity(["localhost"]),
      listen: { address: "127.0.0.1", port: 0 },
      authenticate: (connection) => {
        presented.push({ chain: connection.peerChain(), leaf: connection.peerLeaf() });
        return connection.username === "good"
          ? 0
          : { code: Number(connection.username), note: "no" };
      },
      authorizeSubscribe: (clientId, topic) => topic === "answers/#" || topic === `own/${clientId}`,
      onPublish: (clientId, topic, payload) => {
        received.push({ clientId, topic, text: payload.toString() });
        front.publishTo(clientId, `answers/${topic}`, payload);
      },
      onDisconnect: (clientId) => ended.push(clientId),
    };
    front = await startMqttFront(base);
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
    await front.close();
  });

  function open(clientId: string, options: Options = {}): MqttClient {
    const client = connect(`mqtts://localhost:${front.port}`, {
      clientId,
      username: "good",
      protocolVersion: 4,
      reconnectPeriod: 0,
      ca: tls.certificatePem,
      ...options,
    });
    client.on("error", () => undefined);
    clients.push(client);
    return client;
  }

  async function opened(clientId: string, options: Options = {}): Promise<MqttClient> {
    const client = open(clientId, options);
    await heard(client, "connect");
    return client;
  }

  const messagesOf = (client: MqttClient): string[] => {
    const messages: string[] = [];
    client.on("message", (topic, payload) => messages.push(`${topic} ${payload.toString()}`));
    return messages;
  };

  it("answers only the client that asked", async () => {
    const [a, b] = [await opened("a"), await opened("b")];
    await a.subscribeAsync("answers/#");
    await b.subscribeAsync("answers/#");
    const [forA, forB] = [messagesOf(a), messagesOf(b)];
    await a.publishAsync("question", "1", { qos: 1 });
    await b.publishAsync("question", "2", { qos: 1 });
    await Promise.all([forA, forB].map((messages, index) => arrived([a, b][index]!, messages)));
    assert.deepEqual(forA, ["answers/question 1"]);
    assert.deepEqual(forB, ["answers/question 2"]);
    assert.deepEqual(received.map(({ clientId }) => clientId).sort(), ["a", "b"]);
  });

  it("does not pass on what one client publishes to a topic of another", async () => {
    const [a, b] = [await opened("a"), await opened("b")];
    const messages = messagesOf(b);
    await b.subscribeAsync("own/b");
    await a.publishAsync("own/b", "forged", { qos: 1, retain: true });
    // Whatever was on its way to b is before this.
    assert.equal(front.publishTo("b", "own/b", Buffer.from("real")), true);
    await arrived(b, messages);
    assert.deepEqual(messages, ["own/b real"]);
  });

  it("refuses foreign topics in the SUBACK and sends nothing there", async () => {
    const a = await opened("a");
    const messages = messagesOf(a);
    for (const topic of ["#", "own/b", "$SYS/#", "sandbox/received"]) {
      await assert.rejects(a.subscribeAsync(topic), /Unspecified error|Subscribe error/i);
    }
    assert.equal(front.publishTo("a", "own/b", Buffer.from("x")), false);
    assert.equal(front.isSubscribed("a", "own/a"), false);
    await a.subscribeAsync("own/a");
    assert.equal(front.isSubscribed("a", "own/a"), true);
    await a.unsubscribeAsync("own/a");
    assert.equal(front.publishTo("a", "own/a", Buffer.from("x")), false);
    assert.deepEqual(messages, []);
  });

  for (const code of [2, 3, 4, 5]) {
    it(`sends CONNACK ${code} when the service says so, and logs why`, async () => {
      const client = open("a", { username: String(code) });
      const [error] = (await heard(client, "error")) as [Error & { code: number }];
      assert.equal(error.code, code);
      assert.equal(front.isConnected("a"), false);
      assert.deepEqual(
        requests.map(({ method, status, note }) => ({ method, status, note })),
        [{ method: "CONNECT", status: code, note: "a: no" }],
      );
    });
  }

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`hands over the presented chain, leaf first, with ${maxVersion}, also at the second time`, async () => {
      for (let count = 0; count < 2; count += 1) {
        const client = await opened("a", { cert: leaf.chainPem, key: leaf.key, maxVersion });
        await client.endAsync();
      }
      for (const { chain, leaf: first } of presented) {
        assert.equal(chain.length, 2);
        assert.deepEqual([chain[0], first], [leaf.der, leaf.der]);
      }
      await opened("b");
      assert.deepEqual(presented[2], { chain: [], leaf: undefined });
    });
  }

  it("gives the connection to the newer client of the same ID", async () => {
    const first = await opened("a");
    const closed = heard(first, "close");
    await opened("a");
    await closed;
    assert.deepEqual(ended, ["a"]);
    assert.equal(front.isConnected("a"), true);
  });

  it("ends a connection when the service asks, and says that it has ended", async () => {
    const client = await opened("a");
    const closed = heard(client, "close");
    front.disconnect("a");
    assert.equal(front.isConnected("a"), false);
    await closed;
    assert.deepEqual(ended, ["a"]);
    front.disconnect("nobody");
  });

  it("keeps the subscriptions of a session that is not clean, until they are forgotten", async () => {
    const session = { clean: false };
    const client = await opened("a", session);
    await client.subscribeAsync("own/a");
    await client.endAsync();
    const again = await opened("a", session);
    assert.equal(front.isSubscribed("a", "own/a"), true);
    const closed = heard(again, "close");
    front.disconnect("a", true);
    await closed;
    await opened("a", session);
    assert.equal(front.isSubscribed("a", "own/a"), false);
  });

  it("closes the connection of a client that publishes with QoS 2", async () => {
    const client = await opened("a");
    const closed = heard(client, "close");
    client.publish("question", "x", { qos: 2 });
    await closed;
    assert.deepEqual(received, []);
  });

  describe("knows who a client is before it hears it, whatever comes in right after CONNECT", () => {
    /** More than is read at once, so that a part of it arrives while the client is still let in. */
    const long = "x".repeat(200_000);
    const will = { topic: "question", payload: Buffer.from("forged"), qos: 0 as const };

    async function sent(odd: Partial<IConnectPacket>): Promise<Socket> {
      const hello = generate({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clean: true,
        clientId: "a",
        keepalive: 0,
        username: "good",
        ...odd,
      });
      const socket = connectTls({ port: front.port, host: "localhost", ca: tls.certificatePem });
      socket.on("error", () => undefined);
      await once(socket, "secureConnect");
      socket.write(Buffer.concat([hello, subscribe("answers/#"), publish("question", long)]));
      return socket;
    }

    it("as one that is admitted", async () => {
      const socket = await sent({});
      let heard = 0;
      for await (const piece of socket as AsyncIterable<Buffer>) {
        heard += piece.length;
        if (heard > long.length) break;
      }
      assert.deepEqual(received, [{ clientId: "a", topic: "question", text: long }]);
    });

    const refused: Record<string, Partial<IConnectPacket>> = {
      "refused by the service": { username: "5", will },
      "of another version": { protocolVersion: 5, will },
      "of the version before, with an ID that is too long for it": {
        protocolId: "MQIsdp",
        protocolVersion: 3,
        clientId: "a".repeat(24),
        will,
      },
    };
    for (const [title, odd] of Object.entries(refused)) {
      it(`and one that is not hears nothing: ${title}`, async () => {
        const socket = await sent(odd);
        // It may be reset while the client still writes, which is no matter here.
        await new Promise((resolve) => socket.resume().once("close", resolve));
        assert.deepEqual(received, []);
        const others = requests.filter(({ method }) => method !== "CONNECT");
        assert.deepEqual(others, []);
      });
    }
  });

  it("fails when its port is taken", async () => {
    const listen = { address: "127.0.0.1", port: front.port };
    await assert.rejects(startMqttFront({ ...base, listen }), { code: "EADDRINUSE" });
  });

  it("ends everything when it closes, also who has not come as far as TLS", async () => {
    const client = await opened("a");
    const raw = connectSocket(front.port, "127.0.0.1");
    raw.on("error", () => undefined);
    await once(raw, "connect");
    const closed = Promise.all([heard(client, "close"), once(raw, "close")]);
    await front.close();
    await closed;
    assert.equal(front.isConnected("a"), false);
  });
});

type Options = IClientOptions & { maxVersion?: SecureVersion };

/** The client's own event types know no "connect" for `once`. */
function heard(client: MqttClient, event: string): Promise<unknown[]> {
  return once(client as unknown as EventEmitter, event);
}

/** Until something has arrived. */
async function arrived(client: MqttClient, messages: string[]): Promise<void> {
  while (messages.length === 0) {
    await heard(client, "message");
  }
}
