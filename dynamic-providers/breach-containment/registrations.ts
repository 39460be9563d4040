/** The registrations that came in through an entry, and when. */
import type { EnrollmentsClient, RegistrationRecord } from "../../clients/enrollments";

/** Of a group: all of them, also while it is disabled. Of an individual enrollment: its device's. */
export async function registrationsOf(
  client: EnrollmentsClient,
  { kind, id }: { kind: "individual" | "group"; id: string },
): Promise<RegistrationRecord[]> {
  if (kind === "group") {
    return client.registrationsOfGroup(id);
  }
  const record = await client.getRegistration(id);
  return record === undefined ? [] : [record];
}

/** Has DPS come to an end with it? Until then the hub may still be given the device. */
export function isSettled({ status }: Pick<RegistrationRecord, "status">): boolean {
  return status !== "assigning" && status !== "unassigned";
}

/** Milliseconds; DPS writes seven fractional digits, which `Date` does not read everywhere. */
export function time(text: string | undefined): number {
  return text === undefined
    ? Number.NEGATIVE_INFINITY
    : Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
}
