/** An enrollment as it is live in DPS, brought to what is compared with a declaration. */
import { type CompromisedKey, reachedKeys } from "../../certificates/compromised-keys";
import type { Attestation } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import {
  describeSlots,
  identity,
  type LiveSlot,
  liveSlots,
  normalised,
  type Slot,
  slotKeys,
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
  /** Procedure and phase of the last roll in words; written by `check`. */
  roll?: string;
}

/** The part of the live entry that this resource manages, and its etag. */
export interface LiveEnrollment extends Slots<LiveSlot> {
  provisioningStatus: "enabled" | "disabled";
  reprovisionPolicy: ReprovisionPolicy | "other";
  deviceId?: string;
  etag: string;
  /** DPS's own time of the last change, ISO 8601. */
  lastUpdated: string;
}

export interface EnrollmentOutputs extends EnrollmentInputs {
  live: LiveEnrollment;
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

export function liveEnrollment(record: WireEnrollment): LiveEnrollment {
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

type Managed = Slots<Slot | LiveSlot> &
  Pick<LiveEnrollment, "provisioningStatus" | "reprovisionPolicy" | "deviceId">;

/** Everything this resource manages of an entry, comparable. */
export function managed(entry: Managed): string {
  const { primary, secondary } = normalised<Slot | LiveSlot>(entry);
  return JSON.stringify([
    identity(primary),
    identity(secondary),
    entry.provisioningStatus,
    entry.reprovisionPolicy,
  ]);
}

export function sameAsDeclared(live: LiveEnrollment, inputs: EnrollmentInputs): boolean {
  const device = inputs.deviceId === undefined || inputs.deviceId === live.deviceId;
  return device && managed(live) === managed(inputs);
}

/** Is the only difference that the live entry is disabled though it is declared enabled? */
export function onlyLessTrust(live: LiveEnrollment, inputs: EnrollmentInputs): boolean {
  return (
    live.provisioningStatus === "disabled" &&
    inputs.provisioningStatus === "enabled" &&
    sameAsDeclared({ ...live, provisioningStatus: "enabled" }, inputs)
  );
}

export function disabledByContainment(live: LiveEnrollment, inputs: EnrollmentInputs): boolean {
  return (
    live.provisioningStatus === "disabled" &&
    slotKeys(inputs).some((key) => inputs.compromised.some((one) => reachedKeys(one).includes(key)))
  );
}

export function lessTrust(name: string, live: LiveEnrollment): string {
  return `${name} is disabled in DPS (since ${live.lastUpdated}) though it is declared enabled. It stays disabled: enable it in DPS when that is wanted, or declare \`status: disabled\`.`;
}

/** One line for a person: what an entry is, live or as it is declared. */
export function describe(entry: Managed): string {
  const slots = describeSlots(normalised<Slot | LiveSlot>(entry));
  return `${entry.provisioningStatus}, ${slots}, reprovisioning ${entry.reprovisionPolicy}`;
}
