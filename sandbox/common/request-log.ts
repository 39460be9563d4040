import { appendFileSync } from "node:fs";
import { EventEmitter } from "node:events";

/** One request that a service of the sandbox answered. Never holds a secret, a body or a token. */
export interface LoggedRequest {
  /** Counts up from 1 over the sandbox's life. */
  seq: number;
  /** Sandbox time, ISO 8601. */
  time: string;
  service: "arm" | "token" | "dps-service" | "dps-device" | "iot-hub" | "iot-hub-device";
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

/** All requests, to a JSON-lines file and to listeners. */
export class RequestLog extends EventEmitter<{ request: [LoggedRequest] }> {
  private seq = 0;

  /**
   * @param file JSON lines are appended here; undefined: only listeners hear of requests
   * @param now the sandbox's clock
   */
  constructor(
    private readonly file: string | undefined,
    private readonly now: () => Date,
  ) {
    super();
  }

  record(request: Omit<LoggedRequest, "seq" | "time">): void {
    const entry: LoggedRequest = { seq: ++this.seq, time: this.now().toISOString(), ...request };
    if (this.file !== undefined) {
      appendFileSync(this.file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    }
    this.emit("request", entry);
  }
}
