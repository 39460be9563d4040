/** An enrollment as it is live in DPS, brought to what is compared with a declaration. */
import type { CompromisedKey } from "../../certificates/compromised-keys";
import type { Attestation } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import {
  describeSlots,
  identity,
  type LiveSlot,
  liveSlots,
  normalised,
  type Slot,
  type Slots,
} from "./slots";

/** migrate: keep the device's twin when it moves to another hub; reset: start from the initial twin; never: keep the hub. */
export type ReprovisionPolicy = "migrate" | "reset" | "never";

export interface EnrollmentInputs extends Slots<Slot> {
  connection: Connection;
  /** Registration ID or enrollment group ID. */
  enrollmentId: string;
  provisioningStatus: "enabled" | "disabled";
  reprovisionPolicy: ReprovisionPolicy;
  /** Individual enrollments only: the device ID at the hub; default: the registration ID. */
  deviceId?: string;
  /** All compromised keys of the stack; `check` keeps those of this entry's own slots. */
  compromised: CompromisedKey[];
  /** Why the registration ID is denied, when it is. */
  denied?: string;
  /** Taken over from whoever made it, instead of created. Default: false. */
  adopt?: boolean;
  /** Why what somebody closed by hand is opened again; the same reason acts once. */
  reenable?: string;
  /** Procedure and phase of the last roll in words; written by `check`. */
  roll?: string;
}

/** The part of the live entry that this resource manages, and its etag. */
export interface LiveEnrollment extends Slots<LiveSlot> {
  /** deleted: somebody else deleted it, and it stays so. */
  provisioningStatus: "enabled" | "disabled" | "deleted";
  reprovisionPolicy: ReprovisionPolicy | "other";
  deviceId?: string;
  /** Empty when it is deleted. */
  etag: string;
  /** DPS's own time of the last change, ISO 8601; empty when it is deleted. */
  lastUpdated: string;
}

export interface EnrollmentOutputs extends EnrollmentInputs {
  live: LiveEnrollment;
  /** When the entry was written, as far as this resource has seen it; DPS's own times, ISO 8601. */
  writes?: EntryWrites;
}

/** DPS shows only the time of the last change. */
export interface EntryWrites {
  /** The last write of this stack; absent: it has written nothing yet. */
  own?: string;
  /** The last write of somebody else (a person, a containment) that this stack found when it wrote. */
  others?: string;
}

/** An enrollment record as the service API has it, as far as it is used here. */
export interface WireEnrollment {
  attestation: Attestation;
  provisioningStatus?: string;
  reprovisionPolicy?: { updateHubAssignment: boolean; migrateDeviceData: boolean };
  deviceId?: string;
  etag?: string;
  lastUpdatedDateTimeUtc?: string;
}

/** The reprovision policies of the service API, by their names in the portal. */
export const policies = {
  migrate: { updateHubAssignment: true, migrateDeviceData: true },
  reset: { updateHubAssignment: true, migrateDeviceData: false },
  never: { updateHubAssignment: false, migrateDeviceData: false },
} as const;

/** What DPS answers for an entry; undefined when there is none. */
export function liveEnrollment(record: WireEnrollment | undefined): LiveEnrollment {
  if (record === undefined) {
    return {
      provisioningStatus: "deleted",
      reprovisionPolicy: "other",
      etag: "",
      lastUpdated: "",
    };
  }
  const policy = record.reprovisionPolicy;
  const named = (Object.keys(policies) as ReprovisionPolicy[]).find(
    (candidate) =>
      policies[candidate].updateHubAssignment === policy?.updateHubAssignment &&
      policies[candidate].migrateDeviceData === policy.migrateDeviceData,
  );
  return {
    ...liveSlots(record.attestation),
    provisioningStatus: record.provisioningStatus === "disabled" ? "disabled" : "enabled",
    reprovisionPolicy: policy === undefined ? "migrate" : (named ?? "other"),
    ...(record.deviceId !== undefined && { deviceId: record.deviceId }),
    etag: record.etag ?? "",
    lastUpdated: record.lastUpdatedDateTimeUtc ?? "",
  };
}

/** What is compared of an entry, live or declared. */
export type Managed = Slots<Slot | LiveSlot> &
  Pick<LiveEnrollment, "provisioningStatus" | "reprovisionPolicy" | "deviceId">;

/** Is there nothing between the two that this resource manages? A device ID that is not declared is not. */
export function same(live: Managed, declared: Managed & { denied?: string }): boolean {
  if (deniesWhole(declared)) {
    return live.provisioningStatus === "disabled";
  }
  return comparable(live) === comparable(declared) && sameDevice(live, declared);
}

/** Is a registration ID denied of which no certificate is at hand? Whatever the entry holds, it is disabled. */
export function deniesWhole(entry: Slots<unknown> & { denied?: string }): boolean {
  return entry.denied !== undefined && entry.primary === undefined && entry.secondary === undefined;
}

export function sameDevice(live: Managed, { deviceId }: Managed): boolean {
  return deviceId === undefined || deviceId === live.deviceId;
}

function comparable(entry: Managed): string {
  const { primary, secondary } = normalised<Slot | LiveSlot>(entry);
  return JSON.stringify([
    identity(primary),
    identity(secondary),
    entry.provisioningStatus,
    entry.reprovisionPolicy,
  ]);
}

/** One line for a person: what an entry is, live or as it is declared. */
export function describe(entry: Managed): string {
  if (entry.provisioningStatus === "deleted") {
    return "deleted";
  }
  const slots = describeSlots(normalised<Slot | LiveSlot>(entry));
  return `${entry.provisioningStatus}, ${slots}, reprovisioning ${entry.reprovisionPolicy}`;
}
