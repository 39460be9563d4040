/** Faults that somebody asked for: which requests they strike, and how often. */
import type { LoggedRequest } from "./request-log";

/**
 * - `error`: answered with 500, and nothing was done.
 * - `throttle`: answered with 429 and Retry-After, and nothing was done.
 * - `latency`: carried out and answered late.
 * - `reset`: the connection ends before anything was done.
 * - `lost-response`: carried out, and the connection ends before the answer.
 * - `etag-conflict`: the etag that the request sends is no longer the current one, as when somebody
 *   else has just written. Strikes only requests with an If-Match other than `*`.
 */
export const FAULT_KINDS = [
  "error",
  "throttle",
  "latency",
  "reset",
  "lost-response",
  "etag-conflict",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultOrder {
  /**
   * Method and path, as in the request log: `PUT enrollments/*`, `CONNECT *`, `* certificates/**`.
   * The path's last parts are compared, without case; `*` stands for a part or a piece of one, `**` for
   * any number of parts.
   */
  on: string;
  kind: FaultKind;
  /** Default: any service. */
  service?: LoggedRequest["service"];
  /** The first request to strike, counted from 1 among those that match. Default: 1. */
  nth?: number;
  /** How many in a row from there on. Default: 1. */
  times?: number;
  /** Of `latency`, milliseconds. Default: 2000. Of `throttle`, Retry-After in seconds. Default: 1. */
  wait?: number;
}

export interface InjectedFault extends Required<Omit<FaultOrder, "service">> {
  id: number;
  service?: LoggedRequest["service"];
  /** Requests that matched so far. */
  matched: number;
  /** Requests that were struck so far. */
  struck: number;
}

export interface StruckRequest {
  service: LoggedRequest["service"];
  method: string;
  path: string;
  /** Value of If-Match, where there is one. */
  ifMatch?: string | undefined;
}

/** An order that cannot be followed; the message says what to write. */
export class FaultOrderError extends Error {
  override readonly name = "FaultOrderError";
}

export class InjectedFaults {
  private readonly all: InjectedFault[] = [];
  private lastId = 0;

  /** Throws `FaultOrderError`. */
  add(order: FaultOrder): InjectedFault {
    check(order);
    const fault: InjectedFault = {
      id: ++this.lastId,
      on: order.on.trim(),
      kind: order.kind,
      ...(order.service !== undefined && { service: order.service }),
      nth: order.nth ?? 1,
      times: order.times ?? 1,
      wait: order.wait ?? (order.kind === "latency" ? 2000 : 1),
      matched: 0,
      struck: 0,
    };
    this.all.push(fault);
    return fault;
  }

  list(): InjectedFault[] {
    return [...this.all];
  }

  /** Takes back one, or all; how many. */
  clear(id?: number): number {
    const left = id === undefined ? [] : this.all.filter((fault) => fault.id !== id);
    return this.all.splice(0, this.all.length, ...left).length - left.length;
  }

  /** The fault that strikes this request, counted; the first one that was ordered, when there are several. */
  strike(request: StruckRequest): InjectedFault | undefined {
    let found: InjectedFault | undefined;
    for (const fault of this.all) {
      if (!meets(fault, request)) continue;
      fault.matched += 1;
      const due = fault.matched >= fault.nth && fault.matched < fault.nth + fault.times;
      if (due && found === undefined) {
        fault.struck += 1;
        found = fault;
      }
    }
    return found;
  }
}

function meets(fault: InjectedFault, { service, method, path, ifMatch }: StruckRequest): boolean {
  const [wanted = "", pattern = ""] = fault.on.split(/\s+/);
  if (fault.kind === "etag-conflict" && (ifMatch === undefined || /^"?\*"?$/.test(ifMatch))) {
    return false;
  }
  return (
    (fault.service === undefined || fault.service === service) &&
    (wanted === "*" || wanted.toUpperCase() === method.toUpperCase()) &&
    expression(pattern).test(path)
  );
}

function expression(pattern: string): RegExp {
  const source = pattern
    .replace(/^\//, "")
    .split("/")
    .map((part) =>
      part === "**" ? ".*" : part.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*"),
    )
    .join("/");
  return new RegExp(`(^|/)${source}/?$`, "i");
}

function check({ on, kind, nth, times, wait }: FaultOrder): void {
  const fault =
    typeof on !== "string" || !/^\s*\S+\s+\S+\s*$/.test(on)
      ? `on is "${String(on)}": write a method and a path, as "PUT enrollments/*"`
      : !FAULT_KINDS.includes(kind)
        ? `kind is "${String(kind)}": it is one of ${FAULT_KINDS.join(", ")}`
        : [nth, times].some(
              (count) => count !== undefined && !(Number.isInteger(count) && count > 0),
            )
          ? "nth and times are whole numbers from 1"
          : wait !== undefined && !(Number.isFinite(wait) && wait >= 0)
            ? "wait is a number from 0"
            : undefined;
  if (fault !== undefined) throw new FaultOrderError(fault);
}
