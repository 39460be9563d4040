/** Taking over an entry that somebody else made, without a moment in which a device is shut out. */
import { fault, type Fault } from "../../certificates/faults";
import { entryPath } from "../../certificates/slots";
import { describe, type EnrollmentInputs, type LiveEnrollment, same, sameDevice } from "./live";
import { filled, identities, identity } from "./slots";

/**
 * What stands against taking over the live entry as it is declared; undefined: nothing does. It may
 * differ by a certificate beside those that are there (the beginning of an expiration roll), and by
 * certificates that are declared compromised and go (a breach roll).
 */
export function adoptionFault(
  kind: "individual" | "group",
  live: LiveEnrollment,
  inputs: EnrollmentInputs,
): Fault | undefined {
  const path = `${entryPath(kind, inputs.enrollmentId)}.adopt`;
  if (live.provisioningStatus === "deleted") {
    const fix = "leave adopt out, so that it is made";
    return fault("DPS-CERT-125", path, "no such entry in DPS", fix);
  }
  if (same(live, inputs) || isRoll(live, inputs)) {
    return undefined;
  }
  return fault(
    "DPS-CERT-126",
    path,
    `an entry that differs: in DPS ${describe(live)}, last changed ${live.lastUpdated}; declared ${describe(inputs)}`,
    "declare what is in DPS and change it later, as a roll; a certificate that is added beside those in DPS, " +
      "or replaces one that is named in compromised, may be declared at once",
  );
}

function isRoll(live: LiveEnrollment, inputs: EnrollmentInputs): boolean {
  const declared = identities(inputs);
  const going = filled(live).filter((slot) => !declared.includes(identity(slot)));
  const compromised = new Set(
    inputs.compromised
      .flatMap((one) => [one, ...(one.below ?? [])])
      .flatMap(({ thumbprints }) => thumbprints),
  );
  const isBreach =
    going.length > 0 &&
    going.every(({ sha256Thumbprint }) => compromised.has(sha256Thumbprint ?? ""));
  // What containment has disabled by now is enabled by the change that takes the key out.
  const isOpen = isBreach || live.provisioningStatus === inputs.provisioningStatus;
  return (
    (going.length === 0 || isBreach) &&
    isOpen &&
    live.reprovisionPolicy === inputs.reprovisionPolicy &&
    sameDevice(live, inputs)
  );
}
