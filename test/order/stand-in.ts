/**
 * A stand-in for DPS, its CA certificates and a hub that knows nothing but how to apply a write and
 * to log it. It judges nothing: whether the order of writes was right is for `rules.ts` to say.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** An enrollment group (slots name CAs or intermediates) or an individual enrollment (leaves). */
export interface Entry {
  enabled: boolean;
  /** Names of the keys in the slots. */
  slots: string[];
}

/** Everything the stand-in knows, replaced as a whole by each write. */
export interface World {
  /** CA certificates by name; true: verified. */
  cas: Record<string, boolean>;
  entries: Record<string, Entry>;
  /** Hub identities by device ID. */
  identities: Record<string, { enabled: boolean }>;
  /** Registration records by registration ID: the entry that let it in, and by which key. */
  registrations: Record<string, { entry: string; key: string }>;
}

/** A write, with the world as it was after it. */
export interface LoggedWrite {
  seq: number;
  verb: "put" | "delete";
  kind: keyof World;
  id: string;
  after: World;
}

/** Serves the world on a free loopback port: GET / reads it, POST / writes one record. */
export class StandIn {
  readonly log: LoggedWrite[] = [];
  /** Called after write number `seq` was applied and before it is answered. */
  onWrite: (write: LoggedWrite) => void = () => undefined;
  private server: Server | undefined;

  constructor(public world: World) {}

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      request.on("end", () => {
        if (request.method === "POST") {
          this.apply(
            JSON.parse(body) as {
              verb: "put" | "delete";
              kind: keyof World;
              id: string;
              value: never;
            },
          );
        }
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(this.world));
      });
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    const server = this.server;
    if (server !== undefined) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  private apply(write: {
    verb: "put" | "delete";
    kind: keyof World;
    id: string;
    value: never;
  }): void {
    const world = structuredClone(this.world);
    if (write.verb === "put") {
      world[write.kind][write.id] = write.value;
    } else {
      delete world[write.kind][write.id];
    }
    this.world = world;
    const { verb, kind, id } = write;
    const logged: LoggedWrite = { seq: this.log.length + 1, verb, kind, id, after: world };
    this.log.push(logged);
    this.onWrite(logged);
  }
}
