/** Where injected faults meet HTTPS requests: between reading a request and carrying it out. */
import { setTimeout } from "node:timers/promises";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Failure } from "./http";
import type { InjectedFault, InjectedFaults, StruckRequest } from "./injected-faults";

declare module "fastify" {
  interface FastifyRequest {
    /** The fault that strikes this request. */
    injected: InjectedFault | undefined;
  }
}

export interface FaultHooks {
  faults: InjectedFaults;
  describe: (request: FastifyRequest) => Pick<StruckRequest, "service" | "path">;
  /** Answers with the service's own body. */
  refuse: (failure: Failure, request: FastifyRequest, reply: FastifyReply) => FastifyReply;
  /** For the log, of a request that gets no answer. */
  record: (request: FastifyRequest, reply: FastifyReply) => void;
}

export function injectFaults(app: FastifyInstance, hooks: FaultHooks): void {
  app.decorateRequest("injected", undefined);
  app.addHook("preHandler", async (request, reply) => {
    const { faults, refuse, record, describe } = hooks;
    const { "if-match": ifMatch } = request.headers;
    const fault = faults.strike({ ...describe(request), method: request.method, ifMatch });
    if (fault === undefined) return;
    request.injected = fault;
    const { kind, wait } = fault;
    switch (kind) {
      case "error":
        return refuse({ status: 500, message: injected(fault) }, request, reply);
      case "throttle":
        reply.header("retry-after", String(wait));
        return refuse({ status: 429, message: injected(fault) }, request, reply);
      case "latency":
        reply.note = injected(fault);
        return void (await setTimeout(wait));
      case "reset":
        reply.note = injected(fault);
        reply.raw.statusCode = 0;
        record(request, reply);
        reply.hijack();
        request.raw.socket.destroy();
        return reply;
      case "etag-conflict":
        // Of the service's own form, so that it answers as it does to one that is out of date.
        request.headers["if-match"] = another(ifMatch ?? "");
        return;
      case "lost-response":
        return;
    }
  });
}

/** Ends the connection of a request whose answer is to be lost; true when it did. */
export function loseResponse(request: FastifyRequest): boolean {
  if (request.injected?.kind !== "lost-response") return false;
  request.raw.socket.destroy();
  return true;
}

/** For the log, and for the body of a refusal: nobody should take it for Azure's own. */
export function injected({ kind, id }: InjectedFault): string {
  return `injected fault ${id}: ${kind}`;
}

/** The same text with one character in its middle changed. */
function another(etag: string): string {
  const at = Math.floor(etag.length / 2);
  return etag.slice(0, at) + (etag[at] === "A" ? "B" : "A") + etag.slice(at + 1);
}
