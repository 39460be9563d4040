/** Entries that become part of the stack, against what DPS has under their IDs. */
import { compromisedKeys } from "../../certificates/compromised-keys";
import type { Declared, DeclaredGroup, DeclaredIndividual } from "../../certificates/declared";
import type { Fault } from "../../certificates/faults";
import { type Entry, own } from "../../certificates/slots";
import { EnrollmentsClient } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import { joiningFault } from "../enrollment/adoption";
import { type EnrollmentInputs, liveEnrollment } from "../enrollment/live";
import type { Slot } from "../enrollment/slots";
import type { Reading } from "./bounded";

/** More are not asked for before they are written, beside those that are adopted. */
const MOST_NEW = 100;

/** What stands against each of them, all at once. */
export async function joiningFaults(
  connection: Connection,
  after: Declared,
  joining: readonly Entry[],
  read: Reading,
): Promise<Fault[]> {
  const client = new EnrollmentsClient(connection);
  const adopted = joining.filter((entry) => entry.adopted);
  const others = joining.filter((entry) => !entry.adopted).slice(0, MOST_NEW);
  const faults = await Promise.all(
    [...adopted, ...others].map(async (entry) => {
      const inputs = inputsOf(connection, after, entry);
      if (inputs === undefined) return [];
      const { kind, id } = entry;
      const noun = kind === "group" ? "enrollment group" : "individual enrollment";
      const { value: live } = await read(`whether ${noun} "${id}" is in DPS already`, async () =>
        liveEnrollment(await (kind === "group" ? client.getGroup(id) : client.getIndividual(id))),
      );
      return live === undefined ? [] : (joiningFault(kind, live, inputs) ?? []);
    }),
  );
  return faults.flat();
}

/** As the component declares it; undefined: a certificate of it is not made yet. */
function inputsOf(
  connection: Connection,
  declared: Declared,
  { kind, id, adopted, enabled, slots }: Entry,
): EnrollmentInputs | undefined {
  const section = kind === "group" ? declared.enrollmentGroups : declared.individualEnrollments;
  const { reprovisionPolicy = "migrate" } = own<DeclaredGroup | DeclaredIndividual>(section, id)!;
  const { deviceId } = own(declared.individualEnrollments, id) ?? {};
  const filled = slots.map(({ name, slot, certificate }): [string, Slot] | undefined =>
    certificate?.known === true
      ? [
          name,
          {
            ...("ca" in slot ? { ca: slot.ca } : { pem: certificate.pem }),
            certificate: certificate.summary,
          },
        ]
      : undefined,
  );
  if (filled.some((slot) => slot === undefined)) return undefined;
  return {
    connection,
    enrollmentId: id,
    provisioningStatus: enabled ? "enabled" : "disabled",
    reprovisionPolicy,
    compromised: compromisedKeys(declared),
    adopt: adopted,
    ...(kind === "individual" && deviceId !== undefined && { deviceId }),
    ...Object.fromEntries(filled.filter((slot) => slot !== undefined)),
  };
}
