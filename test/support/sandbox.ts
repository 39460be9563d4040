/** Starts a real sandbox for a test, and gives what Microsoft's clients need to talk to it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClientSecretCredential } from "@azure/identity";
import { startSandbox, type RunningSandbox, type SandboxOptions } from "../../sandbox/sandbox";
import type { Fronts } from "../../sandbox/fronts";
import type { LinkedHubOperations } from "../../sandbox/common/model";

export interface TestSandbox extends RunningSandbox {
  /** A credential of the sandbox's token endpoint. */
  credential: ClientSecretCredential;
  /** Options of any ARM client: endpoint, the sandbox's CA, no retries. */
  clientOptions: ArmClientOptions;
  subscriptionId: string;
  /** One request to ARM with a token; `path` without api-version in it gets 2022-02-05. */
  arm(method: string, path: string, options?: ArmRequest): Promise<HttpAnswer>;
  /** One HTTPS request that trusts the sandbox's CA. */
  http(method: string, url: string, options?: HttpRequest): Promise<HttpAnswer>;
}

export interface ArmClientOptions {
  endpoint: string;
  tlsOptions: { ca: string };
  retryOptions: { maxRetries: number };
}

export interface HttpRequest extends RequestOptions {
  /** Sent as JSON unless it is text. */
  body?: unknown;
}

export interface ArmRequest extends HttpRequest {
  apiVersion?: string;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** Parsed when it is JSON, else the text. A test names what it looks for; nothing checks that. */
  body: AnswerBody;
}

/** What tests look for in the answers of ARM and of the token endpoint. */
export interface AnswerBody {
  name: string;
  etag: string;
  properties: Record<string, unknown>;
  value: AnswerBody[];
  status: string;
  code: number;
  message: string;
  error: { code: string; message: string } & string;
  error_description: string;
}

/** ARM and tokens alone: services have no listeners, and every hub accepts every key. */
export const ARM_ONLY: Fronts = {
  provisioningService: async () => ({ httpsPort: 1, mqttPort: 1, close: async () => undefined }),
  iotHub: async () => ({ httpsPort: 1, mqttPort: 1, close: async () => undefined }),
  linkedHubs: () => ({ accepts: () => true }) as unknown as LinkedHubOperations,
  azureNative: undefined,
};

/**
 * A sandbox in a temporary folder (unless `dir` is given), without limits on rates: tests do in a
 * second what takes people a day. Its `close` also removes that folder.
 * For a whole suite: start it in `before`, close it in `after`.
 */
export async function openSandbox(options: Partial<SandboxOptions> = {}): Promise<TestSandbox> {
  const temporary = options.dir === undefined;
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "dps-sandbox-"));
  const running = await startSandbox({ throttle: false, ...options, dir });
  const { arm, caFile } = running.endpoints();
  const ca = readFileSync(caFile, "utf8");
  const credential = new ClientSecretCredential(arm.tenantId, arm.clientId, arm.clientSecret, {
    authorityHost: arm.authorityHost,
    disableInstanceDiscovery: true,
    tlsOptions: { ca },
    retryOptions: { maxRetries: 0 },
  });
  let token: string | undefined;
  const http = (method: string, url: string, request: HttpRequest = {}): Promise<HttpAnswer> =>
    send(method, url, { ca, ...request });
  return {
    ...running,
    credential,
    clientOptions: { endpoint: arm.endpoint, tlsOptions: { ca }, retryOptions: { maxRetries: 0 } },
    subscriptionId: arm.subscriptionId,
    http,
    async arm(method, path, { apiVersion = "2022-02-05", headers, ...request } = {}) {
      token ??= (await credential.getToken(`${arm.endpoint}/.default`)).token;
      const url = path.startsWith("https://") ? path : `${arm.endpoint}${path}`;
      const versioned = /[?&]api-version=/.test(url)
        ? url
        : `${url}${url.includes("?") ? "&" : "?"}api-version=${apiVersion}`;
      const authorized = { authorization: `Bearer ${token}`, ...(headers as object) };
      return http(method, versioned, { ...request, headers: authorized });
    },
    async close() {
      await running.close();
      if (temporary) {
        rmSync(dir, { recursive: true, force: true });
      }
    },
  };
}

/** Runs `test` with a sandbox of its own, and closes it whatever happens. */
export async function withSandbox<T>(
  test: (sandbox: TestSandbox) => Promise<T>,
  options: Partial<SandboxOptions> = {},
): Promise<T> {
  const sandbox = await openSandbox(options);
  try {
    return await test(sandbox);
  } finally {
    await sandbox.close();
  }
}

/** One HTTPS request. */
export function send(
  method: string,
  url: string,
  { body, ...options }: HttpRequest,
): Promise<HttpAnswer> {
  const text =
    body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const headers = {
    ...(typeof body === "object" ? { "content-type": "application/json" } : {}),
    ...(text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) }),
    ...(options.headers as object),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, ...options, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const received = Buffer.concat(parts).toString();
        const json = /json/.test(response.headers["content-type"] ?? "") && received !== "";
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: (json ? JSON.parse(received) : received) as AnswerBody,
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}
