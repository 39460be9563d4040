import { closeSync, openSync, writeSync } from "node:fs";
import { EventEmitter } from "node:events";

/** One request that a service of the sandbox answered. Never holds a secret, a body or a token. */
export interface LoggedRequest {
  /** Counts up from 1 over the sandbox's life. */
  seq: number;
  /** Sandbox time, ISO 8601. */
  time: string;
  service:
    "arm" | "token" | "dps-service" | "dps-device" | "iot-hub" | "iot-hub-device" | "control";
  /** Name of the DPS instance or hub; empty for ARM and tokens. */
  instance: string;
  protocol: "https" | "mqtt";
  /** HTTP method, or the MQTT packet: CONNECT, PUBLISH, ... */
  method: string;
  /** Path without query, or MQTT topic. */
  path: string;
  /** HTTP status, or for MQTT the status answered or the CONNACK return code. */
  status: number;
  /** What a reader wants to know: thumbprints, error code, registration ID. */
  note?: string;
}

/** Is given a request that has been carried out and not answered yet; the answer waits for it. */
export type Holder = (request: LoggedRequest) => Promise<void> | void;

/** All requests, to a JSON-lines file and to listeners. */
export class RequestLog extends EventEmitter<{ request: [LoggedRequest] }> {
  private seq = 0;
  private readonly holders = new Set<Holder>();
  private open: number | undefined;

  /**
   * @param file JSON lines are appended here; undefined: only listeners hear of requests
   * @param now the sandbox's clock
   */
  constructor(
    private file: string | undefined,
    private readonly now: () => Date,
  ) {
    super();
  }

  /** Over HTTPS: when the request has been carried out, before it is answered. */
  record(request: Omit<LoggedRequest, "seq" | "time">): LoggedRequest {
    const entry: LoggedRequest = { seq: ++this.seq, time: this.now().toISOString(), ...request };
    if (this.file !== undefined) {
      this.open ??= openSync(this.file, "a", 0o600);
      writeSync(this.open, `${JSON.stringify(entry)}\n`);
    }
    this.emit("request", entry);
    return entry;
  }

  /** Lets `holder` delay the answers to HTTPS requests, until the function that is returned is called. */
  hold(holder: Holder): () => void {
    this.holders.add(holder);
    return () => void this.holders.delete(holder);
  }

  /** Resolves when no holder delays the answer any more. */
  async held(request: LoggedRequest): Promise<void> {
    await Promise.all([...this.holders].map(async (holder) => holder(request)));
  }

  /** Nothing is written to the file any more. */
  close(): void {
    if (this.open !== undefined) closeSync(this.open);
    this.open = undefined;
    this.file = undefined;
  }
}
