/** What is going on, in lines short enough to be read while they pass. */
import type { DeviceEvent } from "./fleet";

/** ` ~  pulumi-nodejs:dynamic/dps:EnrollmentGroup sensors updated (0.1s) [diff: …]`. */
const RESOURCE =
  /^\s*([+~-]{1,2})\s+(\S+:)(\S+) (\S+) (created|updated|deleted|replaced|create|update|delete|replace)\b(?:[^[]*(\[.*\]))?/;
/** What a resource says is printed with the stack; once more at the end, but not in this form. */
const SAID = /^\W*pulumi:pulumi:Stack \S+ (?:running|\w+ing \([\d.]+s\)) (.+)$/;
/** What a change is, before its slots and steps. */
const ROLL = /^(expiration|breach) roll of |^(denial|re-admission|adoption|letting go) of /;
/** `    ~ 4 updated`, below "Resources:". */
const COUNT = /^ {4}([+~-]{1,2}) (\d+ [a-z ]+)$/;
/** Certificates of the sandbox's stack and the components around everything: not what it is about. */
const LEFT_OUT = /^(tls:|random:|dps-certificates:|pulumi:pulumi:)/;

/** @param isDetail what goes on, beside the parts, the steps, and what they come to */
export type Say = (line: string, isDetail: boolean) => void;

export class Telling {
  /** What each device said last, to leave out the same again. */
  private readonly last = new Map<string, string>();

  private hushed = false;
  /** Steps of the current part, so far. */
  private steps = 0;
  /** Below "Resources:", so far: what the engine did with how many. */
  private counts: string[] | undefined;

  /**
   * @param lane stands in each line, where several sandboxes are told of at once
   * @param began milliseconds since 1970, of second 0
   */
  constructor(
    private readonly say: Say,
    private readonly lane = "",
    private readonly began = Date.now(),
  ) {}

  /** Devices are being stopped: what they say about that is not news. */
  hush(on: boolean): void {
    this.hushed = on;
  }

  /** The next part of the rehearsal. */
  part(text: string): void {
    this.steps = 0;
    this.say(this.lane, false);
    this.line("==", text);
  }

  /** What is done next. */
  step(text: string): void {
    this.steps += 1;
    this.line("--", `${this.steps}. ${text}`);
  }

  /** A change of the configuration. */
  edit(text: string): void {
    this.line("  ", `  ${text}`);
  }

  rule(text: string, held: boolean): void {
    this.line("  ", text, held);
  }

  /** A line of the engine's. */
  engine(text: string): void {
    const [, sign, module, type, name, done, diff] = RESOURCE.exec(text) ?? [];
    if (module !== undefined && !LEFT_OUT.test(`${module}${type}`)) {
      const difference = diff === undefined ? "" : ` ${diff}`;
      this.line("  ", `  pulumi ${sign} ${type} ${name} ${done}${difference}`, true);
    }
    const said = SAID.exec(text)?.[1];
    if (said !== undefined) {
      this.line("  ", `  pulumi   ${said}`, !ROLL.test(said));
    }
    this.count(text);
  }

  /** One line for what a run of the engine came to. */
  private count(text: string): void {
    if (text === "Resources:") {
      this.counts = [];
      return;
    }
    const [, sign, what] = COUNT.exec(text) ?? [];
    if (what !== undefined) {
      this.counts?.push(`${sign} ${what}`);
    } else if (this.counts !== undefined) {
      this.line("  ", `  pulumi   ${this.counts.join(", ") || text.trim()}`);
      this.counts = undefined;
    }
  }

  device(id: string, { event, where, reason, hub, thumbprint }: DeviceEvent): void {
    if (this.hushed || event === "telemetry" || event === "rolled" || event === "stopped") {
      return;
    }
    const place = hub === undefined ? "" : ` ${hub.split(".")[0]}`;
    const leaf = thumbprint === undefined ? "" : ` with ${thumbprint.slice(0, 8)}…`;
    const by = where === undefined ? "" : ` by ${where === "dps" ? "DPS" : "its hub"}`;
    const text = `${event}${place}${leaf}${by}${reason === undefined ? "" : `: ${reason}`}`;
    if (this.last.get(id) !== text) {
      this.last.set(id, text);
      this.line("  ", `  ${id.padEnd(10)} ${text}`, true);
    }
  }

  private line(sign: string, text: string, isDetail = false): void {
    const seconds = ((Date.now() - this.began) / 1000).toFixed(1).padStart(6);
    this.say([this.lane, seconds, sign, text].filter((part) => part !== "").join(" "), isDetail);
  }
}
