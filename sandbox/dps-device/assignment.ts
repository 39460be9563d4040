/** Completes a registration: picks the hub, writes the device there, writes the record. */
import { randomUUID } from "node:crypto";
import { HttpError } from "../common/errors";
import type { AssignedAuthentication, HubAssignment, LinkedHub, Sandbox } from "../common/model";
import {
  dpsDate,
  newEtag,
  reprovisionPolicyOf,
  type Directory,
  type EnrollmentRecord,
  type OperationRecord,
  type RegistrationRecord,
  type Substatus,
} from "../dps-service/records";
import { allocate, AllocationError } from "./allocation";
import { deviceKeys } from "./attestation/by-key";

/** A linked hub that is missing or refuses. Seen: azure-iot-sdk-c#2362. */
const HUB_REFUSED_CODE = 401002;
/** not known: what a device gets whose enrollment went away while it was being assigned. */
const ENROLLMENT_GONE_CODE = 404201;

class AssignmentError extends Error {
  constructor(
    readonly errorCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** Completes `operation`, for good or ill, and returns the registration record. */
export function complete(
  sandbox: Sandbox,
  directory: Directory,
  operation: OperationRecord,
): RegistrationRecord {
  const before = directory.registration(operation.registrationId);
  const now = sandbox.clock.now();
  const kept = {
    registrationId: before?.registrationId ?? operation.registrationId,
    createdDateTimeUtc: before?.createdDateTimeUtc ?? dpsDate(now),
    lastUpdatedDateTimeUtc: dpsDate(now),
    etag: newEtag(now),
    ...(operation.by.kind === "group" ? { group: operation.by.id } : {}),
  };
  try {
    const outcome = assign(sandbox, directory, operation, before);
    directory.putOperation({ ...operation, done: true });
    return directory.putRegistration({ ...kept, status: "assigned", ...outcome });
  } catch (error) {
    if (!(error instanceof AllocationError || error instanceof AssignmentError)) {
      throw error;
    }
    directory.putOperation({ ...operation, done: true });
    return directory.putRegistration({
      ...kept,
      // Assumed: the record goes on naming the hub that still has the device.
      ...(before?.assignedHub === undefined ? {} : { assignedHub: before.assignedHub }),
      ...(before?.deviceId === undefined ? {} : { deviceId: before.deviceId }),
      status: "failed",
      errorCode: error.errorCode,
      errorMessage: error.message,
    });
  }
}

interface Assigned {
  assignedHub: string;
  deviceId: string;
  substatus: Substatus;
}

function assign(
  sandbox: Sandbox,
  directory: Directory,
  operation: OperationRecord,
  before: RegistrationRecord | undefined,
): Assigned {
  const entry = directory.entry(operation.by.kind, operation.by.id);
  if (entry === undefined) {
    throw new AssignmentError(ENROLLMENT_GONE_CODE, "Enrollment not found.");
  }
  // A new device ID in the enrollment takes effect when the registration has been deleted
  // (learn.microsoft.com/azure/iot-dps/how-to-unprovision-devices).
  const deviceId = before?.deviceId ?? entry.settings.deviceId ?? operation.registrationId;
  const previous = before?.assignedHub;
  const target = targetHub(directory, entry, operation.registrationId, previous);
  if (!sandbox.linkedHubs.accepts(target.connectionString)) {
    throw refusedByHub();
  }
  const moves = previous !== undefined && !equalNames(previous, target.name);
  const { migrateDeviceData } = reprovisionPolicyOf(entry);
  write(sandbox, entry, {
    assignment: {
      hubHostName: target.name,
      deviceId,
      authentication: authenticationOf(entry, operation),
      ...(entry.settings.capabilities && { capabilities: entry.settings.capabilities }),
    },
    previous,
    moves,
  });
  return {
    assignedHub: target.name,
    deviceId,
    substatus: substatusOf(previous, moves, entry, migrateDeviceData),
  };
}

/** What the hub's record will hold: the leaf that was presented, or the device's keys. */
function authenticationOf(
  entry: EnrollmentRecord,
  { proof, registrationId }: OperationRecord,
): AssignedAuthentication {
  if (proof.type === "x509") {
    return { type: "selfSigned", thumbprint: proof.thumbprint };
  }
  const keys = deviceKeys(entry, registrationId);
  if (keys === undefined) {
    // not known: an enrollment that was given certificates while its device was being assigned.
    throw new AssignmentError(ENROLLMENT_GONE_CODE, "Enrollment not found.");
  }
  return { type: "sas", primaryKey: keys.primary, secondaryKey: keys.secondary };
}

/** With updateHubAssignment false a device stays where it is, if its hub is still linked. */
function targetHub(
  directory: Directory,
  entry: EnrollmentRecord,
  registrationId: string,
  previous: string | undefined,
): LinkedHub {
  if (previous !== undefined && !reprovisionPolicyOf(entry).updateHubAssignment) {
    const linked = directory.service.linkedHubs.find(({ name }) => equalNames(name, previous));
    if (linked === undefined) {
      // not known, assumed: a device that must stay cannot stay at a hub that is unlinked.
      throw refusedByHub();
    }
    return linked;
  }
  return allocate(directory.service, entry.settings, registrationId);
}

/**
 * Every successful registration writes the presented leaf's thumbprint into the hub's record, also
 * for groups and with "never reprovision" (azure-docs#24358; the CLI extension's tests).
 */
function write(
  sandbox: Sandbox,
  entry: EnrollmentRecord,
  todo: { assignment: HubAssignment; previous: string | undefined; moves: boolean },
): void {
  const { assignment, previous, moves } = todo;
  const { updateHubAssignment, migrateDeviceData } = reprovisionPolicyOf(entry);
  const carried =
    moves && migrateDeviceData && previous !== undefined
      ? sandbox.linkedHubs.twin(previous, assignment.deviceId)
      : undefined;
  const initialTwin = carried ?? entry.settings.initialTwin;
  // "Reset to initial configuration" also resets a device that stays at its hub: the
  // documentation calls it the policy for a factory reset.
  const reset = previous !== undefined && updateHubAssignment && !migrateDeviceData;
  try {
    sandbox.linkedHubs.assign(
      { ...assignment, ...(initialTwin === undefined ? {} : { initialTwin }) },
      reset,
    );
  } catch (error) {
    // Anything else is a defect of the sandbox and must not pass for an answer of a hub.
    throw error instanceof HttpError ? refusedByHub(error) : error;
  }
  // A device leaves its old hub only after it exists at the new one.
  if (moves && previous !== undefined && sandbox.linkedHubs.has(previous, assignment.deviceId)) {
    sandbox.linkedHubs.remove(previous, assignment.deviceId);
  }
}

/** learn.microsoft.com/rest/api/iot-dps, "DeviceRegistrationState", substatus. */
function substatusOf(
  previous: string | undefined,
  moves: boolean,
  entry: EnrollmentRecord,
  migrates: boolean,
): Substatus {
  if (previous === undefined) {
    return "initialAssignment";
  }
  if (reprovisionPolicyOf(entry).updateHubAssignment && !migrates) {
    return "deviceDataReset";
  }
  return moves ? "deviceDataMigrated" : "reprovisionedToInitialAssignment";
}

/** The hub's own error, as JSON inside the message. */
function refusedByHub(cause?: unknown): AssignmentError {
  const error = new AssignmentError(
    HUB_REFUSED_CODE,
    JSON.stringify({
      errorCode: HUB_REFUSED_CODE,
      trackingId: randomUUID(),
      message: "Unauthorized access",
    }),
  );
  error.cause = cause;
  return error;
}

function equalNames(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
