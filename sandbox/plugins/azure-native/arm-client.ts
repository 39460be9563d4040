/**
 * Azure Resource Manager as azure-native calls it: a token by client credentials, plain PUT, GET,
 * DELETE and POST without If-Match, and long-running operations polled to their end.
 */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Answer,
  expectStatus,
  header,
  mayRepeat,
  parse,
  record,
  retryAfter,
  stateOf,
} from "./arm-answers";
import { ArmError, NetworkError } from "./arm-errors";
import type { EndpointsFile } from "../../endpoints";

/** The part of a sandbox's `endpoints.json` that the plugin reads. */
export type ArmEndpoints = Pick<EndpointsFile, "caFile" | "arm">;

/** Waiting times in milliseconds. */
export interface Pace {
  /** Between polls when the answer has no Retry-After. The genuine plugin waits 10 s, 30 s for deletions. */
  poll: number;
  /** Before each repetition, without Retry-After. The genuine plugin waits 20, 60 and 120 s. */
  retries: readonly number[];
}

/** The sandbox is close by and quick; the genuine waits would only make rehearsals slow. */
export const QUICK: Pace = { poll: 250, retries: [250, 1000, 4000] };

const TOKEN_MARGIN_MS = 5 * 60_000;

export class ArmClient {
  private readonly agent: Agent;
  private token: { value: string; until: number } | undefined;

  constructor(
    readonly endpoints: ArmEndpoints,
    private readonly pace: Pace = QUICK,
  ) {
    // Only the sandbox's own root is trusted: this client never talks to anybody else.
    this.agent = new Agent({ ca: readFileSync(endpoints.caFile), keepAlive: true });
  }

  close(): void {
    this.agent.destroy();
  }

  /** GET. Throws `ArmError` for anything but 200. */
  async get(
    path: string,
    apiVersion: string,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>> {
    const answer = await this.call("GET", this.url(path, apiVersion), undefined, signal);
    return record(expectStatus(answer, [200]));
  }

  /** Is there a resource? What is neither 200 nor 404 is an error in azure-native's words. */
  async exists(path: string, apiVersion: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.call("GET", this.url(path, apiVersion), undefined, signal);
    if (answer.status === 200) {
      return Object.keys(record(answer)).length > 0;
    }
    if (answer.status === 404) {
      return false;
    }
    throw new Error(
      `cannot check existence of resource '${path}': status code ${answer.status}, ${answer.text}`,
    );
  }

  async post(
    path: string,
    apiVersion: string,
    body: object,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>> {
    const answer = await this.call("POST", this.url(path, apiVersion), body, signal);
    return record(expectStatus(answer, [200, 201]));
  }

  /**
   * PUT, and to its end when it runs long. `accepted` is called when ARM has taken the request:
   * what fails afterwards leaves a resource behind.
   */
  async put(
    path: string,
    apiVersion: string,
    body: object,
    options: { longRunning: boolean; accepted: () => void; signal: AbortSignal },
  ): Promise<Record<string, unknown>> {
    const url = this.url(path, apiVersion);
    const answer = await this.call("PUT", url, body, options.signal);
    expectStatus(answer, [200, 201, 202]);
    if (!options.longRunning && answer.status !== 202) {
      return record(answer);
    }
    options.accepted();
    if (await this.finish(answer, url, options.signal)) {
      return record(expectStatus(await this.call("GET", url, undefined, options.signal), [200]));
    }
    return record(answer);
  }

  /** DELETE to its end; a resource that is not there is deleted. */
  async delete(path: string, apiVersion: string, signal: AbortSignal): Promise<void> {
    const url = this.url(path, apiVersion);
    try {
      const answer = await this.call("DELETE", url, undefined, signal);
      await this.finish(expectStatus(answer, [200, 202, 204]), undefined, signal);
    } catch (error) {
      if (!(error instanceof ArmError && error.notFound)) {
        throw error;
      }
    }
  }

  /** Claims of the access token in use, to say who the provider is. */
  async claims(signal: AbortSignal): Promise<Record<string, unknown>> {
    const payload = (await this.accessToken(signal)).split(".")[1] ?? "";
    return JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Record<
      string,
      unknown
    >;
  }

  private url(path: string, apiVersion: string): string {
    return `${this.endpoints.arm.endpoint.replace(/\/$/, "")}${path}?api-version=${apiVersion}`;
  }

  /**
   * Follows a long-running operation (ARM's rules for asynchronous operations): the operation's own
   * status, else the location, else the resource's provisioning state. The first poll comes at once.
   *
   * @returns whether there was anything to wait for
   */
  private async finish(
    start: Answer,
    resource: string | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const operation = header(start, "azure-asyncoperation");
    const location = header(start, "location");
    const polled = operation ?? (start.status === 202 ? location : undefined) ?? resource;
    if (polled === undefined) {
      return false;
    }
    for (;;) {
      const answer = await this.call("GET", polled, undefined, signal);
      expectStatus(answer, [200, 201, 202, 204]);
      const state = stateOf(answer, operation !== undefined, polled === resource);
      if (state === "succeeded") {
        return true;
      }
      if (state === "failed" || state === "canceled") {
        throw new ArmError(answer);
      }
      await sleep(retryAfter(answer) ?? this.pace.poll, undefined, { signal });
    }
  }

  /** One request, repeated as azure-native repeats: network trouble, 408, 429, 5xx and a busy resource. */
  private async call(
    method: string,
    url: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    for (let attempt = 0; ; attempt += 1) {
      const token = await this.accessToken(signal);
      const wait = this.pace.retries[attempt];
      try {
        const answer = await this.send(
          method,
          url,
          body === undefined ? undefined : JSON.stringify(body),
          {
            authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
          },
          signal,
        );
        if (wait === undefined || !mayRepeat(answer)) {
          return answer;
        }
        await sleep(retryAfter(answer) ?? wait, undefined, { signal });
      } catch (error) {
        if (wait === undefined || !(error instanceof NetworkError)) {
          throw error;
        }
        await sleep(wait, undefined, { signal });
      }
    }
  }

  private async accessToken(signal: AbortSignal): Promise<string> {
    if (this.token !== undefined && Date.now() < this.token.until) {
      return this.token.value;
    }
    const { arm } = this.endpoints;
    const url = `${arm.authorityHost.replace(/\/$/, "")}/${arm.tenantId}/oauth2/v2.0/token`;
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: arm.clientId,
      client_secret: arm.clientSecret,
      scope: `${arm.endpoint.replace(/\/$/, "")}/.default`,
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const answer = await this.send("POST", url, form.toString(), headers, signal);
    const granted = answer.body as { access_token?: string; expires_in?: number } | undefined;
    if (answer.status !== 200 || granted?.access_token === undefined) {
      throw new Error(`the sandbox gave no access token: HTTP ${answer.status} ${answer.text}`);
    }
    const lifetimeMs = (granted.expires_in ?? 0) * 1000;
    this.token = { value: granted.access_token, until: Date.now() + lifetimeMs - TOKEN_MARGIN_MS };
    return this.token.value;
  }

  private async send(
    method: string,
    url: string,
    body: string | undefined,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void =>
        reject(signal.aborted ? (signal.reason as Error) : new NetworkError(url, error));
      const outgoing = request(
        url,
        {
          method,
          agent: this.agent,
          signal,
          headers: {
            accept: "application/json",
            "user-agent": "pulumi-azure-native (sandbox)",
            ...headers,
            ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", fail);
          incoming.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            const status = incoming.statusCode ?? 0;
            resolve({ status, headers: incoming.headers, body: parse(text), text });
          });
        },
      );
      outgoing.on("error", fail);
      outgoing.end(body);
    });
  }
}
