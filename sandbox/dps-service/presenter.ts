/** Records as the service API shows them: never a certificate itself, only its info. */
import type { StoredCertificate } from "../common/model";
import { idProperty } from "./enrollment-body";
import type { Attestation, EnrollmentRecord, RegistrationRecord } from "./records";

/**
 * An entry as the service answers it; a GET of an individual one adds `registrationState`.
 * Recorded: the answer to a PUT shows symmetric keys, those to a GET and a query do not.
 */
export function showEnrollment(record: EnrollmentRecord, { keys }: { keys: boolean }): object {
  const { deviceId, provisioningStatus, ...settings } = record.settings;
  const { attestation } = record;
  return {
    [idProperty(record.kind)]: record.id,
    ...(deviceId === undefined ? {} : { deviceId }),
    attestation:
      attestation.form === "symmetricKey" && !keys
        ? { type: "symmetricKey" }
        : showAttestation(attestation),
    ...settings,
    provisioningStatus: provisioningStatus ?? null,
    createdDateTimeUtc: record.createdDateTimeUtc,
    lastUpdatedDateTimeUtc: record.lastUpdatedDateTimeUtc,
    etag: record.etag,
  };
}

/** The attestation mechanism: symmetric keys are in it, certificates are not. */
export function showAttestation(attestation: Attestation): object {
  if (attestation.form === "symmetricKey") {
    const { primary, secondary } = attestation.keys;
    return {
      type: "symmetricKey",
      symmetricKey: { primaryKey: primary, secondaryKey: secondary },
    };
  }
  const { form, primary, secondary } = attestation;
  return {
    type: "x509",
    x509: { [form]: { ...showSlot("primary", primary), ...showSlot("secondary", secondary) } },
  };
}

function showSlot(name: string, slot: StoredCertificate | string | undefined): object {
  if (slot === undefined) {
    return {};
  }
  return { [name]: typeof slot === "string" ? slot : { info: slot.info } };
}

/** A registration record; who admitted the device is not part of it. */
export function showRegistration(record: RegistrationRecord): object {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== "group"));
}

/** What a GET of an individual enrollment says of a device that never registered (recorded). */
export function neverRegistered(registrationId: string): object {
  return { registrationId, status: "unassigned" };
}
