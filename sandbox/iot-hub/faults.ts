/** The refusals of the identity registry, and how the hub writes them on the wire. */
import { randomUUID } from "node:crypto";
import { HttpError, hubError } from "../common/errors";
import { PRECONDITION_TEXT } from "./not-known";

/** Source: Microsoft.Azure.Devices, ErrorCode; learn.microsoft.com, IotHubServiceErrorCode. */
const NUMBERS = {
  GenericBadRequest: 400000,
  InvalidProtocolVersion: 400001,
  ArgumentInvalid: 400004,
  IotHubFormatError: 400006,
  DeviceDefinedMultipleTimes: 400011,
  IotHubUnauthorizedAccess: 401002,
  IotHubQuotaExceeded: 403002,
  DeviceNotFound: 404001,
  JobNotFound: 404002,
  ModuleNotFound: 404010,
  DeviceAlreadyExists: 409001,
  JobAlreadyExists: 409104,
  ModuleAlreadyExistsOnDevice: 409301,
  PreconditionFailed: 412001,
  ThrottlingMaxActiveJobCountExceeded: 429004,
} as const;

export type FaultCode = keyof typeof NUMBERS;

/** A refusal that is an HTTP answer of its own, or one entry in the answer of a bulk operation. */
export class HubFault extends Error {
  constructor(
    readonly code: FaultCode,
    text: string,
  ) {
    super(text);
    this.name = "HubFault";
  }

  /** Six digits; the first three are the HTTP status. */
  get number(): number {
    return NUMBERS[this.code];
  }

  get statusCode(): number {
    return Math.floor(this.number / 1000);
  }

  toHttp(now: Date): HttpError {
    return hubError(this.statusCode, this.code, this.message, now);
  }
}

export function invalid(text: string): HubFault {
  return new HubFault("ArgumentInvalid", text);
}

/** Text as seen in azure-iot-sdk-csharp#317. */
export function deviceNotFound(): HubFault {
  return new HubFault("DeviceNotFound", "NotFound");
}

/** Text as recorded in azure-iot-sdks#711. */
export function deviceAlreadyExists(): HubFault {
  return new HubFault("DeviceAlreadyExists", "Conflict");
}

/** not known: the text for a module that is not there. */
export function moduleNotFound(): HubFault {
  return new HubFault("ModuleNotFound", "NotFound");
}

/** not known: the text for a module that is there already. */
export function moduleAlreadyExists(): HubFault {
  return new HubFault("ModuleAlreadyExistsOnDevice", "Conflict");
}

export function quotaExceeded(text: string): HubFault {
  return new HubFault("IotHubQuotaExceeded", text);
}

export function preconditionFailed(): HubFault {
  return new HubFault("PreconditionFailed", PRECONDITION_TEXT);
}

/**
 * The form of the direct methods' refusals, a JSON document inside the message (recorded:
 * iotedge#98, azure-iot-cli-extension#54, azure-iot-sdk-csharp#724).
 *
 * @param name for the header `iothub-errorcode`
 */
export function nestedError(
  errorCode: number,
  name: string,
  message: string,
  now: Date,
  info?: Record<string, unknown>,
): HttpError {
  const nested = {
    errorCode,
    trackingId: trackingId(now),
    message,
    ...(info === undefined ? {} : { info }),
    timestampUtc: now.toISOString(),
  };
  return new HttpError(
    Math.floor(errorCode / 1000),
    { Message: JSON.stringify(nested), ExceptionMessage: "" },
    { "iothub-errorcode": name },
    `${errorCode}: ${message}`,
  );
}

/** The body of a refusal that goes to a device over MQTT. */
export function deviceFault(
  errorCode: number,
  message: string,
  now: Date,
): Record<string, unknown> {
  return { errorCode, trackingId: trackingId(now), message, timestampUtc: now.toISOString() };
}

function trackingId(now: Date): string {
  const time = now.toISOString().slice(0, 19);
  return `${randomUUID().replaceAll("-", "")}-TimeStamp:${time}`;
}
