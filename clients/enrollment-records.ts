/**
 * Enrollments and device registrations as they are on the wire.
 * Source: learn.microsoft.com/rest/api/iot-dps/service, api-version 2021-10-01.
 */

/** What DPS shows of a stored certificate; the certificate itself is never returned. */
export interface CertificateInfo {
  /** "CN=...". */
  subjectName: string;
  /** Upper-case hex. */
  sha1Thumbprint: string;
  /** Upper-case hex. */
  sha256Thumbprint: string;
  issuerName: string;
  /** ISO 8601, no fraction. */
  notBeforeUtc: string;
  notAfterUtc: string;
  /** Upper-case hex. */
  serialNumber: string;
  version: number;
}

/** A slot as it is read. Sent back as it is, it keeps the stored certificate. */
export interface EnrolledCertificate {
  info?: CertificateInfo;
}

/** Two slots. With only a primary sent, DPS shows it as the secondary too. */
export interface CertificateSlots<C = EnrolledCertificate> {
  primary?: C;
  secondary?: C;
}

/** Exactly one of the three is used. */
export interface X509Attestation<C = EnrolledCertificate> {
  /** Individual enrollments: the leaf itself. */
  clientCertificates?: CertificateSlots<C>;
  /** Groups: an intermediate. */
  signingCertificates?: CertificateSlots<C>;
  /** Groups: names of CA certificates of the DPS. */
  caReferences?: { primary?: string; secondary?: string };
}

export interface Attestation<C = EnrolledCertificate> {
  type: string;
  x509?: X509Attestation<C>;
}

export interface ReprovisionPolicy {
  updateHubAssignment: boolean;
  migrateDeviceData: boolean;
}

interface EnrollmentFields {
  provisioningStatus?: "enabled" | "disabled";
  reprovisionPolicy?: ReprovisionPolicy;
  allocationPolicy?: "hashed" | "geoLatency" | "static" | "custom";
  /** Host names; a subset of the linked hubs. */
  iotHubs?: string[];
  iotHubHostName?: string;
  initialTwin?: { tags?: object; properties?: { desired?: object } };
  capabilities?: { iotEdge?: boolean };
  customAllocationDefinition?: { webhookUrl: string; apiVersion: string };
}

interface ReadFields {
  etag: string;
  /** ISO 8601 with seven fractional digits. */
  createdDateTimeUtc?: string;
  lastUpdatedDateTimeUtc?: string;
}

export interface IndividualEnrollment extends EnrollmentFields, ReadFields {
  registrationId: string;
  /** Device ID at the hub; default: the registration ID. */
  deviceId?: string;
  attestation: Attestation;
  optionalDeviceInformation?: object;
  /** Only when one enrollment is read. */
  registrationState?: Partial<RegistrationRecord>;
}

export interface EnrollmentGroup extends EnrollmentFields, ReadFields {
  enrollmentGroupId: string;
  attestation: Attestation;
}

/** A slot as it is written: PEM, or what was read, or both. */
export interface CertificateToEnroll {
  /** PEM, base64 of PEM, or base64 of DER. */
  certificate?: string | undefined;
  info?: Partial<CertificateInfo>;
}

/** The whole record: what is left out is dropped by DPS. Read-only fields are not sent. */
type Writable<T> = Omit<T, "attestation" | "provisioningStatus" | keyof ReadFields> & {
  attestation: Attestation<CertificateToEnroll>;
  /** "enabled" or "disabled"; default: enabled. */
  provisioningStatus?: string;
};
export type IndividualEnrollmentToWrite = Writable<IndividualEnrollment>;
export type EnrollmentGroupToWrite = Writable<EnrollmentGroup>;

/** DPS's record of a device's last registration. Can be deleted, not updated. */
export interface RegistrationRecord {
  registrationId: string;
  etag: string;
  status: "unassigned" | "assigning" | "assigned" | "failed" | "disabled";
  substatus?: string;
  /** Host name. */
  assignedHub?: string;
  deviceId?: string;
  errorCode?: number;
  errorMessage?: string;
  /** ISO 8601 with seven fractional digits. */
  createdDateTimeUtc?: string;
  lastUpdatedDateTimeUtc?: string;
}
