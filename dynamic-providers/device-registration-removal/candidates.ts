/** Who has to be removed after a breach. */
import { EnrollmentsClient } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import type { CompromisedKey } from "../../certificates/compromised-keys";
import type { Containment } from "../breach-containment/provider";
import { isSame } from "../breach-containment/closing";
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
  /** Of the entry that admitted the key: a registration after it was made with another certificate. */
  cutOff?: string;
  /** It was under way at the cut-off: at risk whatever time its record shows. */
  settling: boolean;
}

/**
 * Individual enrollments that held the key: their device. Groups cannot tell who issued a leaf: all
 * registrations that were last made up to the cut-off of the group, and those that were settling then.
 * A device that registered later came in with a certificate that is still good.
 */
export async function candidatesOf(scope: RemovalScope): Promise<Candidate[]> {
  const client = new EnrollmentsClient(scope.connection);
  const found = new Map<string, Candidate>();
  const closed = [...scope.containment.entries].sort((a, b) => time(a.cutOff) - time(b.cutOff));
  // The latest cut-off last: it is the one that a device has to be newer than.
  for (const entry of closed) {
    for (const record of await registrationsOf(client, entry)) {
      const settling = entry.settling.some(
        (id) => id.toLowerCase() === record.registrationId.toLowerCase(),
      );
      if (settling || time(record.lastUpdatedDateTimeUtc) <= time(entry.cutOff)) {
        found.set(record.registrationId.toLowerCase(), {
          registrationId: record.registrationId,
          deviceId: record.deviceId ?? record.registrationId,
          admitted: entry.kind === "group",
          cutOff: entry.cutOff,
          settling,
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
        settling: false,
      });
    }
  }
  return [...found.values()].sort((a, b) => a.registrationId.localeCompare(b.registrationId));
}

/** What was closed since `before`: its devices are candidates although the rest is done. */
export function closedLater(before: Containment, now: Containment): Containment {
  return {
    entries: now.entries.filter((entry) =>
      before.entries.every((each) => !isSame(each, entry) || each.cutOff !== entry.cutOff),
    ),
  };
}
