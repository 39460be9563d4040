/** A sandbox with one hub that listens, Microsoft's service SDK aimed at it, and device clients. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import https from "node:https";
import tls from "node:tls";
import { Client, JobClient, Registry } from "azure-iothub";
import { Client as DeviceClient } from "azure-iot-device";
import { Mqtt } from "azure-iot-device-mqtt";
import type { OffsetClock } from "../../../sandbox/common/clock";
import type {
  AccessPolicy,
  LinkedHubOperations,
  Sandbox,
  ServiceEndpoint,
} from "../../../sandbox/common/model";
import type { LoggedRequest } from "../../../sandbox/common/request-log";
import type { Switches } from "../../../sandbox/common/switches";
import { Throttles } from "../../../sandbox/common/throttles";
import { TlsRoot } from "../../../sandbox/common/tls";
import { startHubFront } from "../../../sandbox/iot-hub/front";
import { createLinkedHubOperations } from "../../../sandbox/iot-hub/linked-hub-operations";
import type { Issued } from "../../support/test-ca";
import { GOOD_TOKEN, sandboxParts } from "../sandbox-parts";

export const HUB = "Alpha";
export const HOST = "alpha.azure-devices.sandbox.test";
export const VERSION = "api-version=2021-04-12";

export interface SmallHub {
  sandbox: Sandbox;
  clock: OffsetClock;
  linkedHubs: LinkedHubOperations;
  front: ServiceEndpoint;
  requests: LoggedRequest[];
  tlsRoot: string;
  registry: Registry;
  service: Client;
  jobs: JobClient;
  connectionString(policy?: string): string;
  registryAs(policy: string): Registry;
  /** Microsoft's device client, not connected yet; closed with the hub. */
  device(deviceId: string, leaf: Issued): Promise<DeviceClient>;
  /** The same with a SAS key. */
  deviceWithKey(deviceId: string, key: string): Promise<DeviceClient>;
  /** One HTTPS request on a connection of its own, with a good access token. */
  http(method: string, path: string, options?: HttpOptions): Promise<HttpAnswer>;
  /** The request log's next entry that fits. Ask before the request is made. */
  logged(fits: (request: LoggedRequest) => boolean): Promise<LoggedRequest>;
  close(): Promise<void>;
}

export interface HttpOptions {
  body?: unknown;
  headers?: Record<string, string>;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  // Tests name what they look for.
  body: Record<string, unknown>;
}

const POLICIES: [string, string][] = [
  ["iothubowner", "RegistryWrite, ServiceConnect, DeviceConnect"],
  ["service", "ServiceConnect"],
  ["device", "DeviceConnect"],
  ["registryRead", "RegistryRead"],
  ["registryReadWrite", "RegistryWrite"],
];

function policies(): AccessPolicy[] {
  return POLICIES.map(([keyName, rights]) => ({
    keyName,
    rights,
    primaryKey: randomBytes(32).toString("base64"),
    secondaryKey: randomBytes(32).toString("base64"),
  }));
}

/** Without limits on rates, unless there are any. */
export async function smallHub(
  throttles = new Throttles(false),
  switches: Partial<Switches> = {},
): Promise<SmallHub> {
  const root = await TlsRoot.create();
  const parts = sandboxParts({ root, throttles, switches });
  const { sandbox, clock, log, requests } = parts;
  const linkedHubs = createLinkedHubOperations(sandbox);
  const hub = sandbox.hubs.put(HUB, {
    name: HUB,
    resourceGroup: "rg",
    subscriptionId: "00000000-0000-0000-0000-000000000001",
    location: "westeurope",
    tags: {},
    sku: { name: "S1", capacity: 1, tier: "Standard" },
    etag: "AAAAAAAAAAE=",
    hostName: HOST,
    authorizationPolicies: policies(),
    otherProperties: {},
  });
  const front = await startHubFront(sandbox, HUB, {
    address: "127.0.0.1",
    httpsPort: 0,
    mqttPort: 0,
  });
  const tlsRoot = root.certificatePem;
  const agent = agentTo(front.httpsPort, tlsRoot);
  const connectionString = (name = "iothubowner"): string => {
    const key = hub.authorizationPolicies.find(({ keyName }) => keyName === name)?.primaryKey;
    return `HostName=${HOST};SharedAccessKeyName=${name};SharedAccessKey=${key}`;
  };
  const aimed = <T>(client: T): T => {
    // The SDK makes an agent of its own, which knows neither our port nor our root.
    (client as unknown as { _restApiClient: Aimable })._restApiClient.setOptions({
      http: { agent },
    });
    return client;
  };
  const devices: DeviceClient[] = [];
  const client = async (credential: string, options: object): Promise<DeviceClient> => {
    const text = `HostName=localhost:${front.mqttPort};${credential}`;
    const device = DeviceClient.fromConnectionString(text, Mqtt);
    devices.push(device);
    await device.setOptions({ ca: tlsRoot, ...options });
    return device;
  };
  return {
    sandbox,
    clock,
    linkedHubs,
    front,
    requests,
    tlsRoot,
    registry: aimed(Registry.fromConnectionString(connectionString())),
    service: aimed(Client.fromConnectionString(connectionString())),
    jobs: aimed(JobClient.fromConnectionString(connectionString())),
    connectionString,
    registryAs: (policy) => aimed(Registry.fromConnectionString(connectionString(policy))),
    device: (deviceId, leaf) =>
      client(`DeviceId=${deviceId};x509=true`, { cert: leaf.chainPem, key: leaf.key }),
    deviceWithKey: (deviceId, key) => client(`DeviceId=${deviceId};SharedAccessKey=${key}`, {}),
    http: (method, path, options = {}) => send(agent, method, path, options),
    logged: async (fits) => {
      for (;;) {
        const [request] = (await once(log, "request")) as [LoggedRequest];
        if (fits(request)) {
          return request;
        }
      }
    },
    close: async () => {
      await Promise.all(devices.map((device) => device.close().catch(() => undefined)));
      agent.destroy();
      await front.close();
      await parts.close();
    },
  };
}

interface Aimable {
  setOptions(options: { http: { agent: https.Agent } }): void;
}

/** Leads every host name to the hub; TLS still checks the name that was asked for. */
function agentTo(port: number, ca: string): https.Agent {
  const agent = new https.Agent({ keepAlive: true });
  const createConnection = (options: { servername?: string }) =>
    tls.connect({ host: "127.0.0.1", port, ca, servername: options.servername ?? HOST });
  return Object.assign(agent, { createConnection });
}

function send(
  agent: https.Agent,
  method: string,
  path: string,
  { body, headers = {} }: HttpOptions,
): Promise<HttpAnswer> {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = https.request(
      {
        host: HOST,
        agent,
        method,
        path,
        headers: {
          authorization: `Bearer ${GOOD_TOKEN}`,
          ...(text === "" ? {} : { "content-type": "application/json" }),
          "content-length": String(Buffer.byteLength(text)),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const answered = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: (answered === "" ? {} : JSON.parse(answered)) as Record<string, unknown>,
          });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}
