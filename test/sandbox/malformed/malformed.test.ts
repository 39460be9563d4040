/**
 * 2,000 malformed requests, the same ones each time: whatever comes, the sandbox goes on, never fails
 * and never says that it failed, and nothing in its database changes. Every operation of the support
 * matrix is among them, spoilt in every way that it can be. `DPS_MALFORMED_SEED` tries others.
 */
import assert from "node:assert/strict";
import { Agent, request } from "node:https";
import { readFileSync } from "node:fs";
import { connect as connectTls } from "node:tls";
import iothub from "azure-iothub";
import { open, type RootDatabase } from "lmdb";
import { type AttachedSandbox, openAttached } from "../../clients/attached-sandbox";
import { EnrollmentsClient } from "../../../clients/enrollments";
import { type Issued, TestCa } from "../../support/test-ca";
import { registerOverHttps } from "../../contract/devices";
import { connect } from "../openssl/mqtt-packets";
import { Dice, malformed, type Malformed, type Model } from "./cases";
import { modelsOf } from "./models";
import { oddPackets } from "./packets";

const SEED = Number(process.env["DPS_MALFORMED_SEED"] ?? 20_261_124);
/** Change with every connection of a device. */
const CONNECTION_TIMES = ["connectionStateUpdatedTime", "lastActivityTime"];

describe(`malformed requests (seed ${SEED})`, () => {
  let sandbox: AttachedSandbox;
  let records: RootDatabase;
  let ca: string;
  let leaf: Issued;
  let models: Model[];
  const agents: Agent[] = [];
  const bases = new Map<Model["to"], { url: string; token: string; agent: Agent }>();
  const defects: string[] = [];
  const { error } = console;

  before(async () => {
    console.error = (...words: unknown[]) => void defects.push(words.map(String).join(" "));
    sandbox = await openAttached();
    records = open({ path: sandbox.folder.records, readOnly: true });
    ca = readFileSync(sandbox.endpoints().caFile, "utf8");
    leaf = await TestCa.selfSigned("pump-1");
    await furnish();
    const { arm, provisioningServices, iotHubs } = sandbox.endpoints();
    const token = async (scope: string) => (await sandbox.credential.getToken(scope)).token;
    const [dps, hub] = [provisioningServices[0]!, iotHubs[0]!];
    const agent = agentOf({});
    const service = await token("https://azure-devices-provisioning.net/.default");
    const armToken = await token(`${arm.endpoint}/.default`);
    bases.set("arm", { url: arm.endpoint, token: armToken, agent });
    bases.set("token", { url: arm.authorityHost, token: "", agent });
    bases.set("dps-service", { url: dps.serviceEndpoint, token: service, agent });
    const device = agentOf({ cert: leaf.chainPem, key: leaf.key });
    bases.set("dps-device", { url: dps.serviceEndpoint, token: "", agent: device });
    bases.set("iot-hub", {
      url: hub.endpoint,
      token: await token("https://iothubs.azure.net/.default"),
      agent,
    });
    const { operationId } = await registerOverHttps(sandbox, "pump-1", leaf);
    models = modelsOf({
      subscription: sandbox.subscriptionId,
      tenant: arm.tenantId,
      idScope: sandbox.idScope,
      operationId: String(operationId),
      leaf: leaf.pem,
    });
  });

  after(async () => {
    console.error = error;
    for (const agent of agents) agent.destroy();
    await records.close();
    await sandbox.close();
  });

  afterEach(async () => {
    const { arm } = sandbox.endpoints();
    const path = `/subscriptions/${arm.subscriptionId}`;
    assert.equal((await sandbox.arm("GET", path)).status, 200, "it goes on");
    assert.deepEqual(defects, [], "nothing failed behind the answers");
  });

  it("would be seen if they changed anything", async () => {
    const before = state();
    const path = `/subscriptions/${sandbox.subscriptionId}/resourcegroups/rg`;
    await sandbox.arm("PATCH", path, { body: { tags: { seen: "yes" } } });
    assert.notEqual(state(), before);
  });

  it("are of requests that the sandbox understands as they are", async () => {
    for (const model of models.filter(({ reads }) => reads === true)) {
      const { status, answer } = await send({ ...asIs(model), what: "" });
      const known = [200, ...(model.to === "token" || /no-/.test(model.path) ? [400, 404] : [])];
      assert.ok(known.includes(status), `${model.method} ${model.path}: ${status} ${answer}`);
    }
  });

  it("1,500 over HTTPS, of every operation, are refused", async () => {
    const before = state();
    const wrong: string[] = [];
    const queue = malformed(models, 1500, SEED);
    const worker = async (): Promise<void> => {
      for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
        const { status, answer } = await send(one);
        // A deletion of what is not there.
        const good = one.reads === true || (one.method === "DELETE" && status === 204);
        const bad = status === 500 || status === 0 || (status < 300 && !good);
        if (bad || state() !== before) {
          wrong.push(
            `${status} for ${one.what}: ${one.path} ${String(one.body).slice(0, 200)} ${answer.slice(0, 200)}`,
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

  it("300 that are no MQTT, or none of the service's, of strangers and of a device", async () => {
    const before = stateWithout(CONNECTION_TIMES);
    const dice = new Dice(SEED);
    const { provisioningServices, iotHubs } = sandbox.endpoints();
    const [dps, hub] = [provisioningServices[0]!, iotHubs[0]!];
    const fronts = [
      {
        mqtt: dps.device.mqtt,
        good: connect("pump-1", `${dps.idScope}/registrations/pump-1/api-version=2019-03-31`),
      },
      { mqtt: hub.mqtt, good: connect("pump-1", `${hub.hostName}/pump-1/?api-version=2021-04-12`) },
    ];
    const device = { cert: leaf.chainPem, key: leaf.key };
    for (let turn = 0; turn < 300; turn++) {
      const { mqtt, good } = dice.of(fronts);
      const packets = oddPackets(good, dice);
      await raw(Number(mqtt.split(":")[1]), packets, turn % 2 === 0 ? device : {});
    }
    // What was under way when the last connection ended.
    await sandbox.arm("GET", `/subscriptions/${sandbox.subscriptionId}`);
    assert.equal(stateWithout(CONNECTION_TIMES), before);
  });

  /** A device, a module, a job, enrollments, a group, CA certificates. */
  async function furnish(): Promise<void> {
    const { pem } = await TestCa.root("Root");
    const clientCertificates = { primary: { certificate: leaf.pem } };
    await new EnrollmentsClient(sandbox.connection).putIndividual({
      registrationId: "pump-1",
      attestation: { type: "x509", x509: { clientCertificates } },
    });
    await new EnrollmentsClient(sandbox.connection).putGroup({
      enrollmentGroupId: "pump-1",
      attestation: {
        type: "x509",
        x509: { signingCertificates: { primary: { certificate: pem } } },
      },
    });
    const { Registry } = iothub;
    const registry = Registry.fromConnectionString(
      sandbox.endpoints().iotHubs[0]!.connectionString,
    );
    await registry.create({ deviceId: "pump-1" });
    await registry.addModule({ deviceId: "pump-1", moduleId: "m" });
    const properties = { certificate: Buffer.from(pem).toString("base64") };
    const devices = `/subscriptions/${sandbox.subscriptionId}/resourceGroups/rg/providers/Microsoft.Devices`;
    for (const service of ["provisioningServices/dps", "IotHubs/hub"]) {
      const path = `${devices}/${service}/certificates/root`;
      assert.equal((await sandbox.arm("PUT", path, { body: { properties } })).status, 200);
    }
  }

  function agentOf(options: { cert?: string; key?: string }): Agent {
    const agent = new Agent({ keepAlive: true, maxSockets: 8, ca, ...options });
    agents.push(agent);
    return agent;
  }

  function asIs({ to, method, path, body, reads = false }: Model): Omit<Malformed, "what"> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    return { to, method, path, headers, reads, ...(body && { body: JSON.stringify(body) }) };
  }

  let read = { transaction: -1, text: "" };

  /** Everything that is stored; read again when something was written. */
  function state(): string {
    const { lastTxnId } = records.getStats() as { lastTxnId: number };
    if (lastTxnId !== read.transaction) read = { transaction: lastTxnId, text: stateWithout([]) };
    return read.text;
  }

  /** The same without fields of these names. */
  function stateWithout(without: string[]): string {
    const all = [...records.getRange()].map(({ key, value }) => [key, value] as unknown);
    return JSON.stringify(all, (name, value: unknown) =>
      without.includes(name) ? undefined : value,
    );
  }

  function send(one: Malformed): Promise<{ status: number; answer: string }> {
    const { url, token, agent } = bases.get(one.to)!;
    const { port } = new URL(url);
    const stranger = one.stranger === true || token === "";
    const headers = {
      ...(stranger ? {} : { authorization: `Bearer ${token}` }),
      ...one.headers,
    };
    return new Promise((resolve, reject) => {
      const call = request(
        {
          host: "127.0.0.1",
          servername: "localhost",
          port,
          // A device proves itself with its connection.
          agent: one.stranger === true ? bases.get("arm")!.agent : agent,
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
  function raw(
    port: number,
    bytes: Buffer,
    device: { cert?: string; key?: string } = {},
  ): Promise<Buffer> {
    return new Promise((resolve) => {
      const parts: Buffer[] = [];
      const to = { host: "127.0.0.1", port, ca, servername: "localhost", ...device };
      const socket = connectTls(to, () => {
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
