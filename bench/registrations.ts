/**
 * How many registrations a second the sandbox takes, beside the handshakes of a bare TLS server in the
 * same run, and many devices connected at once. `npm run bench`; see README.md for what is compared.
 */
import "reflect-metadata";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { SubjectAlternativeNameExtension } from "@peculiar/x509";
import { TestCa } from "../test/support/test-ca";
import {
  type Connected,
  connectToHub,
  type Device,
  handshake,
  makeDevices,
  registerOverHttps,
  registerOverMqtt,
} from "./devices";
import { cpuSeconds, residentBytes } from "./process-usage";
import { type Measured, publish, report, type Results } from "./report";
import { startBenchSandbox } from "./sandbox-process";

const DEVICES = Number(process.env["BENCH_DEVICES"] ?? 1000);
/** Devices that are busy at once: a fleet that comes back, not one device after the other. */
const AT_ONCE = 64;
/** Of each kind, before anything is counted: from about there on a registration takes no less time. */
const EARLY = 1000;
/** What is compared takes turns, so that a machine that has other work slows all of it alike. */
const ROUNDS = 5;

interface Subject {
  what: string;
  server: number;
  devices: Device[];
  act: (device: Device) => Promise<unknown>;
}

async function main(): Promise<void> {
  const root = await TestCa.root("Bench root");
  const ca = await root.intermediate("Bench factory");
  const bareRoot = await TestCa.root("Bare root");
  const bare = await startBare(bareRoot);
  const sandbox = await startBenchSandbox(root.pem);
  const { endpoints } = sandbox;
  try {
    const trusted = [sandbox.ca, bareRoot.pem];
    const trucks = await makeDevices(ca, trusted, "truck", DEVICES);
    const buses = await makeDevices(ca, trusted, "bus", DEVICES);
    const overTls = (device: Device) => handshake(bare.port, device);
    const overMqtt = (device: Device) => registerOverMqtt(endpoints, device);
    const overHttps = (device: Device) => registerOverHttps(endpoints, device);
    const subjects: Subject[] = [
      { what: "bare TLS handshakes", server: bare.pid, devices: trucks, act: overTls },
      { what: "registrations over MQTT", server: sandbox.pid, devices: trucks, act: overMqtt },
      { what: "registrations over HTTPS", server: sandbox.pid, devices: buses, act: overHttps },
    ];
    // Not counted: code that has just been loaded is slow on both sides.
    const early = await makeDevices(ca, trusted, "early", EARLY);
    for (const { act } of subjects) await forEach(early, act);
    const measured = await inTurns(subjects);
    const crowd = await crowded(trucks, (device) => connectToHub(endpoints, device), sandbox.pid);
    const results: Results = { measured, crowd };
    console.log(report(results));
    if (process.argv.includes("--publish")) publish(results);
  } finally {
    bare.close();
    await sandbox.close();
  }
}

async function inTurns(subjects: Subject[]): Promise<Measured[]> {
  const measured = subjects.map(({ what }): Measured => ({ what, rounds: [] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, { server, devices, act }] of subjects.entries()) {
      const share = devices.filter((_, index) => index % ROUNDS === round);
      const [serverBefore, clientBefore] = [cpuSeconds(server), cpuSeconds(process.pid)];
      const began = performance.now();
      await forEach(share, act);
      measured[at]!.rounds.push({
        count: share.length,
        seconds: (performance.now() - began) / 1000,
        serverCpu: cpuSeconds(server) - serverBefore,
        clientCpu: cpuSeconds(process.pid) - clientBefore,
      });
    }
  }
  return measured;
}

/** Runs `act` for every device, `AT_ONCE` of them at a time. */
async function forEach(
  devices: Device[],
  act: (device: Device) => Promise<unknown>,
): Promise<void> {
  const queue = devices.values();
  const worker = async (): Promise<void> => {
    for (const device of queue) await act(device);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** All devices connected at once; then each of them asks for its twin. */
async function crowded(
  devices: Device[],
  connect: (device: Device) => Promise<Connected>,
  server: number,
): Promise<Results["crowd"]> {
  const memory = residentBytes(server);
  const connected: Connected[] = [];
  const began = performance.now();
  await forEach(devices, async (device) => connected.push(await connect(device)));
  const seconds = (performance.now() - began) / 1000;
  const bytes = residentBytes(server) - memory;
  await Promise.all(connected.map((one) => one.twin()));
  connected.forEach((one) => one.close());
  return { count: connected.length, seconds, bytes };
}

/** Node's own TLS server, which asks for a certificate and says one byte. */
async function startBare(root: TestCa): Promise<{ port: number; pid: number; close: () => void }> {
  const names = new SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }]);
  const { pem, key } = await root.leaf("localhost", { extensions: [names] });
  const child: ChildProcess = fork(`${__dirname}/bare-tls-server.cjs`, {
    execArgv: [],
    env: { ...process.env, BENCH_KEY: key, BENCH_CERT: pem },
  });
  const [port] = (await once(child, "message")) as [number];
  return { port, pid: child.pid ?? 0, close: () => void child.kill() };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
