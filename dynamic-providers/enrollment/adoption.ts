/** An entry that becomes part of the stack, against what DPS has under its ID already. */
import { reachedThumbprints } from "../../certificates/compromised-keys";
import { fault, type Fault } from "../../certificates/faults";
import { entryPath } from "../../certificates/slots";
import { describe, type EnrollmentInputs, type LiveEnrollment, same, sameDevice } from "./live";
import { filled, identities, identity, type LiveSlot } from "./slots";

/** What stands against creating it, or against taking it over; undefined: nothing does. */
export function joiningFault(
  kind: "individual" | "group",
  live: LiveEnrollment,
  inputs: EnrollmentInputs,
): Fault | undefined {
  if (inputs.adopt === true) return adoptionFault(kind, live, inputs);
  if (live.provisioningStatus === "deleted" || same(live, inputs) || isContained(live, inputs)) {
    return undefined;
  }
  return fault(
    "DPS-CERT-129",
    entryPath(kind, inputs.enrollmentId),
    `an entry that is in DPS already, not made by this stack: in DPS ${describe(live)}, last changed ${live.lastUpdated}; declared ${describe(inputs)}`,
    "take it over with adopt: true, or delete it in DPS",
  );
}

/** Was it made, or closed, to shut out what is declared to be shut out? `npm run contain` does that. */
function isContained(live: LiveEnrollment, inputs: EnrollmentInputs): boolean {
  const reached = new Set(inputs.compromised.flatMap(reachedThumbprints));
  const slots = filled<LiveSlot>(live);
  const isReached =
    slots.length > 0 && slots.every(({ sha256Thumbprint }) => reached.has(sha256Thumbprint ?? ""));
  return live.provisioningStatus === "disabled" && (inputs.denied !== undefined || isReached);
}

/**
 * Taking it over shuts no device out, not for a moment. The live entry may
 * differ by a certificate beside those that are there (the beginning of an expiration roll), and by
 * certificates that are declared compromised and go (a breach roll).
 */
function adoptionFault(
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
  const compromised = new Set(inputs.compromised.flatMap(reachedThumbprints));
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
