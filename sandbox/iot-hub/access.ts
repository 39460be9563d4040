/** Who may call which operation of the hub's service API. */
import type { Sandbox } from "../common/model";
import { SasError, verifySas } from "../common/sas";
import { HubFault } from "./faults";

/**
 * Source: learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas, "Access control and
 * permissions". A query reads the registry; not known: whether it also passes with ServiceConnect
 * alone, as the twins that it returns do; assumed.
 */
export const RIGHTS = {
  readIdentity: ["RegistryRead"],
  writeIdentity: ["RegistryWrite"],
  query: ["RegistryRead", "ServiceConnect"],
  twin: ["ServiceConnect"],
  method: ["ServiceConnect"],
  // Source: the tutorial "Schedule and broadcast jobs" asks for the policy registryReadWrite.
  job: ["RegistryWrite"],
} as const;

export type Operation = keyof typeof RIGHTS;

/**
 * Throws 401 unless `authorization` is a shared access signature with the right, or an access token.
 * Role assignments of tokens are not emulated: a token of this sandbox may do everything.
 *
 * @param names host names under which clients reach the hub, beside its own
 */
export function authorize(
  sandbox: Sandbox,
  hubName: string,
  authorization: string | undefined,
  operation: Operation,
  names: string[],
): void {
  const hub = sandbox.hubs.get(hubName);
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? "")?.[1];
  try {
    if (hub === undefined) {
      throw new SasError("audience", "The hub has been deleted.");
    }
    if (bearer !== undefined) {
      return sandbox.verifyToken(bearer);
    }
    verifySas(authorization, {
      policies: hub.authorizationPolicies,
      hostName: [hub.hostName, ...names],
      right: [...RIGHTS[operation]],
    });
  } catch (error) {
    if (bearer === undefined && !(error instanceof SasError)) {
      throw error;
    }
    const refusal = new HubFault("IotHubUnauthorizedAccess", "Unauthorized").toHttp(
      sandbox.clock.now(),
    );
    // For the request log; the client learns only "Unauthorized".
    refusal.message += `: ${error instanceof Error ? error.message : String(error)}`;
    throw refusal;
  }
}
