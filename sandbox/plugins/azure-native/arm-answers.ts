/** Answers of ARM and how they are read. */
import { ArmError } from "./arm-errors";

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** Parsed JSON; undefined when the body was empty or not JSON. */
  body: unknown;
  text: string;
}

const RETRYABLE = new Set([408, 429, 500, 502, 503, 504]);

/** JSON; undefined for anything else. */
export function parse(text: string): unknown {
  try {
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** The answer itself; throws `ArmError` when its status is none of these. */
export function expectStatus(answer: Answer, statuses: number[]): Answer {
  if (!statuses.includes(answer.status)) {
    throw new ArmError(answer);
  }
  return answer;
}

/** The body as an object, empty when it is none. */
export function record(answer: Answer): Record<string, unknown> {
  return typeof answer.body === "object" && answer.body !== null
    ? (answer.body as Record<string, unknown>)
    : {};
}

/** A header, by its lower-case name. */
export function header(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Milliseconds to wait; the header carries seconds. */
export function retryAfter(answer: Answer): number | undefined {
  const seconds = Number(header(answer, "retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

/** Would azure-native send this request again? */
export function mayRepeat(answer: Answer): boolean {
  const busy = answer.status === 409 && new ArmError(answer).code === "AnotherOperationInProgress";
  return RETRYABLE.has(answer.status) || busy;
}

/**
 * State of a long-running operation, lower case. A location poll goes by the status code, the others
 * by what the body says.
 */
export function stateOf(answer: Answer, byOperation: boolean, byResource: boolean): string {
  const body = record(answer) as { status?: unknown; properties?: { provisioningState?: unknown } };
  const state = byOperation ? body.status : body.properties?.provisioningState;
  if (typeof state === "string" && (byOperation || byResource)) {
    return state.toLowerCase();
  }
  return byOperation || answer.status === 202 ? "running" : "succeeded";
}
