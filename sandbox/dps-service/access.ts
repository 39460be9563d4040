/** Who may call which operation of the service API. */
import type { Sandbox } from "../common/model";
import { SasError, verifySas } from "../common/sas";
import { unauthorized } from "./service-errors";
import type { Directory } from "./records";

export type Right =
  "EnrollmentRead" | "EnrollmentWrite" | "RegistrationStatusRead" | "RegistrationStatusWrite";

/**
 * The owner policy that every service is born with has "ServiceConfig, DeviceConnect,
 * EnrollmentWrite", and Microsoft's tools do everything with it, also read enrollments and delete
 * registrations. not known, assumed: it is EnrollmentWrite that brings the other three.
 */
const ENOUGH: Record<Right, string[]> = {
  EnrollmentRead: ["EnrollmentRead", "EnrollmentWrite"],
  EnrollmentWrite: ["EnrollmentWrite"],
  RegistrationStatusRead: ["RegistrationStatusRead", "RegistrationStatusWrite", "EnrollmentWrite"],
  RegistrationStatusWrite: ["RegistrationStatusWrite", "EnrollmentWrite"],
};

/**
 * Throws 401 unless `authorization` is a shared access signature with the right, or an access token.
 * not known: the status for a policy that lacks the right; assumed 401. Role assignments of tokens
 * are not emulated: a token of this sandbox may do everything.
 *
 * @param names host names under which clients reach the service; signatures are for one of them
 */
export function authorize(
  sandbox: Sandbox,
  { service }: Directory,
  authorization: string | undefined,
  right: Right,
  names: string[],
): void {
  const now = sandbox.clock.now();
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? "")?.[1];
  try {
    if (bearer !== undefined) {
      sandbox.verifyToken(bearer);
      return;
    }
  } catch (error) {
    throw withReason(unauthorized(now), String(error));
  }
  try {
    verifySas(authorization, {
      policies: service.authorizationPolicies,
      hostName: [service.serviceHostName, ...names],
      right: ENOUGH[right],
    });
  } catch (error) {
    if (error instanceof SasError) {
      throw withReason(unauthorized(now), error.message);
    }
    throw error;
  }
}

/** The reason is for the request log; the client learns only "Unauthorized". */
function withReason<T extends Error>(error: T, reason: string): T {
  error.message = `${error.message}: ${reason}`;
  return error;
}
