/**
 * 2,000 malformed requests, the same ones each time: whatever comes, the sandbox goes on, never answers
 * that it failed, and nothing in it changes. `DPS_MALFORMED_SEED` tries others.
 */
import assert from "node:assert/strict";
import { Agent, request } from "node:https";
import { readFileSync } from "node:fs";
import { connect as connectTls } from "node:tls";
import { type AttachedSandbox, openAttached } from "../../clients/attached-sandbox";
import { EnrollmentsClient } from "../../../clients/enrollments";
import { TestCa } from "../../support/test-ca";
import { connect, publish, subscribe } from "../openssl/mqtt-packets";
import { Dice, malformed, type Malformed, type Model } from "./cases";

const SEED = Number(process.env["DPS_MALFORMED_SEED"] ?? 20_261_124);
const COLLECTIONS = [
  ...["resource-groups", "provisioning-services", "iot-hubs", "ca-certificates"],
  ...["dps-individual-enrollments", "dps-enrollment-groups", "dps-registrations", "dps-operations"],
  ...["hub-devices", "hub-modules", "hub-jobs", "hub-device-jobs"],
];

describe(`malformed requests (seed ${SEED})`, () => {
  let sandbox: AttachedSandbox;
  let ca: string;
  let agent: Agent;
  let models: Model[];
  const bases = new Map<Model["to"], { url: string; token: string }>();

  before(async () => {
    sandbox = await openAttached();
    ca = readFileSync(sandbox.endpoints().caFile, "utf8");
    agent = new Agent({ keepAlive: true, maxSockets: 8, ca });
    const { arm, provisioningServices, iotHubs } = sandbox.endpoints();
    const token = async (scope: string) => (await sandbox.credential.getToken(scope)).token;
    const [dps, hub] = [provisioningServices[0]!, iotHubs[0]!];
    bases.set("arm", { url: arm.endpoint, token: await token(`${arm.endpoint}/.default`) });
    bases.set("dps", {
      url: dps.serviceEndpoint,
      token: await token("https://azure-devices-provisioning.net/.default"),
    });
    bases.set("hub", {
      url: hub.endpoint,
      token: await token("https://iothubs.azure.net/.default"),
    });
    const leaf = (await TestCa.selfSigned("pump-1")).pem;
    await new EnrollmentsClient(sandbox.connection).putIndividual(individual(leaf));
    models = modelsOf(sandbox.connection.subscriptionId, leaf);
    for (const model of models) {
      const headers = { "content-type": "application/json" };
      const { status } = await send({ ...model, headers, what: "", body: text(model) });
      // A certificate that is none, and a bulk operation of which a part is refused.
      const refused = model.to === "arm" || model.path.startsWith("/devices?");
      const known = [404, 409, 412, ...(refused ? [400] : [])];
      assert.ok(status < 300 || known.includes(status), `${model.path}: ${status}`);
    }
  });

  after(async () => {
    agent.destroy();
    await sandbox.close();
  });

  afterEach(async () => {
    const { arm } = sandbox.endpoints();
    const path = `/subscriptions/${arm.subscriptionId}`;
    assert.equal((await sandbox.arm("GET", path)).status, 200, "it goes on");
  });

  it("1,500 over HTTPS are refused", async () => {
    const before = state();
    const wrong: string[] = [];
    const queue = malformed(models, 1500, SEED);
    const worker = async (): Promise<void> => {
      for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
        const { status, answer } = await send(one);
        const changes = one.method !== "GET" && status < 300;
        if (status === 500 || status === 0 || changes || state() !== before) {
          wrong.push(
            `${status} for ${one.what}: ${String(one.body).slice(0, 200)} ${answer.slice(0, 200)}`,
          );
          if (state() !== before) return;
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    assert.deepEqual(wrong, []);
  });

  it("200 that are no HTTP end, answered with 4xx or not at all", async () => {
    const before = state();
    const dice = new Dice(SEED);
    const odd = [
      () => dice.bytes(1 + dice.below(400)),
      () => Buffer.from(`GET /enrollments HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n`),
      () =>
        Buffer.from(
          `PUT /devices/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n`,
        ),
      () => Buffer.from(`POST ${"/a".repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
      () => Buffer.from(`GET / HTTP/1.1\r\n${"X-A: b\r\n".repeat(3000)}\r\n`),
      () => Buffer.from(`GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
      () => Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ];
    const ports = [...bases.values()].map(({ url }) => Number(new URL(url).port));
    for (let turn = 0; turn < 200; turn++) {
      const answer = (await raw(dice.of(ports), dice.of(odd)())).toString("latin1");
      assert.match(answer, /^$|^HTTP\/1\.1 (4\d\d|501) /, `turn ${turn}`);
    }
    assert.equal(state(), before);
  });

  it("300 that are no MQTT, or none of the service's, end the connection", async () => {
    const before = state();
    const dice = new Dice(SEED);
    const { provisioningServices, iotHubs } = sandbox.endpoints();
    const [dps, hub] = [provisioningServices[0]!, iotHubs[0]!];
    const scope = `${dps.idScope}/registrations/pump-1/api-version=2019-03-31`;
    const good = connect("pump-1", scope);
    const topics = [
      "",
      "#",
      "$dps/#",
      "devices/other/messages/events/",
      "$iothub/twin/GET/",
      "\u0000",
    ];
    const odd = [
      () => dice.bytes(1 + dice.below(300)),
      () => good.subarray(0, 1 + dice.below(good.length - 1)),
      () => spoilt(good, dice),
      () => connect("", ""),
      () => connect("x".repeat(5000), scope),
      () => connect("pump-1", `${hub.hostName}/pump-1/?api-version=2021-04-12`),
      () => Buffer.concat([good, publish(dice.of(topics), "{")]),
      () => Buffer.concat([good, subscribe(dice.of(topics))]),
      () => Buffer.concat([good, good]),
      () => Buffer.concat([good, publish("$dps/registrations/PUT/iotdps-register/?$rid=1", "[[")]),
      () =>
        Buffer.concat([good, publish("$dps/registrations/GET/iotdps-get-operationstatus/?", "")]),
    ];
    for (let turn = 0; turn < 300; turn++) {
      const to = Number(dice.of([dps.device.mqtt, hub.mqtt]).split(":")[1]);
      await raw(to, dice.of(odd)());
    }
    assert.equal(state(), before);
  });

  function state(): string {
    return JSON.stringify(COLLECTIONS.map((name) => sandbox.sandbox.collection(name).list()));
  }

  function send(one: Malformed): Promise<{ status: number; answer: string }> {
    const { url, token } = bases.get(one.to)!;
    const { port } = new URL(url);
    const headers = {
      ...(one.stranger === true ? {} : { authorization: `Bearer ${token}` }),
      ...one.headers,
    };
    return new Promise((resolve, reject) => {
      const call = request(
        {
          host: "127.0.0.1",
          servername: "localhost",
          port,
          agent,
          method: one.method,
          path: one.path,
          headers,
        },
        (response) => {
          let answer = "";
          response.setEncoding("utf8");
          response.on("data", (part: string) => (answer += part));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, answer }));
        },
      );
      call.on("error", reject);
      call.end(one.body);
    });
  }

  /** Sends bytes, and gives what comes back until the connection ends or nothing more comes. */
  function raw(port: number, bytes: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      const parts: Buffer[] = [];
      const socket = connectTls({ host: "127.0.0.1", port, ca, servername: "localhost" }, () => {
        socket.write(bytes);
        // Half a packet: the end of the stream says that no more comes.
        socket.end();
      });
      socket.on("data", (part: Buffer) => parts.push(part));
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(Buffer.concat(parts)));
    });
  }
});

function spoilt(packet: Buffer, dice: Dice): Buffer {
  const copy = Buffer.from(packet);
  for (let times = 0; times < 3; times++) copy[dice.below(copy.length)] = dice.below(256);
  return copy;
}

function text({ body }: Model): string {
  return body === undefined ? "" : JSON.stringify(body);
}

function individual(certificate: string) {
  return {
    registrationId: "pump-1",
    attestation: {
      type: "x509" as const,
      x509: { clientCertificates: { primary: { certificate } } },
    },
  };
}

/** One for each kind of write and read; the writes are refused as they are, for want of an etag. */
function modelsOf(subscription: string, leaf: string): Model[] {
  const devices = `/subscriptions/${subscription}/resourceGroups/rg/providers/Microsoft.Devices`;
  const ca = "/provisioningServices/dps/certificates/root";
  const x509Thumbprint = { primaryThumbprint: "A".repeat(64) };
  const device = {
    deviceId: "pump-1",
    status: "enabled",
    authentication: { type: "selfSigned", x509Thumbprint },
  };
  const signing = { signingCertificates: { primary: { certificate: leaf } } };
  const group = { enrollmentGroupId: "sensors", attestation: { type: "x509", x509: signing } };
  const attestation = ["attestation", "attestation.type", "attestation.x509"];
  const query = { query: "SELECT * FROM devices" };
  const method = { methodName: "reboot", responseTimeoutInSeconds: 5 };
  const enrollments = [{ ...individual(leaf), registrationId: "pump-1" }];
  return [
    ...on("dps", "api-version=2021-10-01", "", [
      ["PUT", "/enrollments/pump-1", individual(leaf), attestation, true],
      ["PUT", "/enrollmentGroups/sensors", group, attestation, true],
      ["POST", "/enrollments", { mode: "create", enrollments }, ["mode", "enrollments"]],
      ["DELETE", "/enrollments/pump-2", undefined, [], true],
      ["POST", "/enrollments/query", { query: "SELECT *" }, ["query"]],
      ["GET", "/enrollmentGroups/sensors"],
      ["GET", "/registrations/pump-1"],
    ]),
    ...on("hub", "api-version=2021-04-12", "", [
      ["PUT", "/devices/pump-1", device, ["status", "authentication", "authentication.type"], true],
      ["POST", "/devices", [{ id: "pump-1", importMode: "create" }]],
      ["DELETE", "/devices/pump-9", undefined, [], true],
      ["GET", "/devices/pump-9"],
      ["PATCH", "/twins/pump-9", { tags: {} }, ["tags"], true],
      ["POST", "/devices/query", query, ["query"]],
      ["POST", "/twins/pump-9/methods", method, ["methodName", "responseTimeoutInSeconds"]],
    ]),
    ...on("arm", "api-version=2022-02-05", devices, [
      ["PUT", ca, { properties: { certificate: "AAAA" } }, ["properties"], true],
      ["POST", `${ca}/verify`, { certificate: "AAAA" }, ["certificate"], true],
      ["GET", "/provisioningServices/dps"],
      ["GET", "/IotHubs/hub"],
    ]),
  ];
}

type Row = [
  method: string,
  path: string,
  body?: object | undefined,
  typed?: string[],
  conditional?: boolean,
];

function on(to: Model["to"], version: string, prefix: string, rows: Row[]): Model[] {
  return rows.map(([method, path, body, typed = [], conditional = false]) => ({
    to,
    method,
    path: `${prefix}${path}?${version}`,
    typed,
    conditional,
    ...(body !== undefined && { body }),
  }));
}
