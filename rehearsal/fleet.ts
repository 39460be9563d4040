/** Reference devices, each a process of its own, and what they live through. */
import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { DeviceFiles, Identity } from "./factory";
import { start, stop } from "./processes";

export type RollFirst = "register" | "connect";

export interface DeviceSpec {
  registrationId: string;
  rollFirst: RollFirst;
}

/** A line of the device (`device/main.ts --json`). */
export interface DeviceEvent {
  /** ISO 8601. */
  time: string;
  event:
    | "registered"
    | "connected"
    | "refused"
    | "fault"
    | "disconnected"
    | "telemetry"
    | "rolled"
    | "stopped";
  /** Host name, of "registered" and "connected". */
  hub?: string;
  /** SHA-256 of the leaf, of "registered" and "connected". */
  thumbprint?: string;
  /** Of "refused" and "fault". */
  where?: "dps" | "hub";
  reason?: string;
}

/** Where a procedure began, in the life of a device. */
export interface Mark {
  at: number;
  /** Milliseconds since 1970. */
  time: number;
  identity: Identity;
}

/** Seconds of patience, so that a rehearsal does not wait as long as a fleet may. */
const FLAGS = {
  "--telemetry-interval": 1,
  "--watch-interval": 0.5,
  "--backoff-first": 0.5,
  "--backoff-maximum": 2,
};
/** How long a device may take for anything, milliseconds. */
const PATIENCE_MS = 45_000;

export class FleetDevice {
  readonly events: DeviceEvent[] = [];
  /** Everything it has been given, and when (ISO 8601). */
  readonly given: { time: string; identity: Identity }[] = [];
  private child: ChildProcess | undefined;
  private readonly heard = new EventEmitter<{ event: [DeviceEvent]; ended: [string] }>();
  private end: string | undefined;

  constructor(
    readonly spec: DeviceSpec,
    private readonly files: DeviceFiles,
  ) {
    this.heard.setMaxListeners(0);
  }

  get id(): string {
    return this.spec.registrationId;
  }

  /** Hub of the last connection, host name. */
  get hub(): string | undefined {
    return this.last("connected")?.hub;
  }

  /** What it has been given last. */
  get identity(): Identity | undefined {
    return this.given.at(-1)?.identity;
  }

  /** Hands over a certificate; a running device finds it by itself. */
  give(identity: Identity): void {
    this.given.push({ time: new Date().toISOString(), identity });
    this.files.deliver(this.id, identity);
  }

  start(
    program: string,
    target: { idScope: string; provisioningHost: string },
    environment: NodeJS.ProcessEnv,
    hear: (device: FleetDevice, event: DeviceEvent) => void,
  ): void {
    const args = {
      "--id-scope": target.idScope,
      "--provisioning-host": target.provisioningHost,
      "--chain": this.files.chainFile(this.id),
      "--key": this.files.keyFile(this.id),
      "--roll-first": this.spec.rollFirst,
      ...FLAGS,
    };
    const child = start(
      process.execPath,
      [
        "--require",
        "tsx/cjs",
        join(program, "device", "main.ts"),
        ...Object.entries(args).flatMap(([flag, value]) => [flag, String(value)]),
        "--json",
      ],
      { cwd: program, env: environment },
    );
    this.child = child;
    let complaint = "";
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const event = read(line);
      if (event === undefined) {
        complaint += `${line}\n`;
        return;
      }
      this.events.push(event);
      hear(this, event);
      this.heard.emit("event", event);
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    child.once("close", (code) => {
      this.end = `device ${this.id} has ended (${code}): ${complaint.trim()}`;
      this.heard.emit("ended", this.end);
    });
  }

  async stop(): Promise<void> {
    if (this.child !== undefined) {
      await stop(this.child, "SIGTERM");
    }
  }

  mark(): Mark {
    if (this.identity === undefined) {
      throw new Error(`device ${this.id} has no certificate yet`);
    }
    return { at: this.events.length, time: Date.now(), identity: this.identity };
  }

  /** What happened after `mark`. */
  since({ at }: Mark): DeviceEvent[] {
    return this.events.slice(at);
  }

  /** Refused attempts after `mark`. */
  refused(where: "dps" | "hub", mark: Mark): number {
    return this.since(mark).filter((one) => one.event === "refused" && one.where === where).length;
  }

  /** Time without a connection to a hub, from `mark` until now. */
  secondsWithoutConnection(mark: Mark): number {
    const changes = this.since(mark).filter(isChange);
    let lost =
      this.events.slice(0, mark.at).findLast(isChange)?.event === "disconnected"
        ? mark.time
        : undefined;
    let total = 0;
    for (const { event, time } of changes) {
      if (event === "disconnected") {
        lost ??= Date.parse(time);
      } else if (lost !== undefined) {
        total += Date.parse(time) - lost;
        lost = undefined;
      }
    }
    return (total + (lost === undefined ? 0 : Date.now() - lost)) / 1000;
  }

  /** Resolves once the device works with the certificate that it has been given: a message went through. */
  async works(after = 0): Promise<void> {
    await this.until(`sends telemetry with its certificate`, () => {
      const connected = this.events.findLastIndex((one) => one.event === "connected");
      const session = this.events.slice(Math.max(connected, 0));
      return (
        session[0]?.thumbprint === this.identity?.thumbprint &&
        session.every(({ event }) => event !== "disconnected") &&
        this.events.slice(Math.max(connected, after)).some(({ event }) => event === "telemetry")
      );
    });
  }

  /** Resolves once `isSo`, which is asked again whenever the device says something. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    if (isSo()) {
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error): void => {
        clearTimeout(timer);
        this.heard.off("event", look).off("ended", ended);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (): void => {
        if (isSo()) done();
      };
      const ended = (why: string): void => done(new Error(why));
      const timer = setTimeout(() => {
        const lately = this.events.slice(-6).map((event) => `  ${JSON.stringify(event)}`);
        const seconds = PATIENCE_MS / 1000;
        done(
          new Error(
            [`device ${this.id}: not so after ${seconds} s: ${what}. Lately:`, ...lately].join(
              "\n",
            ),
          ),
        );
      }, PATIENCE_MS);
      this.heard.on("event", look).on("ended", ended);
      if (this.end !== undefined) ended(this.end);
    });
  }

  /** The last event of this kind. */
  last(event: DeviceEvent["event"]): DeviceEvent | undefined {
    return this.events.findLast((one) => one.event === event);
  }
}

/** Undefined: not a line of the device's, but of something that went wrong in it. */
function read(line: string): DeviceEvent | undefined {
  try {
    return JSON.parse(line) as DeviceEvent;
  } catch {
    return undefined;
  }
}

function isChange({ event }: DeviceEvent): boolean {
  return event === "connected" || event === "disconnected";
}
