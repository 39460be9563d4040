/** A sandbox with one provisioning service and no hubs of its own: calls to hubs are recorded. */
import { randomBytes } from "node:crypto";
import https from "node:https";
import type { OffsetClock } from "../../../sandbox/common/clock";
import { hubError } from "../../../sandbox/common/errors";
import { listen } from "../../../sandbox/common/http";
import type {
  HubAssignment,
  LinkedHub,
  LinkedHubOperations,
  ProvisioningServiceRecord,
  Sandbox,
} from "../../../sandbox/common/model";
import type { LoggedRequest } from "../../../sandbox/common/request-log";
import { Throttles } from "../../../sandbox/common/throttles";
import type { Switches } from "../../../sandbox/common/switches";
import { TlsRoot } from "../../../sandbox/common/tls";
import { createProvisioningApp } from "../../../sandbox/dps-service/app";
import { newEtag } from "../../../sandbox/dps-service/records";
import { sandboxParts } from "../sandbox-parts";

export const SERVICE = "rollers";
export const ID_SCOPE = "0ne00ABCDEF";

/** Linked hubs in memory: real behaviour towards DPS, every call written down. */
export class RecordingHubs implements LinkedHubOperations {
  readonly calls: string[] = [];
  readonly devices = new Map<string, HubAssignment>();
  readonly resets: string[] = [];
  /** Host names of hubs that refuse DPS although the connection string is right. */
  readonly refusing = new Set<string>();

  accepts(connectionString: string): boolean {
    return !connectionString.includes("SharedAccessKey=wrong");
  }

  assign(assignment: HubAssignment, reset: boolean): void {
    const { hubHostName, deviceId, authentication } = assignment;
    const proof = authentication.type === "sas" ? "sas" : authentication.thumbprint;
    if (this.refusing.has(hubHostName)) {
      throw hubError(429, "ThrottlingException", "slow down", new Date());
    }
    const key = `${hubHostName}/${deviceId}`;
    this.calls.push(`assign ${key} ${proof}${reset ? " reset" : ""}`);
    const before = this.devices.get(key);
    const initialTwin =
      before !== undefined && !reset ? before.initialTwin : assignment.initialTwin;
    this.devices.set(key, {
      ...assignment,
      ...(initialTwin === undefined ? {} : { initialTwin }),
    });
  }

  has(hubHostName: string, deviceId: string): boolean {
    return this.devices.has(`${hubHostName}/${deviceId}`);
  }

  twin(hubHostName: string, deviceId: string): HubAssignment["initialTwin"] | undefined {
    return this.devices.get(`${hubHostName}/${deviceId}`)?.initialTwin;
  }

  remove(hubHostName: string, deviceId: string): void {
    this.calls.push(`remove ${hubHostName}/${deviceId}`);
    this.devices.delete(`${hubHostName}/${deviceId}`);
  }
}

export interface SmallSandbox {
  sandbox: Sandbox;
  clock: OffsetClock;
  hubs: RecordingHubs;
  requests: LoggedRequest[];
  /** PEM of the root that the server certificates come from. */
  tlsRoot: string;
  /** For Microsoft's service SDK. */
  connectionString: string;
  service(): ProvisioningServiceRecord;
  /** Changes the service's record, as ARM would. */
  change(change: Partial<ProvisioningServiceRecord>): void;
  /** Uploads a CA certificate, as ARM would. */
  addCa(name: string, der: Buffer, isVerified?: boolean): void;
  close(): Promise<void>;
}

export function linkedHub(name: string, more: Partial<LinkedHub> = {}): LinkedHub {
  const hostName = `${name}.azure-devices.net`;
  return {
    name: hostName,
    connectionString: `HostName=${hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=right`,
    location: "westeurope",
    ...more,
  };
}

/** Without limits on rates, unless there are any. */
export async function smallSandbox(throttles = new Throttles(false)): Promise<SmallSandbox> {
  const root = await TlsRoot.create();
  const hubs = new RecordingHubs();
  const { sandbox, clock, requests, close } = sandboxParts({ root, throttles, linkedHubs: hubs });
  const key = randomBytes(32).toString("base64");
  sandbox.services.put(SERVICE, {
    name: SERVICE,
    resourceGroup: "rg",
    subscriptionId: "00000000-0000-0000-0000-000000000001",
    location: "westeurope",
    tags: {},
    sku: { name: "S1", capacity: 1, tier: "Standard" },
    etag: "AAAAAAAAAAE=",
    idScope: ID_SCOPE,
    serviceHostName: `${SERVICE}.azure-devices-provisioning.net`,
    allocationPolicy: "Hashed",
    linkedHubs: [linkedHub("alpha")],
    authorizationPolicies: [
      {
        keyName: "provisioningserviceowner",
        primaryKey: key,
        secondaryKey: randomBytes(32).toString("base64"),
        rights: "ServiceConfig, DeviceConnect, EnrollmentWrite",
      },
    ],
    otherProperties: {},
  });
  const service = () => sandbox.services.get(SERVICE)!;
  return {
    sandbox,
    clock,
    hubs,
    requests,
    tlsRoot: root.certificatePem,
    connectionString: `HostName=localhost;SharedAccessKeyName=provisioningserviceowner;SharedAccessKey=${key}`,
    service,
    change: (change) => void sandbox.services.put(SERVICE, { ...service(), ...change }),
    addCa: (name, der, isVerified = true) => {
      const now = clock.now();
      sandbox.caCertificates.put(`${SERVICE}/${name}`, {
        service: SERVICE,
        name,
        certificate: der.toString("base64"),
        isVerified,
        etag: newEtag(now),
        created: now.toISOString(),
        updated: now.toISOString(),
      });
    },
    close,
  };
}

/** The HTTPS half of a front, on a free port. */
export async function startHttps(
  { sandbox }: SmallSandbox,
  switches: Partial<Switches> = {},
): Promise<{ port: number; close(): Promise<void> }> {
  const identity = await sandbox.serverIdentity(["localhost", "127.0.0.1"]);
  const { app } = createProvisioningApp(
    { ...sandbox, switches: { ...sandbox.switches, ...switches } },
    SERVICE,
    identity,
    ["localhost"],
  );
  const port = await listen(app, "127.0.0.1", 0);
  return { port, close: () => app.close() };
}

/** Microsoft's HTTP clients cannot be told a port or a CA: both are set where they look. */
export function pointClientsAt(port: number, tlsRoot: string): () => void {
  const agent = https.globalAgent as https.Agent & { defaultPort: number };
  const before = { port: agent.defaultPort, ca: agent.options.ca };
  agent.defaultPort = port;
  agent.options.ca = tlsRoot;
  return () => {
    agent.defaultPort = before.port;
    agent.options.ca = before.ca;
    agent.destroy();
  };
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Record<string, unknown>;
}

export interface RawRequest {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** Client certificate chain and key, PEM. */
  cert?: string;
  key?: string;
}

/** One request on a connection of its own. */
export async function request(
  small: SmallSandbox,
  port: number,
  { method = "GET", path, headers = {}, body, cert, key }: RawRequest,
): Promise<Answer> {
  const text = body === undefined ? "" : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = https.request(
      {
        host: "127.0.0.1",
        servername: "localhost",
        port,
        method,
        path,
        ca: small.tlsRoot,
        agent: false,
        // The client's own OpenSSL would not send a weak signature.
        ciphers: "DEFAULT@SECLEVEL=0",
        ...(cert === undefined ? {} : { cert, key }),
        headers: {
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
            status: response.statusCode!,
            headers: response.headers,
            body: (answered === "" ? {} : JSON.parse(answered)) as Record<string, unknown>,
          });
        });
      },
    );
    sent.on("error", reject);
    sent.end(text);
  });
}
