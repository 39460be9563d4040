import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { connect as connectSocket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { FastifyInstance } from "fastify";
import { OffsetClock } from "../../../sandbox/common/clock";
import { HttpError } from "../../../sandbox/common/errors";
import { createApp, listen } from "../../../sandbox/common/http";
import { acceptMqttOverWebSockets } from "../../../sandbox/common/mqtt-websocket";
import { peerChain } from "../../../sandbox/common/peer-chain";
import { RequestLog, type LoggedRequest } from "../../../sandbox/common/request-log";
import { TlsRoot } from "../../../sandbox/common/tls";
import { TestCa } from "../../support/test-ca";

describe("HTTPS listeners of the sandbox", () => {
  const logged: LoggedRequest[] = [];
  let app: FastifyInstance;
  let log: RequestLog;
  let ca: string;
  let port: number;

  before(async () => {
    const root = await TlsRoot.create();
    ca = root.certificatePem;
    log = new RequestLog(undefined, () => new Date(0));
    log.on("request", (entry) => logged.push(entry));
    app = createApp(
      { log, clock: new OffsetClock() },
      {
        service: (path) => (path.startsWith("/device") ? "dps-device" : "dps-service"),
        instance: "dps",
        identity: await root.serverIdentity(["localhost", "127.0.0.1"]),
        clientCertificates: true,
        errorBody: ({ status, message }) => new HttpError(status, { mine: message }),
      },
    );
    app.get("/device/chain", async (incoming) =>
      peerChain(incoming.raw.socket).map((der) => der.toString("base64")),
    );
    app.all("/Echo/:Name", async (incoming) => ({ params: incoming.params, body: incoming.body }));
    app.get("/defect", async () => {
      throw new Error("a defect");
    });
    port = await listen(app, "127.0.0.1", 0);
  });

  after(() => app.close());
  beforeEach(() => void logged.splice(0));

  it("see the presented chain, leaf first, though it reaches no root they know", async () => {
    const root = await TestCa.root("Root");
    const upper = await root.intermediate("Upper");
    const lower = await upper.intermediate("Lower");
    const leaf = await lower.leaf("device");
    const expected = [leaf.der, lower.der, upper.der].map((der) => der.toString("base64"));
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const client = { cert: leaf.chainPem, key: leaf.key, maxVersion };
      assert.deepEqual((await send("GET", "/device/chain", undefined, client)).body, expected);
    }
    assert.deepEqual((await send("GET", "/device/chain")).body, []);
    assert.equal(logged[0]?.service, "dps-device");
  });

  it("see it in the order in which it was presented, with what does not belong to it", async () => {
    const root = await TestCa.root("Root");
    const upper = await root.intermediate("Upper");
    const lower = await upper.intermediate("Lower");
    const other = await TestCa.root("Other");
    const leaf = await lower.leaf("device");
    const after = [root, other, upper, upper, lower].map(({ certificate }) => certificate);
    const expected = [leaf, ...after].map(({ der }) => der.toString("base64"));
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const cert = [leaf, ...after].map(({ pem }) => pem).join("");
      const client = { cert, key: leaf.key, maxVersion };
      assert.deepEqual((await send("GET", "/device/chain", undefined, client)).body, expected);
    }
  });

  it("resume no session, because a resumed one has lost the intermediates", async () => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      let session: Buffer | undefined;
      for (const expected of [false, false]) {
        const options = { host: "127.0.0.1", port, ca, maxVersion };
        const socket: TLSSocket = connect(
          session === undefined ? options : { ...options, session },
        );
        socket.on("session", (ticket) => (session = ticket));
        await once(socket, "secureConnect");
        socket.write("GET /device/chain HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.resume();
        assert.equal(socket.isSessionReused(), expected);
        await once(socket, "close");
        session ??= socket.getSession();
      }
    }
  });

  it("take paths in any case, keep the case of names, and ignore a slash at the end", async () => {
    const { status, body } = await send("GET", "/eCHo/MiXed%20name/");
    assert.deepEqual([status, body], [200, { params: { Name: "MiXed name" } }]);
  });

  it("take empty JSON bodies, text, and a body on GET", async () => {
    const echo = async (method: string, body: string | undefined, type?: string) => {
      const headers = type === undefined ? {} : { "content-type": type };
      return (await send(method, "/echo/x", body, { headers })).body as { body?: unknown };
    };
    assert.equal((await echo("PUT", "", "application/json")).body, undefined);
    assert.deepEqual((await echo("PUT", '{"a":1}', "application/json; charset=utf-8")).body, {
      a: 1,
    });
    assert.equal((await echo("PUT", "text", "text/plain")).body, "text");
    assert.equal((await echo("POST", "text")).body, "text");
    assert.equal((await echo("DELETE", undefined)).body, undefined);
    assert.equal((await echo("GET", "{}", "application/json")).body, undefined);
  });

  it("give every failure the service's own body and log it", async () => {
    const { error } = console;
    console.error = () => undefined;
    try {
      const rows: [string, string, string | undefined, number, RegExp][] = [
        ["PATCH", "/unknown?secret=1", undefined, 501, /PATCH \/unknown$/],
        ["PUT", "/echo/x", "{", 400, /not valid JSON/],
        ["GET", "/echo/%zz", undefined, 400, /not a valid url/],
        ["GET", "/defect", undefined, 500, /The sandbox failed: Error: a defect/],
      ];
      for (const [method, path, body, status, message] of rows) {
        const headers = { "content-type": "application/json" };
        const answer = await send(method, path, body, { headers });
        assert.equal(answer.status, status);
        assert.match((answer.body as { mine: string }).mine, message);
      }
    } finally {
      console.error = error;
    }
    assert.deepEqual(
      logged.map(({ method, path, status }) => `${method} ${path} ${status}`),
      ["PATCH /unknown 501", "PUT /echo/x 400", "GET /echo/%zz 400", "GET /defect 500"],
    );
  });

  it("end all connections when they close, however far these have come", async () => {
    const root = await TlsRoot.create();
    const other = createApp(
      { log, clock: new OffsetClock() },
      {
        service: "dps-device",
        instance: "dps",
        identity: await root.serverIdentity(["localhost"]),
        clientCertificates: true,
      },
    );
    const refused: number[] = [];
    acceptMqttOverWebSockets(
      other.server,
      (connection) => connection.on("error", () => undefined),
      (_path, status) => refused.push(status),
    );
    const at = { port: await listen(other, "127.0.0.1", 0), host: "127.0.0.1" };
    const trusting = { ...at, servername: "localhost", ca: root.certificatePem };
    const beforeTls = connectSocket(at);
    await once(beforeTls, "connect");
    const silent = connect(trusting);
    await once(silent, "secureConnect");
    // It never closes its own side.
    const upgraded = connect({
      ...trusting,
      socket: connectSocket({ ...at, allowHalfOpen: true }),
    });
    const headers = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    upgraded.write(`GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
    await once(upgraded, "data");
    assert.deepEqual(refused, [404]);
    const ended = [beforeTls, silent].map((socket) => {
      socket.on("error", () => undefined);
      return new Promise((resolve) => socket.once("close", resolve));
    });
    await other.close();
    await Promise.all(ended);
    upgraded.destroy();
  });

  it("keep an answer back for as long as somebody holds it", async () => {
    const order: string[] = [];
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const stop = log.hold(async ({ path, status }) => {
      order.push(`${path} ${status} carried out`);
      await released;
    });
    try {
      const answer = send("GET", "/echo/held").then(() => order.push("answered"));
      await once(log, "request");
      stop();
      await send("GET", "/echo/other");
      order.push("other answered");
      release();
      await answer;
      assert.deepEqual(order, ["/echo/held 200 carried out", "other answered", "answered"]);
    } finally {
      stop();
    }
  });

  function send(method: string, path: string, body?: string, options: object = {}) {
    const { headers = {}, ...tls } = options as { headers?: Record<string, string> };
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    return new Promise<{ status: number; body: unknown }>((resolve, reject) => {
      const outgoing = request(
        {
          agent: false,
          host: "127.0.0.1",
          port,
          ca,
          method,
          path,
          ...tls,
          headers: { ...length, ...headers },
        },
        (response) => {
          let text = "";
          response.on("data", (data: Buffer) => (text += data.toString()));
          response.on("end", () => {
            const parsed: unknown = text === "" ? undefined : JSON.parse(text);
            resolve({ status: response.statusCode ?? 0, body: parsed });
          });
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }
});
