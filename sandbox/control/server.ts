/**
 * The control port: what a person or a test does to the sandbox itself, and Azure has nothing like.
 * Its own listener, so that no path of it can be taken for one of Azure's; whoever may read
 * `environment.json` (its owner) may use it.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { OffsetClock } from "../common/clock";
import { armError } from "../common/errors";
import { createApp } from "../common/http";
import { type FaultOrder, FaultOrderError } from "../common/injected-faults";
import type { Sandbox, ServerIdentity } from "../common/model";
import { RequestLog } from "../common/request-log";
import { snapshot } from "./snapshot";

/** How the control port is reached; part of `environment.json`. */
export interface ControlAddress {
  url: string;
  /** Sent as `Authorization: Bearer`. */
  token: string;
}

/** What `GET /clock` and `PUT /clock` answer. */
export interface ClockState {
  /** Sandbox time, ISO 8601. */
  now: string;
  /** Ahead of the machine's clock, milliseconds. */
  offsetMs: number;
}

export function newControlToken(): string {
  return randomBytes(24).toString("base64url");
}

export function createControl(
  sandbox: Sandbox,
  identity: ServerIdentity,
  token: string,
): FastifyInstance {
  // Not in the log of requests: that one tells what clients of Azure did.
  const log = new RequestLog(undefined, () => sandbox.clock.now());
  const app = createApp(
    { log, clock: sandbox.clock },
    { service: "control", instance: "", identity, clientCertificates: false },
  );
  app.addHook("onRequest", async (request) => {
    if (!sameText(request.headers.authorization ?? "", `Bearer ${token}`)) {
      throw armError(401, "Unauthorized", "This port takes the token in environment.json.");
    }
  });
  app.get("/clock", async () => clockState(sandbox));
  app.put<{ Body: unknown }>("/clock", async ({ body }) => {
    const { clock } = sandbox;
    if (!(clock instanceof OffsetClock)) {
      throw armError(409, "ClockFixed", "The clock of this sandbox cannot be moved.");
    }
    move(clock, body);
    return clockState(sandbox);
  });
  app.get("/faults", async () => sandbox.faults.list());
  app.post<{ Body: unknown }>("/faults", async ({ body }) => {
    try {
      return sandbox.faults.add((body ?? {}) as FaultOrder);
    } catch (error) {
      if (!(error instanceof FaultOrderError)) throw error;
      throw armError(400, "FaultInvalid", `The fault is not ordered: ${error.message}.`);
    }
  });
  app.delete("/faults", async () => ({ cleared: sandbox.faults.clear() }));
  app.delete<{ Params: { id: string } }>("/faults/:id", async ({ params }) => ({
    cleared: sandbox.faults.clear(Number(params.id)),
  }));
  app.get("/snapshot", async () => snapshot(sandbox));
  return app;
}

function move(clock: OffsetClock, body: unknown): void {
  const { byMs, to } = (body ?? {}) as { byMs?: unknown; to?: unknown };
  const goal =
    typeof to === "string"
      ? new Date(to)
      : new Date(typeof byMs === "number" ? clock.now().getTime() + byMs : NaN);
  // Certificates cannot name a later year (RFC 5280 section 4.1.2.5), and no earlier one is of use.
  const year = Number.isNaN(goal.getTime()) ? NaN : goal.getUTCFullYear();
  if (!(year >= 1970 && year <= 9999)) {
    throw armError(
      400,
      "ClockInvalid",
      "Say by how many milliseconds (byMs), or to which time (to, ISO 8601), within 1970 and 9999.",
    );
  }
  clock.set(goal);
}

function clockState({ clock }: Sandbox): ClockState {
  const now = clock.now();
  return {
    now: now.toISOString(),
    offsetMs: clock instanceof OffsetClock ? clock.offset : now.getTime() - Date.now(),
  };
}

function sameText(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
