/** What a job notes of a device for which it could not be carried out. */
import { HttpError } from "../common/errors";
import { HubFault } from "./faults";
import { LATE_DEVICE_JOB_CODE } from "./not-known";

/** As it was seen, in azure-iot-sdk-java, JobsResponseParserTest. */
export const NOT_STARTED = {
  code: "JobRunPreconditionFailed",
  description:
    "The job did not start within specified period: either device did not come online or invalid endTime specified.",
};

export function errorOf(error: unknown): { code: string; description: string } {
  if (error instanceof HubFault) {
    return { code: error.code, description: error.message };
  }
  if (error instanceof HttpError) {
    const code = error.headers["iothub-errorcode"] ?? "ServerError";
    return {
      code: error.status === 504 ? LATE_DEVICE_JOB_CODE : code,
      description: error.message.replace(/^\d+: /, ""),
    };
  }
  // A defect of the sandbox: never to be mistaken for an answer of Azure.
  console.error("The sandbox failed while it ran a job:", error);
  return { code: "ServerError", description: `The sandbox failed: ${String(error)}` };
}
