/**
 * Long-running operations: work that goes on after ARM has answered, and the address where clients
 * ask how it went.
 * Source: learn.microsoft.com/azure/azure-resource-manager/management/async-operations.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply } from "fastify";
import { HttpError, statusName } from "../common/errors";

/** A poll waits this long for work that is about to be done before it answers "Running". */
const POLL_PATIENCE_MS = 5_000;

interface Operation {
  done: boolean;
  error: { code: string; message: string } | undefined;
  work: Promise<void>;
  startTime: Date;
}

/** How an operation stands, in ARM's form. */
export interface OperationStatus {
  name: string;
  status: "Running" | "Succeeded" | "Failed";
  startTime: string;
  error?: { code: string; message: string };
}

/** Operations live as long as the process: a kept sandbox starts with none. */
export class Operations {
  private readonly all = new Map<string, Operation>();

  /** @param minimumMs no operation is done before this time has passed; 0: on the first poll */
  constructor(private readonly minimumMs: number) {}

  /** Starts `work`; returns the operation's name for its address. */
  begin(work: () => Promise<void>): string {
    const id = Buffer.from(randomUUID()).toString("base64url");
    const operation: Operation = {
      done: false,
      error: undefined,
      startTime: new Date(),
      work: Promise.all([work(), sleep(this.minimumMs, undefined, { ref: false })])
        .catch((error: unknown) => {
          operation.error = describe(error);
        })
        .then(() => {
          operation.done = true;
        }),
    };
    this.all.set(id, operation);
    return id;
  }

  /** Undefined when there is no such operation. */
  async status(id: string): Promise<OperationStatus | undefined> {
    const operation = this.all.get(id);
    if (operation === undefined) {
      return undefined;
    }
    if (this.minimumMs === 0 && !operation.done) {
      const patience = new AbortController();
      const tired = sleep(POLL_PATIENCE_MS, undefined, { signal: patience.signal });
      await Promise.race([operation.work, tired.catch(() => undefined)]);
      patience.abort();
    }
    return {
      name: id,
      status: !operation.done ? "Running" : operation.error ? "Failed" : "Succeeded",
      startTime: operation.startTime.toISOString(),
      ...(operation.error === undefined ? {} : { error: operation.error }),
    };
  }

  /** Resolves when no operation is under way. */
  async settled(): Promise<void> {
    await Promise.all([...this.all.values()].map((operation) => operation.work));
  }
}

/**
 * Points a client to the operation's address. `Retry-After: 1`, because with 0 the Python clients
 * wait 30 s.
 */
export function announce(reply: FastifyReply, url: string, header: "both" | "async" | "location") {
  reply.header("retry-after", "1");
  if (header !== "location") {
    reply.header("azure-asyncoperation", `${url}&asyncinfo`);
  }
  if (header !== "async") {
    reply.header("location", url);
  }
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof HttpError) {
    return { code: statusName(error.status), message: error.message };
  }
  console.error("The sandbox failed in a long-running operation:", error);
  return { code: "InternalServerError", message: `The sandbox failed: ${String(error)}` };
}
