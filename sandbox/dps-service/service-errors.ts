/** The error answers of the service API, in one place. Codes without a source are assumed. */
import { dpsError, type HttpError } from "../common/errors";

type Make = (now: Date, message?: string) => HttpError;

function table(status: number, code: number, fallback: string): Make {
  return (now, message = fallback) => dpsError(status, code, message, now);
}

/** Seen for a bad continuation token (azure-iot-sdk-node#502); assumed for all bad requests. */
export const badRequest = table(400, 400000, "Bad Request");
/** Code seen on the device API; not known for the service API. */
export const unauthorized = table(401, 401002, "Unauthorized");
/** Code seen in the C# SDK's end-to-end tests. */
export const enrollmentNotFound = table(404, 404201, "Enrollment not found.");
/** 404202 was seen (azure-docs#57082); not known what for. Assumed: registrations. */
export const registrationNotFound = table(404, 404202, "Registration not found.");
/** The C# SDK's end-to-end tests expect that it may be 409; not known: code and text. */
export const registrationUnderWay = table(409, 409200, "The device is being registered.");
/** Recorded for a bulk update without etag; PUT without If-Match on an existing ID is 409 too. */
export const enrollmentExists = table(409, 409201, "Enrollment already exists.");
/** 412 is documented; not known: code and text. */
export const etagMismatch = table(412, 412001, "ETag mismatch.");
/** not known: status and code. 403 is what Microsoft's SDKs call "too many devices". */
export const limitReached = table(403, 403000, "The limit of enrollment groups is reached.");
/** not known: the code and the text of a 429. */
export const throttled = table(429, 429000, "The request rate is too high.");
/** The service of this front was deleted; in Azure its host name would be gone. */
export const serviceGone = table(404, 404000, "The provisioning service does not exist.");
/** The sandbox's own answer, never one of Azure. */
export const notWritten = table(501, 501000, "The sandbox does not have this operation.");
