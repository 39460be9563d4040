/**
 * Tells a refusal from a fault. A refusal ("you may not") sends a device back to DPS; a fault ("I
 * cannot reach it") must not, or one outage of a hub would bring its whole fleet to DPS at once.
 *
 * The SDK makes it hard: whatever goes wrong with the first connection to a hub comes as an
 * UnauthorizedError that says "Not authorized", with the real reason behind it.
 */

export interface Failure {
  where: "dps" | "hub";
  kind: "refused" | "fault";
  /** For a person. */
  reason: string;
  /** How long the service asked to wait, milliseconds. */
  retryAfterMs?: number;
}

/** What the SDKs' errors carry. */
interface SdkError {
  message?: string;
  /** MQTT's CONNACK return code, or Node's code of a network fault. */
  code?: string | number;
  /** DPS's answer; also on a status other than "assigned". */
  result?: {
    errorCode?: number;
    message?: string;
    status?: string;
    registrationState?: { errorCode?: number; errorMessage?: string };
  };
  transportObject?: { topic?: string };
}

/** The SDK's wrapping: `mqtt.js returned Failure on first connection (Not authorized): ... error`. */
const FIRST_CONNECTION = /^.*Failure on first connection \(Not authorized\): (.*?)( error)?$/s;
/** CONNACK 4 and 5 in mqtt.js's words (MQTT 3.1.1, 3.2.2.3). Azure IoT Hub answers 5. */
const REFUSED_BY_HUB = /Connection refused: (Not authorized|Bad username or password)/;

/** Why a connection to the hub failed. */
export function hubFailure(error: unknown): Failure {
  const { message = String(error) } = error as SdkError;
  const reason = message.replace(FIRST_CONNECTION, "$1");
  return { where: "hub", kind: REFUSED_BY_HUB.test(reason) ? "refused" : "fault", reason };
}

/** Why a registration failed. DPS accepts the connection first, and then answers with a status. */
export function provisioningFailure(error: unknown): Failure {
  const { message = String(error), code, result, transportObject } = error as SdkError;
  const answered = result !== undefined || code === 4 || code === 5;
  const state = result?.registrationState;
  const errorCode = state?.errorCode ?? result?.errorCode;
  const text = state?.errorMessage ?? result?.message ?? message;
  const retryAfter = /[?&]retry-after=(\d+)/.exec(transportObject?.topic ?? "")?.[1];
  return {
    where: "dps",
    kind: answered ? "refused" : "fault",
    reason: errorCode === undefined ? text : `${errorCode} ${text}`,
    ...(retryAfter !== undefined && { retryAfterMs: Number(retryAfter) * 1000 }),
  };
}

/** A failure on its way to whoever decides what comes next. */
export class DeviceError extends Error {
  constructor(readonly failure: Failure) {
    super(`${failure.where}: ${failure.reason}`);
    this.name = "DeviceError";
  }
}
