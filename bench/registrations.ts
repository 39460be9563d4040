/**
 * Registrations a second over MQTT and HTTPS, each with a full mutual TLS handshake, beside a bare TLS
 * server in the same run; then all those devices connected to their hub at once. `npm run bench`.
 *
 * Sandbox and TLS server each have a process of their own; this one plays all the devices, so on two
 * cores each side has one.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:https";
import { connect as connectTls } from "node:tls";
import { setTimeout } from "node:timers/promises";
import Table from "cli-table3";
import mqtt from "mqtt";
import { type Issued, TestCa } from "../test/support/test-ca";
import { type BenchSandbox, startBenchSandbox } from "./sandbox-process";

const DEVICES = Number(process.env["BENCH_DEVICES"] ?? 1000);
/** Handshakes under way at once: a fleet that comes back, not one device after the other. */
const AT_ONCE = 64;

interface Device extends Issued {
  id: string;
}

interface Measured {
  what: string;
  count: number;
  seconds: number;
}

async function main(): Promise<void> {
  const root = await TestCa.root("Bench root");
  const devices: Device[] = [];
  for (let index = 0; index < DEVICES; index++) {
    const id = `truck-${index}`;
    devices.push({ id, ...(await root.leaf(id)) });
  }
  const bare = await startBare(await TestCa.selfSigned("localhost"));
  const sandbox = await startBenchSandbox(root.pem);
  try {
    const measured = [
      await measure("bare TLS handshakes", devices, (device) => bare.handshake(device)),
      await measure("registrations over MQTT", devices, (device) => overMqtt(sandbox, device)),
      await measure("registrations over HTTPS", devices, (device) => overHttps(sandbox, device)),
      await measure("bare TLS handshakes, again", devices, (device) => bare.handshake(device)),
    ];
    const before = sandbox.memory();
    const connected: mqtt.MqttClient[] = [];
    measured.push(
      await measure("connections to the hub", devices, async (device) => {
        connected.push(await toHub(sandbox, device));
      }),
    );
    const held = connected.filter((client) => client.connected).length;
    const bytes = (sandbox.memory() - before) / DEVICES;
    report(measured, held, bytes);
    await Promise.all(connected.map((client) => client.endAsync(true)));
  } finally {
    bare.close();
    await sandbox.close();
  }
}

/** Runs `act` for every device, a number of them at once. A wait that the protocol asks for is taken off once. */
async function measure(
  what: string,
  devices: Device[],
  act: (device: Device) => Promise<number | void>,
): Promise<Measured> {
  const queue = [...devices];
  let waited = 0;
  let busy = 0;
  const began = performance.now();
  const pending: Promise<void>[] = [];
  while (queue.length > 0) {
    if (busy >= AT_ONCE) {
      await setTimeout(1);
      continue;
    }
    const device = queue.shift()!;
    busy += 1;
    // While a device waits for its Retry-After it is in nobody's way.
    const settled = act(device);
    const free = settled.finally(() => undefined);
    pending.push(free.then((ms) => void (waited = Math.max(waited, ms ?? 0))));
    void Promise.race([settled, setTimeout(200)]).finally(() => (busy -= 1));
  }
  await Promise.all(pending);
  const seconds = (performance.now() - began - waited) / 1000;
  return { what, count: devices.length, seconds };
}

interface Bare {
  handshake(device: Device): Promise<void>;
  close(): void;
}

/** Node's own TLS server, which asks for a certificate and says one byte. */
async function startBare(server: Issued): Promise<Bare> {
  const child: ChildProcess = fork(`${__dirname}/bare-tls-server.cjs`, {
    env: { ...process.env, BENCH_KEY: server.key, BENCH_CERT: server.pem },
  });
  const [port] = (await once(child, "message")) as [number];
  return {
    handshake: ({ chainPem, key }) =>
      new Promise((done, failed) => {
        const options = { host: "127.0.0.1", port, cert: chainPem, key, rejectUnauthorized: false };
        const socket = connectTls(options);
        socket.once("data", () => socket.end());
        socket.once("close", () => done());
        socket.once("error", failed);
      }),
    close: () => void child.kill(),
  };
}

/** How long the device waited because it was told to, milliseconds. */
async function overMqtt({ endpoints, ca }: BenchSandbox, device: Device): Promise<number> {
  const { idScope, device: address } = endpoints.provisioningServices[0]!;
  const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${address.mqtt.split(":")[1]}`, {
    clientId: device.id,
    username: `${idScope}/registrations/${device.id}/api-version=2019-03-31&ClientVersion=bench`,
    cert: device.chainPem,
    key: device.key,
    ca,
    servername: "localhost",
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  const answers: { status: number; wait: number; body: { operationId: string; status: string } }[] =
    [];
  let wake = (): void => undefined;
  client.on("message", (topic, payload) => {
    const [, status = "0", query = ""] = /\/res\/(\d+)\/\?(.*)$/.exec(topic) ?? [];
    const wait = Number(new URLSearchParams(query).get("retry-after") ?? 0);
    answers.push({ status: Number(status), wait, body: JSON.parse(payload.toString()) as never });
    wake();
  });
  const next = async () => {
    if (answers.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return answers.shift()!;
  };
  await client.subscribeAsync("$dps/registrations/res/#", { qos: 1 });
  const ask = "$dps/registrations/PUT/iotdps-register/?$rid=0";
  client.publish(ask, JSON.stringify({ registrationId: device.id }), { qos: 1 });
  let waited = 0;
  for (let rid = 1; ; rid++) {
    const { status, wait, body } = await next();
    if (body.status === "assigned") break;
    if (status !== 202) throw new Error(`${device.id}: ${status} ${JSON.stringify(body)}`);
    waited += wait * 1000;
    await setTimeout(wait * 1000);
    client.publish(
      `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=${rid}&operationId=${body.operationId}`,
      " ",
      { qos: 1 },
    );
  }
  await client.endAsync(true);
  return waited;
}

async function overHttps({ endpoints, ca }: BenchSandbox, device: Device): Promise<number> {
  const { idScope, device: address } = endpoints.provisioningServices[0]!;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca,
    cert: device.chainPem,
    key: device.key,
    servername: "localhost",
    maxCachedSessions: 0,
  });
  const call = (method: string, path: string, body?: object) =>
    new Promise<{ status: number; wait: number; body: { operationId: string; status: string } }>(
      (done, failed) => {
        const options = { host: "127.0.0.1", port: new URL(address.https).port, agent, method };
        const headers = { "content-type": "application/json" };
        const outgoing = request({ ...options, path, headers }, (response) => {
          let text = "";
          response.on("data", (part: Buffer) => (text += part.toString()));
          response.on("end", () =>
            done({
              status: response.statusCode ?? 0,
              wait: Number(response.headers["retry-after"] ?? 0),
              body: JSON.parse(text) as never,
            }),
          );
        });
        outgoing.on("error", failed);
        outgoing.end(body && JSON.stringify(body));
      },
    );
  const base = `/${idScope}/registrations/${device.id}`;
  const version = "?api-version=2019-03-31";
  let answer = await call("PUT", `${base}/register${version}`, { registrationId: device.id });
  let waited = 0;
  while (answer.body.status !== "assigned") {
    if (answer.status !== 202) throw new Error(`${device.id}: ${answer.status}`);
    waited += answer.wait * 1000;
    await setTimeout(answer.wait * 1000);
    answer = await call("GET", `${base}/operations/${answer.body.operationId}${version}`);
  }
  agent.destroy();
  return waited;
}

async function toHub({ endpoints, ca }: BenchSandbox, device: Device): Promise<mqtt.MqttClient> {
  const hub = endpoints.iotHubs[0]!;
  return mqtt.connectAsync(`mqtts://127.0.0.1:${hub.mqtt.split(":")[1]}`, {
    clientId: device.id,
    username: `${hub.hostName}/${device.id}/?api-version=2021-04-12`,
    cert: device.chainPem,
    key: device.key,
    ca,
    servername: "localhost",
    protocolVersion: 4,
    reconnectPeriod: 0,
    keepalive: 0,
  });
}

function report(measured: Measured[], held: number, bytes: number): void {
  const bare = measured.filter(({ what }) => what.startsWith("bare"));
  const rate = ({ count, seconds }: Measured): number => count / seconds;
  const base = bare.map(rate).reduce((sum, one) => sum + one, 0) / bare.length;
  const table = new Table({ head: ["what", "count", "a second", "beside bare TLS"] });
  for (const one of measured) {
    table.push([one.what, one.count, rate(one).toFixed(0), (rate(one) / base).toFixed(2)]);
  }
  console.log(table.toString());
  console.log(
    `${held} of ${DEVICES} devices connected to the hub at once; ${(bytes / 1024).toFixed(0)} KiB of the sandbox's memory each.`,
  );
  if (held !== DEVICES) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
