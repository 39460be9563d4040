/**
 * The error answers of the emulated services: each has its own body, and clients read them.
 * A handler throws what these functions make; `createApp` (http.ts) sends it.
 */
import { randomUUID } from "node:crypto";

/** An answer with an error status, ready to be sent as it is. */
export class HttpError extends Error {
  /**
   * @param status HTTP status, 4xx or 5xx
   * @param body sent as JSON
   * @param headers further headers, by lower-case name
   * @param message for the request log: what a reader wants to know
   */
  constructor(
    readonly status: number,
    readonly body: object,
    readonly headers: Record<string, string> = {},
    message = `HTTP ${status}`,
  ) {
    super(message);
    this.name = "HttpError";
  }
}

/** Azure Resource Manager's common form: `{error: {code, message}}`. */
export function armError(status: number, code: string, message: string): HttpError {
  return new HttpError(
    status,
    { error: { code, message } },
    { "x-ms-failure-cause": "gateway" },
    `${code}: ${message}`,
  );
}

const HTTP_STATUS_NAMES: Record<number, string> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  412: "PreconditionFailed",
  429: "TooManyRequests",
  500: "InternalServerError",
  501: "NotImplemented",
};

/** "NotFound" for 404, and so on; "Error" for a status that is not in the table. */
export function statusName(status: number): string {
  return HTTP_STATUS_NAMES[status] ?? "Error";
}

/** "2026-11-24 02:21:08Z", as in the texts of Microsoft.Devices. */
function plainTime(now: Date): string {
  return `${now.toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/**
 * The form in which the Microsoft.Devices resource provider answers by itself (recorded for DPS
 * certificates): flat, with an integer code, and a sentence for the support desk.
 *
 * @param code six digits, such as 404015
 * @param text first sentence, with its full stop
 */
export function devicesError(status: number, code: number, text: string, now: Date): HttpError {
  const message =
    `${text} If you contact a support representative please include this correlation identifier: ` +
    `${randomUUID()}, timestamp: ${plainTime(now)}, errorcode: IH${code}.`;
  return new HttpError(
    status,
    { code, httpStatusCode: statusName(status), message },
    {},
    `${code}: ${text}`,
  );
}

/**
 * DPS, service API and device API: `{errorCode, trackingId, message, info?, timestampUtc}` and the
 * header `x-ms-error-code`.
 */
export function dpsError(
  status: number,
  errorCode: number,
  message: string,
  now: Date,
  info?: Record<string, unknown>,
): HttpError {
  const body = {
    errorCode,
    trackingId: randomUUID(),
    message,
    ...(info === undefined ? {} : { info }),
    timestampUtc: now.toISOString(),
  };
  const headers = { "x-ms-error-code": String(errorCode) };
  return new HttpError(status, body, headers, `${errorCode}: ${message}`);
}

/**
 * IoT Hub: `{"Message": "ErrorCode:X;text", "ExceptionMessage": "Tracking ID:..."}`; the service
 * SDKs read the word between "ErrorCode:" and the semicolon.
 *
 * @param code such as "DeviceNotFound"
 */
export function hubError(status: number, code: string, text: string, now: Date): HttpError {
  const time = plainTime(now).replace(" ", "T");
  const body = {
    Message: `ErrorCode:${code};${text}`,
    ExceptionMessage: `Tracking ID:${randomUUID().replaceAll("-", "")}-TimeStamp:${time}`,
  };
  return new HttpError(status, body, { "iothub-errorcode": code }, `${code}: ${text}`);
}
