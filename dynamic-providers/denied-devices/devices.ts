/** Which devices a denied registration ID means. */
import { type EnrollmentsClient, type IndividualEnrollment } from "../../clients/enrollments";
import { HubDevices } from "../../clients/hub-devices";
import type { Connection } from "../../clients/target";
import { displayName } from "../../certificates/text";
import { say } from "../handler";

/** A device of a denied registration ID. */
export interface Device {
  registrationId: string;
  deviceId: string;
  /** Neither DPS nor an enrollment tells how its device ID is spelt: hubs tell them apart by case. */
  isGuess?: true;
  /** Registration ID of somebody else with the same device ID, who is not denied. */
  sharedWith?: string;
}

/** Devices of a hub that are looked through for another spelling: ten calls. */
const LOOKED_THROUGH = 10_000;

/** A DPS record names the device, or the enrollment does; else it is called as it registers. */
export async function devicesOf(client: EnrollmentsClient, denied: string[]): Promise<Device[]> {
  const individuals = denied.length === 0 ? [] : await client.queryIndividuals();
  const shut = new Set(denied.map((one) => one.toLowerCase()));
  const devices: Device[] = [];
  for (const registrationId of denied) {
    const record = await client.getRegistration(registrationId);
    const own = individuals.find((one) => isSameId(one.registrationId, registrationId));
    const told = record?.deviceId ?? own?.deviceId;
    const deviceId = told ?? registrationId;
    const sharedWith = (await othersWith(client, deviceId, individuals)).find(
      (one) => !shut.has(one.toLowerCase()),
    );
    devices.push({
      registrationId,
      deviceId,
      ...(told === undefined && { isGuess: true as const }),
      ...(sharedWith !== undefined && { sharedWith }),
    });
  }
  return devices;
}

/** Registration IDs that have this device ID, or will when they register. */
async function othersWith(
  client: EnrollmentsClient,
  deviceId: string,
  individuals: IndividualEnrollment[],
): Promise<string[]> {
  const enrolled = individuals.filter(
    (one) =>
      (one.deviceId ?? one.registrationId) === deviceId && one.provisioningStatus !== "disabled",
  );
  const record = await client.getRegistration(deviceId);
  const isAssigned =
    record?.status === "assigned" && (record.deviceId ?? record.registrationId) === deviceId;
  return [
    ...enrolled.map(({ registrationId }) => registrationId),
    ...(isAssigned ? [record.registrationId] : []),
  ];
}

/**
 * The devices, and what a hub has under their IDs in another spelling, where that may be theirs: DPS takes
 * registration IDs without case, hubs do not. Reads the hub, so only what is about to write asks it.
 */
export async function withSpellings(
  connection: Connection,
  hub: string,
  devices: Device[],
): Promise<Device[]> {
  const guessed = devices.filter(({ isGuess }) => isGuess);
  if (guessed.length === 0) return devices;
  const ids = guessed.map(({ registrationId }) => registrationId);
  const { deviceIds, isComplete } = await new HubDevices(connection, hub).spellings(
    ids,
    LOOKED_THROUGH,
  );
  if (!isComplete) {
    say(
      `warning: of ${ids.map(displayName).join(", ")} DPS has no registration, and ${hub} has more than ${LOOKED_THROUGH} devices, so not all were looked through for the same ID in upper or lower case. ` +
        "If it is there, write it in denied as the hub spells it.",
    );
  }
  return devices.flatMap((device) => {
    if (device.isGuess !== true) return [device];
    const others = deviceIds.filter(
      (one) => isSameId(one, device.registrationId) && one !== device.deviceId,
    );
    return [device, ...others.map((deviceId) => ({ ...device, deviceId }))];
  });
}

export function sharedWords({ registrationId, deviceId }: Device, sharedWith: string): string {
  return (
    `warning: registration ID ${displayName(registrationId)} is denied, and its device ID ${displayName(deviceId)} is that of ` +
    `${displayName(sharedWith)} as well, who is not: its hub identity stays enabled. If it holds the leaf of the denied one, disable it in the hub.`
  );
}

export function isSameId(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
