/** Records as the service API shows them: never a certificate itself, only its info. */
import type { StoredCertificate } from "../common/model";
import { idProperty } from "./enrollment-body";
import type { Attestation, EnrollmentRecord, RegistrationRecord } from "./records";

/** An entry as PUT and query answer it; a GET of an individual one adds `registrationState`. */
export function showEnrollment(record: EnrollmentRecord): object {
  const { deviceId, provisioningStatus, reprovisionPolicy, ...settings } = record.settings;
  return {
    [idProperty(record.kind)]: record.id,
    ...(deviceId === undefined ? {} : { deviceId }),
    attestation: showAttestation(record.attestation),
    ...settings,
    provisioningStatus,
    reprovisionPolicy,
    createdDateTimeUtc: record.createdDateTimeUtc,
    lastUpdatedDateTimeUtc: record.lastUpdatedDateTimeUtc,
    etag: record.etag,
  };
}

export function showAttestation(attestation: Attestation): object {
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
