/** What one provisioning service knows: enrollments, registration records, running operations. */
import { randomBytes } from "node:crypto";
import type { ProvisioningServiceRecord, Sandbox, StoredCertificate } from "../common/model";
import type { Collection } from "../common/store";

export type EntryKind = "individual" | "group";

/** Certificates in slots, names of CA certificates of the service, or symmetric keys. */
export type Attestation =
  | {
      form: "clientCertificates" | "signingCertificates";
      primary?: StoredCertificate;
      secondary?: StoredCertificate;
    }
  | { form: "caReferences"; primary?: string; secondary?: string }
  | { form: "symmetricKey"; keys: SymmetricKeys };

/** base64; those of a group are what its devices' keys are derived from. */
export interface SymmetricKeys {
  primary: string;
  secondary: string;
}

/** The attestation's type as the service API names it. */
export function attestationType({ form }: Attestation): "x509" | "symmetricKey" {
  return form === "symmetricKey" ? "symmetricKey" : "x509";
}

/**
 * Properties that are kept and returned as they were sent, once they have been checked. Recorded: one
 * that is sent as null is not returned, but for `provisioningStatus`, which is returned as null.
 * not known, assumed: leaving one out is the same.
 */
export interface EntrySettings {
  deviceId?: string;
  optionalDeviceInformation?: Record<string, unknown>;
  allocationPolicy?: "hashed" | "geoLatency" | "static" | "custom";
  iotHubs?: string[];
  iotHubHostName?: string;
  initialTwin?: {
    tags?: Record<string, unknown>;
    properties?: { desired?: Record<string, unknown> };
  };
  capabilities?: { iotEdge: boolean };
  customAllocationDefinition?: { webhookUrl: string; apiVersion: string };
  /** Default, by the specification: enabled. */
  provisioningStatus?: "enabled" | "disabled";
  /** Default, by the specification: both true. */
  reprovisionPolicy?: ReprovisionPolicy;
}

export interface ReprovisionPolicy {
  updateHubAssignment: boolean;
  migrateDeviceData: boolean;
}

export function isEnabled({ settings }: EnrollmentRecord): boolean {
  return settings.provisioningStatus !== "disabled";
}

export function reprovisionPolicyOf({ settings }: EnrollmentRecord): ReprovisionPolicy {
  return settings.reprovisionPolicy ?? { updateHubAssignment: true, migrateDeviceData: true };
}

/** An individual enrollment or an enrollment group. */
export interface EnrollmentRecord {
  kind: EntryKind;
  /** Registration ID or enrollment group ID, as it was spelled when it was created. */
  id: string;
  attestation: Attestation;
  settings: EntrySettings;
  createdDateTimeUtc: string;
  lastUpdatedDateTimeUtc: string;
  etag: string;
}

export type RegistrationStatus = "unassigned" | "assigning" | "assigned" | "failed" | "disabled";

export type Substatus =
  | "initialAssignment"
  | "deviceDataMigrated"
  | "deviceDataReset"
  | "reprovisionedToInitialAssignment";

/** A device registration, as the service API shows it; `group` is not shown. */
export interface RegistrationRecord {
  registrationId: string;
  createdDateTimeUtc: string;
  assignedHub?: string;
  deviceId?: string;
  status: RegistrationStatus;
  substatus?: Substatus;
  errorCode?: number;
  errorMessage?: string;
  lastUpdatedDateTimeUtc: string;
  etag: string;
  /** Enrollment group that admitted the device last; undefined: an individual enrollment did. */
  group?: string;
}

/** How a device proved itself when it registered. */
export type Proof =
  /** SHA-256, upper-case hex, of the leaf that was presented. */
  { type: "x509"; thumbprint: string } | { type: "symmetricKey" };

/** A registration that a device asked for; the newest one of a registration ID. */
export interface OperationRecord {
  operationId: string;
  registrationId: string;
  proof: Proof;
  by: { kind: EntryKind; id: string };
  /** Times the device has asked and was told "assigning". */
  polls: number;
  /** Sandbox time from which the operation completes without being asked, milliseconds. */
  dueMs: number;
  done: boolean;
}

/** The records of one service. Its ID scope is the key: a service that is made anew starts empty. */
export class Directory {
  private readonly individuals: Collection<EnrollmentRecord>;
  private readonly groups: Collection<EnrollmentRecord>;
  private readonly registrations: Collection<RegistrationRecord>;
  private readonly operations: Collection<OperationRecord>;

  constructor(
    private readonly sandbox: Sandbox,
    readonly service: ProvisioningServiceRecord,
  ) {
    this.individuals = sandbox.collection("dps-individual-enrollments");
    this.groups = sandbox.collection("dps-enrollment-groups");
    this.registrations = sandbox.collection("dps-registrations");
    this.operations = sandbox.collection("dps-operations");
  }

  entry(kind: EntryKind, id: string): EnrollmentRecord | undefined {
    return this.entriesOf(kind).get(this.key(id));
  }

  /** In the order of their IDs. */
  entries(kind: EntryKind): EnrollmentRecord[] {
    return this.entriesOf(kind).list(this.key(""));
  }

  putEntry(record: EnrollmentRecord): EnrollmentRecord {
    return this.entriesOf(record.kind).put(this.key(record.id), record);
  }

  deleteEntry(kind: EntryKind, id: string, also: { withRegistration: boolean }): void {
    this.sandbox.atomically(() => {
      this.entriesOf(kind).delete(this.key(id));
      if (also.withRegistration) this.deleteRegistration(id);
    });
  }

  registration(id: string): RegistrationRecord | undefined {
    return this.registrations.get(this.key(id));
  }

  /** @param after registration ID from which on they are listed. Default: all */
  allRegistrations(after = ""): RegistrationRecord[] {
    return this.registrations.list(this.key(""), this.key(after));
  }

  putRegistration(record: RegistrationRecord): RegistrationRecord {
    return this.registrations.put(this.key(record.registrationId), record);
  }

  deleteRegistration(id: string): void {
    this.sandbox.atomically(() => {
      this.registrations.delete(this.key(id));
      this.operations.delete(this.key(id));
    });
  }

  operation(registrationId: string): OperationRecord | undefined {
    return this.operations.get(this.key(registrationId));
  }

  putOperation(record: OperationRecord): OperationRecord {
    return this.operations.put(this.key(record.registrationId), record);
  }

  /** The service's CA certificates, by name. */
  caCertificates(): { name: string; der: Buffer; isVerified: boolean }[] {
    return this.sandbox.caCertificates
      .list(`${this.service.name}/`)
      .map(({ name, certificate, isVerified }) => ({
        name,
        der: Buffer.from(certificate, "base64"),
        isVerified,
      }));
  }

  /** DER of the certificates an entry admits by; a CA reference that leads nowhere gives none. */
  certificatesOf({ attestation }: EnrollmentRecord): Buffer[] {
    if (attestation.form === "symmetricKey") {
      return [];
    }
    const slots = [attestation.primary, attestation.secondary];
    return slots.flatMap((slot) => {
      if (slot === undefined) {
        return [];
      }
      if (typeof slot !== "string") {
        return [Buffer.from(slot.der, "base64")];
      }
      const found = this.sandbox.caCertificates.get(`${this.service.name}/${slot}`);
      return found === undefined ? [] : [Buffer.from(found.certificate, "base64")];
    });
  }

  private entriesOf(kind: EntryKind): Collection<EnrollmentRecord> {
    return kind === "individual" ? this.individuals : this.groups;
  }

  private key(id: string): string {
    return `${this.service.idScope}/${id}`;
  }
}

/** A new etag, as DPS makes them: base64 of a quoted etag of its database. */
export function newEtag(now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000)
    .toString(16)
    .padStart(8, "0");
  const first = randomBytes(4).toString("hex");
  return Buffer.from(`"${first}-0000-0700-0000-${seconds}0000"`).toString("base64");
}

/** A date with seven digits after the point, as DPS writes it. */
export function dpsDate(date: Date): string {
  return date.toISOString().replace("Z", "0000Z");
}
