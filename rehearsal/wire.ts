/** Requests of the rehearsal's own, as a back end, an observer or a thief would send them. */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import mqtt from "mqtt";
import { SharedAccessSignature } from "azure-iot-common";
import type {
  EndpointsFile,
  IotHubEndpoints,
  ProvisioningServiceEndpoints,
} from "../sandbox/endpoints";
import type { Identity } from "./factory";

const DPS_API = "2021-06-01";
const HUB_API = "2021-04-12";
/** A sandbox answers at once. */
const PATIENCE_MS = 10_000;

/** How a service met a certificate. */
export interface Attempt {
  accepted: boolean;
  /** `401 …` of DPS, `CONNACK 5` of a hub. */
  answer: string;
}

export interface Twin {
  tags: Record<string, unknown>;
  desired: Record<string, unknown>;
}

export class Wire {
  private readonly ca: string;

  constructor(private readonly endpoints: () => EndpointsFile) {
    this.ca = readFileSync(endpoints().caFile, "utf8");
  }

  /** Linked hubs of the sandbox. */
  hubs(): IotHubEndpoints[] {
    return this.endpoints().iotHubs;
  }

  /** Name of the stack's DPS instance. */
  get serviceName(): string {
    return this.service().name;
  }

  /** Where devices register at a DPS instance. */
  targetOf(service: string): { idScope: string; provisioningHost: string } {
    const { idScope, serviceHostName } = this.service(service);
    return { idScope, provisioningHost: serviceHostName };
  }

  /**
   * Registers, as far as DPS lets it. Throws when DPS neither accepts nor refuses.
   *
   * @param service default: the stack's DPS instance
   */
  async tryDps(
    registrationId: string,
    { chain, key }: Identity,
    service?: string,
  ): Promise<Attempt> {
    const { device, idScope } = this.service(service);
    const base = `${device.https}/${idScope}/registrations/${encodeURIComponent(registrationId)}`;
    const tls = { cert: chain, key };
    const { status, body } = await this.send("PUT", `${base}/register?api-version=${DPS_API}`, {
      body: { registrationId },
      ...tls,
    });
    if (status !== 202 && status !== 401) {
      throw new Error(`DPS answered a registration with ${status}: ${JSON.stringify(body)}`);
    }
    const { errorCode, message, operationId } = body as Record<string, string | undefined>;
    const url = `${base}/operations/${operationId}?api-version=${DPS_API}`;
    // A registration that nobody asks about would be under way for ever.
    const answers = status === 202 ? [await this.send("GET", url, tls)] : [];
    return {
      accepted: status === 202,
      answer: [status, errorCode, message, ...answers.map((answer) => answerOf(answer.body))]
        .filter((part) => part !== undefined)
        .join(" "),
    };
  }

  /** Tries to connect. Throws when the hub neither accepts nor refuses. */
  async tryHub(hub: IotHubEndpoints, deviceId: string, { chain, key }: Identity): Promise<Attempt> {
    const client = mqtt.connect(`mqtts://${hub.mqtt}`, {
      clientId: deviceId,
      username: `${hub.hostName}/${deviceId}/?api-version=${HUB_API}`,
      ca: this.ca,
      cert: chain,
      key,
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: PATIENCE_MS,
    });
    try {
      return await new Promise<Attempt>((resolve, reject) => {
        client.on("connect", () => resolve({ accepted: true, answer: "CONNACK 0" }));
        client.on("error", (error) => {
          const code = (error as { code?: unknown }).code;
          if (code === 4 || code === 5) resolve({ accepted: false, answer: `CONNACK ${code}` });
          else reject(error);
        });
        client.on("close", () => reject(new Error(`${hub.name} closed the connection`)));
      });
    } finally {
      await client.endAsync(true);
    }
  }

  /** Tags and desired properties, without what the hub itself writes into them. */
  async twin(hubHostName: string, deviceId: string): Promise<Twin> {
    const { tags = {}, properties } = (await this.hub(hubHostName, "GET", deviceId)) as {
      tags?: Record<string, unknown>;
      properties: { desired: Record<string, unknown> };
    };
    const desired = Object.entries(properties.desired).filter(([name]) => !name.startsWith("$"));
    return { tags, desired: Object.fromEntries(desired) };
  }

  async patchTwin(hubHostName: string, deviceId: string, { tags, desired }: Twin): Promise<void> {
    await this.hub(hubHostName, "PATCH", deviceId, { tags, properties: { desired } });
  }

  /** Somebody deletes a device at its hub. */
  async deleteIdentity(hubHostName: string, deviceId: string): Promise<void> {
    await this.atHub(hubHostName, "DELETE", `/devices/${encodeURIComponent(deviceId)}`, {
      headers: { "if-match": "*" },
    });
  }

  /** Takes a device out of DPS's records, and out of each hub that has it. */
  async forget(registrationId: string): Promise<void> {
    const { serviceEndpoint, connectionString } = this.service();
    const id = encodeURIComponent(registrationId);
    const places = [
      { url: `${serviceEndpoint}/registrations/${id}?api-version=${DPS_API}`, connectionString },
      ...this.hubs().map((hub) => ({
        url: `${hub.endpoint}/devices/${id}?api-version=${HUB_API}`,
        connectionString: hub.connectionString,
      })),
    ];
    for (const { url, connectionString } of places) {
      const headers = { authorization: signature(connectionString), "if-match": "*" };
      const { status, body } = await this.send("DELETE", url, { headers });
      if (status >= 300 && status !== 404) {
        throw new Error(`DELETE ${new URL(url).pathname}: ${status} ${JSON.stringify(body)}`);
      }
    }
  }

  /** @param name default: that of the first one, which is the stack's */
  private service(name?: string): ProvisioningServiceEndpoints {
    const all = this.endpoints().provisioningServices;
    const service = name === undefined ? all[0] : all.find((one) => one.name === name);
    if (service === undefined) {
      throw new Error(`the sandbox has no provisioning service ${name ?? ""}`);
    }
    return service;
  }

  private async hub(
    hostName: string,
    method: string,
    deviceId: string,
    body?: object,
  ): Promise<unknown> {
    const path = `/twins/${encodeURIComponent(deviceId)}`;
    return this.atHub(hostName, method, path, body && { body });
  }

  private async atHub(
    hostName: string,
    method: string,
    path: string,
    options: { body?: object; headers?: Record<string, string> } = {},
  ): Promise<unknown> {
    const hub = this.hubs().find((one) => one.hostName === hostName);
    if (hub === undefined) {
      throw new Error(`the sandbox has no hub ${hostName}`);
    }
    const { status, body } = await this.send(
      method,
      `${hub.endpoint}${path}?api-version=${HUB_API}`,
      {
        ...options,
        headers: { ...options.headers, authorization: signature(hub.connectionString) },
      },
    );
    if (status >= 300) {
      throw new Error(`${method} ${path} at ${hub.name}: ${status} ${JSON.stringify(body)}`);
    }
    return body;
  }

  private async send(
    method: string,
    url: string,
    options: { body?: object; headers?: Record<string, string>; cert?: string; key?: string },
  ): Promise<{ status: number; body: unknown }> {
    const { body, headers, ...tls } = options;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        {
          ...tls,
          method,
          ca: this.ca,
          // A resumed session would not present the certificate again.
          agent: false,
          timeout: PATIENCE_MS,
          headers: { ...headers, "content-type": "application/json" },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part: string) => (text += part));
          response.on("error", reject);
          response.on("end", () => {
            resolve({
              status: response.statusCode ?? 0,
              body: text === "" ? {} : JSON.parse(text),
            });
          });
        },
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer from ${url}`)));
      outgoing.on("error", reject);
      outgoing.end(body && JSON.stringify(body));
    });
  }
}

function answerOf(body: unknown): string {
  return (body as { status?: string }).status ?? "";
}

function signature(connectionString: string): string {
  const parts = new Map(
    connectionString.split(";").map((part) => {
      const at = part.indexOf("=");
      return [part.slice(0, at), part.slice(at + 1)] as const;
    }),
  );
  return SharedAccessSignature.create(
    parts.get("HostName")!,
    parts.get("SharedAccessKeyName")!,
    parts.get("SharedAccessKey")!,
    Math.floor(Date.now() / 1000) + 600,
  ).toString();
}
