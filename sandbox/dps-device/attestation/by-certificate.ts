/** Judges a device by its certificates, from the records of one service. */
import type { Sandbox } from "../../common/model";
import { isEnabled, type Directory, type EnrollmentRecord } from "../../dps-service/records";
import { judge, type Verdict } from "./judge";

/**
 * @param presented certificates, DER, leaf first; the handshake proved that the device has the key
 * @param registrationId as the device asks for it
 */
export function attestByCertificate(
  { clock, switches }: Sandbox,
  directory: Directory,
  presented: Buffer[],
  registrationId: string,
): Verdict {
  const view = (entry: EnrollmentRecord) => ({
    id: entry.id,
    enabled: isEnabled(entry),
    certificates: directory.certificatesOf(entry),
  });
  const own = directory.entry("individual", registrationId);
  const individuals =
    switches.disabledIndividualDenies === "certificate"
      ? directory.entries("individual")
      : own === undefined
        ? []
        : [own];
  return judge({
    presented,
    registrationId,
    individuals: individuals.map((entry) => ({ ...view(entry), registrationId: entry.id })),
    groups: directory.entries("group").map(view),
    caCertificates: directory.caCertificates(),
    now: clock.now(),
    switches,
  });
}
