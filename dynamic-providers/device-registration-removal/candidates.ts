/** Who has to be removed after a breach. */
import { EnrollmentsClient } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import type { CompromisedKey } from "../../certificates/compromised-keys";
import type { Containment } from "../breach-containment/provider";
import { registrationsOf, time } from "../breach-containment/registrations";

export interface RemovalScope {
  connection: Connection;
  compromised: CompromisedKey;
  /** Keys that each CA certificate name was ever declared to have; as in `BreachContainment`. */
  caKeys: Record<string, string[]>;
  containment: Containment;
}

export interface Candidate {
  registrationId: string;
  deviceId: string;
  /**
   * Of a group that admitted the key: nobody can tell who issued its leaf, so it goes whatever leaf it
   * has. false: the compromised leaf itself is known, and a device that has another one is spared.
   */
  admitted: boolean;
}

/**
 * Individual enrollments that held the key: their device. Groups cannot tell who issued a leaf: all
 * registrations that were last made up to the cut-off, and those that were settling then. A device that
 * registered later came in with a certificate that is still good.
 */
export async function candidatesOf(scope: RemovalScope): Promise<Candidate[]> {
  const client = new EnrollmentsClient(scope.connection);
  const cutOff = scope.containment.cutOff;
  const found = new Map<string, Candidate>();
  for (const entry of scope.containment.entries) {
    for (const record of await registrationsOf(client, entry)) {
      if (
        cutOff === undefined ||
        time(record.lastUpdatedDateTimeUtc) <= time(cutOff) ||
        isSettling(scope, record.registrationId)
      ) {
        found.set(record.registrationId.toLowerCase(), {
          registrationId: record.registrationId,
          deviceId: record.deviceId ?? record.registrationId,
          admitted: entry.kind === "group",
        });
      }
    }
  }
  // A compromised leaf of a device that came in through a group which stays open.
  for (const id of scope.compromised.registrationIds.filter(
    (one) => !found.has(one.toLowerCase()),
  )) {
    const record = await client.getRegistration(id);
    if (record !== undefined) {
      found.set(id.toLowerCase(), {
        registrationId: record.registrationId,
        deviceId: record.deviceId ?? record.registrationId,
        admitted: false,
      });
    }
  }
  return [...found.values()].sort((a, b) => a.registrationId.localeCompare(b.registrationId));
}

/** Was it admitted before the cut-off, and settled after it? */
export function isSettling({ containment }: RemovalScope, registrationId: string): boolean {
  return containment.settling.some((id) => id.toLowerCase() === registrationId.toLowerCase());
}
