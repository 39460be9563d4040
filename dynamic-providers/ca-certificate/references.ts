/** Groups that refer to a CA certificate by its name. */
import { faultError } from "../../certificates/faults";
import { EnrollmentsClient } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import { displayName, listed } from "../../certificates/text";
import { proofPath } from "./proof";
import { liveSlots } from "../enrollment/slots";

/**
 * Throws when a group still refers to the CA certificate: it would admit no device any more.
 * @param options.onlyEnabled after a breach: containment has disabled the groups that refer to it
 */
export async function refuseWhileReferredTo(
  connection: Connection,
  name: string,
  what: string,
  advice: string,
  { onlyEnabled = false } = {},
): Promise<void> {
  const groups = await new EnrollmentsClient(connection).queryGroups();
  const referring = groups.filter(({ attestation, provisioningStatus }) => {
    if (onlyEnabled && provisioningStatus === "disabled") return false;
    const { primary, secondary } = liveSlots(attestation);
    return [primary?.ca, secondary?.ca].some((ca) => ca?.toLowerCase() === name.toLowerCase());
  });
  if (referring.length > 0) {
    const names = listed(referring.map(({ enrollmentGroupId }) => displayName(enrollmentGroupId)));
    throw faultError(
      "DPS-CERT-161",
      proofPath(name),
      `a CA certificate that is not ${what}, because in DPS enrollment group ${names} still refers to it`,
      advice,
    );
  }
}
