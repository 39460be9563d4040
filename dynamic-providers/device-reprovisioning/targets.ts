/** Which devices are told to register again, and which have done so already. */
import { EnrollmentsClient } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import { registrationsOf, time } from "../breach-containment/registrations";

export interface ReprovisioningScope {
  connection: Connection;
  kind: "individual" | "group";
  /** Registration ID or enrollment group ID. */
  enrollmentId: string;
  /** DPS's time of the entry's last write, ISO 8601: who registered later has seen it. */
  since: string;
}

export interface Target {
  registrationId: string;
  deviceId: string;
  /** Host name of the hub that DPS has assigned. */
  hub: string;
  /** Has it registered since the entry was written? Then there is nothing to tell it. */
  registered: boolean;
}

/**
 * The devices that came in through the entry and have a hub. Of an individual enrollment its one
 * device, of a group all of its registration records.
 */
export async function targetsOf(scope: ReprovisioningScope): Promise<Target[]> {
  const client = new EnrollmentsClient(scope.connection);
  const entry = { kind: scope.kind, id: scope.enrollmentId };
  return (await registrationsOf(client, entry)).flatMap((record) =>
    record.status === "assigned" && record.assignedHub
      ? [
          {
            registrationId: record.registrationId,
            deviceId: record.deviceId ?? record.registrationId,
            hub: record.assignedHub,
            registered: time(record.lastUpdatedDateTimeUtc) > time(scope.since),
          },
        ]
      : [],
  );
}
