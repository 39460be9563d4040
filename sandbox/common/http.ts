/** HTTPS listeners of the sandbox's services: one kind of server, one request log, one way to fail. */
import { constants } from "node:crypto";
import type { AddressInfo } from "node:net";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { Connections } from "./connections";
import { armError, HttpError, statusName } from "./errors";
import { injected, injectFaults, loseResponse } from "./fault-hooks";
import type { Sandbox, ServerIdentity } from "./model";
import type { LoggedRequest } from "./request-log";

declare module "fastify" {
  interface FastifyReply {
    /** What the request log says about this request beside its status; see `LoggedRequest.note`. */
    note: string | undefined;
  }
}

/** Every operation of every listener so far, as `arm: GET /tenants`; the support matrix is held against it. */
export const operations = new Set<string>();

/** A failure that is not an `HttpError` yet: the service gives it its own body. */
export interface Failure {
  status: number;
  message: string;
  /** What was thrown; undefined for an operation that is not written (501). */
  error?: unknown;
}

export interface AppOptions {
  /** Whose requests these are; a function of the path where one listener serves two APIs. */
  service: LoggedRequest["service"] | ((path: string) => LoggedRequest["service"]);
  /** Name of the DPS instance or hub; empty for ARM and tokens. */
  instance: string;
  identity: ServerIdentity;
  /** Ask clients for a certificate. It is not judged here: read it with `peerChain`. */
  clientCertificates: boolean;
  /** The header Date is the machine's time and not the sandbox's. Default: the sandbox's. */
  machineTime?: boolean;
  /**
   * The body of the service for an error that is not an `HttpError`: an operation that is not
   * written, a malformed body, a `SasError`, a defect. Default: ARM's form.
   */
  errorBody?: (failure: Failure, request: FastifyRequest) => HttpError;
}

/**
 * TLS settings of every listener. Never demands TLS 1.3 (Microsoft's Python device SDK speaks 1.2
 * only). Without tickets nothing is resumed: a resumed session has lost the presented intermediates.
 * No `ca`: OpenSSL would complete a chain with certificates that the client never sent.
 */
export function tlsServerOptions(identity: ServerIdentity, clientCertificates: boolean) {
  return {
    key: identity.key,
    cert: identity.cert,
    minVersion: "TLSv1.2" as const,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    requestCert: clientCertificates,
    rejectUnauthorized: false,
  };
}

/**
 * A fastify server over TLS: paths are case-insensitive, a trailing slash does not matter, an empty
 * JSON body is no body, and a route that does not exist answers 501 and names the operation.
 */
export function createApp(
  sandbox: Pick<Sandbox, "log" | "clock"> & Partial<Pick<Sandbox, "faults">>,
  options: AppOptions,
): FastifyInstance {
  const app = fastify({
    https: tlsServerOptions(options.identity, options.clientCertificates),
    bodyLimit: 8 * 1024 * 1024,
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, maxParamLength: 4096 },
    // A path that cannot be decoded: fastify runs no hooks for it.
    frameworkErrors: (error, request, reply) => {
      void fail(error, request, reply);
      record(request, reply);
    },
  }) as unknown as FastifyInstance;
  const connections = new Connections(app.server);
  app.addHook("preClose", async () => connections.end());

  const answer = options.errorBody ?? defaultBody;
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const known = error instanceof HttpError ? error : answer(failureOf(error), request);
    reply.note ??= known.message;
    return reply.code(known.status).headers(known.headers).send(known.body);
  };

  const whose = (path: string): LoggedRequest["service"] =>
    typeof options.service === "function" ? options.service(path) : options.service;
  const record = (request: FastifyRequest, reply: FastifyReply): LoggedRequest => {
    const path = pathOf(request);
    return sandbox.log.record({
      service: whose(path),
      instance: options.instance,
      protocol: "https",
      method: request.method,
      path,
      status: reply.statusCode,
      ...(reply.note === undefined ? {} : { note: reply.note }),
    });
  };

  app.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) operations.add(`${whose(url)}: ${one} ${url}`);
  });
  app.decorateReply("note", undefined);
  acceptBodies(app);
  app.setErrorHandler((error, request, reply) => fail(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    fail(answer(notWritten(request), request), request, reply),
  );
  // Clients that judge certificates ask what time it is here; Node would write the machine's.
  if (options.machineTime !== true) {
    app.addHook("onSend", async (_request, reply) => {
      reply.header("date", sandbox.clock.now().toUTCString());
    });
  }
  if (sandbox.faults !== undefined) {
    injectFaults(app, {
      faults: sandbox.faults,
      describe: (request) => ({ service: whose(pathOf(request)), path: pathOf(request) }),
      refuse: (failure, request, reply) => fail(answer(failure, request), request, reply),
      record,
    });
  }
  // Before the answer goes out: whoever holds it looks at the state that this request left.
  app.addHook("onSend", async (request, reply) => {
    if (request.injected?.kind === "lost-response") reply.note = injected(request.injected);
    await sandbox.log.held(record(request, reply));
    loseResponse(request);
  });
  return app;
}

/** Starts `app` on a loopback address; port 0 takes any free one. Returns the port it has. */
export async function listen(app: FastifyInstance, address: string, port: number): Promise<number> {
  await app.listen({ host: address, port });
  return (app.server.address() as AddressInfo).port;
}

/** The path of a request without its query. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}

/** JSON, text, anything: empty bodies are undefined, text stays text. */
function acceptBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const json = (_request: FastifyRequest, body: string, done: JsonDone): void => {
    if (body.trim() === "") {
      return done(null, undefined);
    }
    try {
      done(null, JSON.parse(body));
    } catch {
      done(Object.assign(new Error("The body is not valid JSON."), { statusCode: 400 }));
    }
  };
  app.addContentTypeParser(/^application\/([\w.-]+\+)?json/i, { parseAs: "string" }, json);
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    done(null, body === "" ? undefined : body);
  });
}

type JsonDone = (error: Error | null, body?: unknown) => void;

function notWritten(request: FastifyRequest): Failure {
  const operation = `${request.method} ${pathOf(request)}`;
  return { status: 501, message: `The sandbox does not have this operation: ${operation}` };
}

function failureOf(error: unknown): Failure {
  const status = (error as { statusCode?: unknown }).statusCode;
  if (error instanceof Error && typeof status === "number" && status >= 400 && status < 500) {
    return { status, message: error.message, error };
  }
  // A defect of the sandbox: never to be mistaken for an answer of Azure.
  console.error("The sandbox failed while it answered a request:", error);
  return { status: 500, message: `The sandbox failed: ${String(error)}`, error };
}

function defaultBody(failure: Failure): HttpError {
  return armError(failure.status, statusName(failure.status), failure.message);
}
