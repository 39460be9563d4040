/** Clients that write numbers into a sandbox in another process, and read them again. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ClientSecretCredential } from "@azure/identity";
import type { EndpointsFile } from "../../../sandbox/endpoints";
import { type HttpAnswer, type HttpRequest, send } from "../../support/sandbox";
import type { Issued } from "../../support/test-ca";

/** Every so many writes of an enrollment it is deleted instead. */
export const DELETED_EVERY = 5;

export function isEnrollment(key: string): boolean {
  return key.startsWith("enrollment-");
}

type Json = Record<string, unknown>;

/** The APIs of the sandbox that runs now: its ports are new with each start. */
export class Box {
  private constructor(
    readonly endpoints: EndpointsFile,
    readonly options: HttpRequest,
    private readonly tokens: { service: string; hub: string; arm: string },
  ) {}

  static async of(file: string): Promise<Box> {
    const endpoints = JSON.parse(readFileSync(file, "utf8")) as EndpointsFile;
    const ca = readFileSync(endpoints.caFile, "utf8");
    const { tenantId, clientId, clientSecret, authorityHost } = endpoints.arm;
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
      authorityHost,
      disableInstanceDiscovery: true,
      tlsOptions: { ca },
    });
    const token = async (host: string) =>
      `Bearer ${(await credential.getToken(`https://${host}/.default`)).token}`;
    return new Box(
      endpoints,
      { ca },
      {
        service: await token("azure-devices-provisioning.net"),
        hub: await token("iothubs.azure.net"),
        arm: await token("management.azure.com"),
      },
    );
  }

  async writeEnrollment(key: string, number: number): Promise<void> {
    const gone = number % DELETED_EVERY === 0;
    const path = `/enrollments/${key}`;
    if (gone) return must(await this.service("DELETE", path), 204, 404);
    const symmetricKey = { primaryKey: KEY, secondaryKey: KEY };
    const body = {
      registrationId: key,
      attestation: { type: "symmetricKey", symmetricKey },
      optionalDeviceInformation: { number },
    };
    const exists = (await this.service("GET", path)).status === 200;
    must(await this.service("PUT", path, body, exists), 200);
  }

  async writeDevice(deviceId: string, number: number): Promise<void> {
    const exists = (await this.hub("GET", `/devices/${deviceId}`)).status === 200;
    const body = { deviceId, statusReason: String(number) };
    must(await this.hub("PUT", `/devices/${deviceId}`, body, exists), 200);
  }

  async writeTwin(deviceId: string, number: number): Promise<void> {
    if ((await this.hub("GET", `/devices/${deviceId}`)).status === 404) {
      must(await this.hub("PUT", `/devices/${deviceId}`, { deviceId }), 200);
    }
    must(await this.hub("PATCH", `/twins/${deviceId}`, { tags: { number } }), 200);
  }

  /** The number that the record was written with last; undefined: there is none. */
  async number(key: string): Promise<number | undefined> {
    const kind = key.split("-")[0];
    const answer = isEnrollment(key)
      ? await this.service("GET", `/enrollments/${key}`)
      : await this.hub("GET", kind === "twin" ? `/twins/${key}` : `/devices/${key}`);
    if (answer.status === 404) return undefined;
    must(answer, 200);
    const body = answer.body as unknown as Json;
    const holder = { enrollment: "optionalDeviceInformation", twin: "tags" }[kind ?? ""];
    const number = holder ? (body[holder] as Json | undefined)?.["number"] : body["statusReason"];
    return number === undefined ? undefined : Number(number);
  }

  async register(id: string, leaf: Issued): Promise<string> {
    const body = { registrationId: id };
    const answer = await this.device("PUT", `${id}/register`, leaf, body);
    must(answer, 202);
    return String((answer.body as unknown as Json)["operationId"]);
  }

  async poll(id: string, leaf: Issued, operationId: string): Promise<unknown> {
    const answer = await this.device("GET", `${id}/operations/${operationId}`, leaf);
    must(answer, 200);
    return (answer.body as unknown as Json)["status"];
  }

  async registration(id: string): Promise<Json | undefined> {
    return found(await this.service("GET", `/registrations/${id}`));
  }

  async identity(deviceId: string): Promise<Json | undefined> {
    return found(await this.hub("GET", `/devices/${deviceId}`));
  }

  /** @param path below the subscription */
  arm(method: string, path: string, body?: object): Promise<HttpAnswer> {
    const { endpoint, subscriptionId } = this.endpoints.arm;
    const url = `${endpoint}/subscriptions/${subscriptionId}${path}?api-version=2022-02-05`;
    const headers = { authorization: this.tokens.arm };
    return send(method, url, { ...this.options, headers, body });
  }

  private service(method: string, path: string, body?: object, replaces = false) {
    const url = `${this.endpoints.provisioningServices[0]!.serviceEndpoint}${path}`;
    const headers = ifMatch(this.tokens.service, replaces, "*");
    return send(method, `${url}?api-version=2021-10-01`, { ...this.options, headers, body });
  }

  hub(method: string, path: string, body?: object, replaces = false) {
    const url = `${this.endpoints.iotHubs[0]!.endpoint}${path}`;
    const headers = ifMatch(this.tokens.hub, replaces, '"*"');
    return send(method, `${url}?api-version=2021-04-12`, { ...this.options, headers, body });
  }

  private device(method: string, path: string, leaf: Issued, body?: object) {
    const { idScope, device } = this.endpoints.provisioningServices[0]!;
    const url = `${device.https}/${idScope}/registrations/${path}?api-version=2019-03-31`;
    return send(method, url, { ...this.options, cert: leaf.chainPem, key: leaf.key, body });
  }
}

/** Not of a device that connects. */
const KEY = Buffer.alloc(32, 1).toString("base64");

function ifMatch(authorization: string, replaces: boolean, any: string): Record<string, string> {
  return replaces ? { authorization, "if-match": any } : { authorization };
}

function must({ status, body }: HttpAnswer, ...wanted: number[]): void {
  assert.ok(wanted.includes(status), `${status}: ${JSON.stringify(body)}`);
}

function found(answer: HttpAnswer): Json | undefined {
  if (answer.status === 404) return undefined;
  must(answer, 200);
  return answer.body as unknown as Json;
}
