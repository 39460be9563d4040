import { EnrollmentsClient } from "../../clients/enrollments";
import {
  DENIED,
  type HubIdentity,
  HubRegistry,
  isClosedBecause,
  isClosedByUs,
  linkedHubs,
} from "../../clients/hub-registry";
import type { Connection } from "../../clients/target";
import { type CompromisedKey, reachedThumbprints } from "../../certificates/compromised-keys";
import { displayName } from "../../certificates/text";
import { type Handler, hasUnknown, say } from "../handler";

export interface DeniedDevicesInputs {
  connection: Connection;
  /** Registration IDs that are denied, without a certificate that takes the place of another one. */
  denied: string[];
  /** What is declared compromised: an identity with such a leaf is not enabled when its denial is lifted. */
  compromised: CompromisedKey[];
}

/** A hub identity that a denial has closed. */
export interface ClosedIdentity {
  registrationId: string;
  deviceId: string;
  hub: string;
  /** Another one later says that the identity was deleted and made anew. */
  generationId: string;
}

export interface DeniedDevicesOutputs extends DeniedDevicesInputs {
  closed: ClosedIdentity[];
}

/** A device of a denied registration ID, and where it is open. */
interface Device {
  registrationId: string;
  deviceId: string;
  /** Registration ID of somebody else with the same device ID, who is not denied. */
  sharedWith?: string;
}

const ID = "denied-devices";
const ATTEMPTS = 5;

/**
 * Ends the access that a denied device still has: DPS refuses it, but its hub identity would go on
 * connecting. The identity is disabled, in every linked hub, and keeps its twin: a denial may be a mistake,
 * and can be lifted, which enables it again. After a breach identities are deleted instead
 * (`DeviceRegistrationRemoval`). Azure: "How to deprovision devices that were previously auto-provisioned".
 */
export const deniedDevices: Handler<DeniedDevicesInputs, DeniedDevicesOutputs> = {
  async check(_olds, news) {
    return { inputs: news };
  },

  async diff(_id, olds, news) {
    if (hasUnknown(news)) {
      return { changes: !isSame(olds.denied, news.denied) };
    }
    const open = await openIn(news);
    open.forEach(({ device, hub }) =>
      say(
        `Device ${displayName(device.deviceId)} is denied, and its identity in ${hub} is enabled: \`pulumi up\` disables it.`,
      ),
    );
    return { changes: !isSame(olds.denied, news.denied) || open.length > 0 };
  },

  async create(inputs) {
    return { id: ID, outs: await goOn(inputs, []) };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, olds, news) {
    return { outs: await goOn(news, olds.closed) };
  },

  async delete(_id, { closed }) {
    if (closed.length > 0) {
      say(`The hub identities of ${closed.length} denied devices stay disabled.`);
    }
  },
};

async function goOn(
  inputs: DeniedDevicesInputs,
  before: ClosedIdentity[],
): Promise<DeniedDevicesOutputs> {
  const { connection, denied, compromised } = inputs;
  const still = new Set(denied.map((one) => one.toLowerCase()));
  const isStill = ({ registrationId }: ClosedIdentity) => still.has(registrationId.toLowerCase());
  const closed = [...before.filter(isStill)];
  const hubs = denied.length + before.length === 0 ? [] : await linkedHubs(connection);
  for (const device of await devicesOf(connection, denied)) {
    if (device.sharedWith !== undefined) {
      say(sharedWords(device, device.sharedWith));
      continue;
    }
    for (const hub of hubs) {
      const generationId = await close(new HubRegistry(connection, hub), device.deviceId);
      if (generationId === undefined) continue;
      const { registrationId, deviceId } = device;
      closed.push({ registrationId, deviceId, hub, generationId });
      say(`Denied: device ${displayName(deviceId)} is disabled in ${hub}.`);
    }
  }
  for (const identity of before.filter((one) => !isStill(one) && hubs.includes(one.hub))) {
    await open(connection, identity, compromised);
  }
  return { ...inputs, closed: [...new Map(closed.map((one) => [idOf(one), one])).values()] };
}

/** Disables it; undefined: it is not there, or disabled already. */
async function close(registry: HubRegistry, deviceId: string): Promise<string | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const identity = await registry.getIdentity(deviceId);
    if (identity === undefined) return undefined;
    // A run that was killed has disabled it and did not live to say so.
    if (isClosedBecause(identity, DENIED)) return identity.generationId ?? "";
    if (identity.status === "disabled") return undefined;
    const outcome = (await registry.disableAll([identity], DENIED)).get(deviceId);
    if (outcome === "written") return identity.generationId ?? "";
    if (outcome === "gone") return undefined;
    if (outcome !== "overtaken" && outcome !== undefined) throw outcome;
  }
  throw new Error(
    `Device ${displayName(deviceId)} is denied, and its identity in ${registry.hubHostName} is written by somebody all the time. Find out who it is, and run \`pulumi up\` again.`,
  );
}

/**
 * In a hub that is still linked: enables what a denial has disabled, and nobody has touched since. What holds a compromised leaf becomes what
 * a breach has closed instead, which the removal ends.
 */
async function open(
  connection: Connection,
  { deviceId, hub, generationId }: ClosedIdentity,
  compromised: CompromisedKey[],
): Promise<void> {
  const registry = new HubRegistry(connection, hub);
  const identity = await registry.getIdentity(deviceId);
  if (identity === undefined || identity.status === "enabled" || isClosedByUs(identity)) return;
  const words = `Device ${displayName(deviceId)} is not denied any more`;
  if (identity.generationId !== generationId || !isClosedBecause(identity, DENIED)) {
    say(`${words}, and stays disabled in ${hub}: somebody else disabled it.`);
    return;
  }
  const isStolen = holdsCompromised(identity, compromised);
  const written = isStolen ? registry.disableAll([identity]) : registry.enableAll([identity]);
  const outcome = (await written).get(deviceId);
  if (outcome !== "written" && outcome !== "gone") {
    throw new Error(
      `${words}, and could not be ${isStolen ? "handed over to the removal" : "enabled"} in ${hub}. Run \`pulumi up\` again.`,
    );
  }
  say(
    isStolen
      ? `${words}, and stays disabled in ${hub}: its leaf is compromised.`
      : `${words}, and is enabled again in ${hub}.`,
  );
}

function holdsCompromised({ thumbprints }: HubIdentity, compromised: CompromisedKey[]): boolean {
  return compromised.some((key) =>
    thumbprints.some((one) => reachedThumbprints(key).includes(one)),
  );
}

/** Denied devices that a hub would let in. */
async function openIn({ connection, denied }: DeniedDevicesInputs) {
  const devices = (await devicesOf(connection, denied)).filter(
    ({ sharedWith }) => sharedWith === undefined,
  );
  const found: { device: Device; hub: string }[] = [];
  for (const hub of devices.length === 0 ? [] : await linkedHubs(connection)) {
    const twins = await new HubRegistry(connection, hub).findDevices(
      devices.map(({ deviceId }) => deviceId),
    );
    for (const { deviceId, status } of twins) {
      const device = devices.find((one) => one.deviceId === deviceId);
      if (device !== undefined && status === "enabled") found.push({ device, hub });
    }
  }
  return found;
}

/** A DPS record names the device, or the enrollment does; else it is called as it registers. */
async function devicesOf(connection: Connection, denied: string[]): Promise<Device[]> {
  if (denied.length === 0) {
    return [];
  }
  const client = new EnrollmentsClient(connection);
  const individuals = await client.queryIndividuals();
  const shut = new Set(denied.map((one) => one.toLowerCase()));
  const devices: Device[] = [];
  for (const registrationId of denied) {
    const own = individuals.find((one) => isSameId(one.registrationId, registrationId));
    const record = await client.getRegistration(registrationId);
    const deviceId = record?.deviceId ?? own?.deviceId ?? registrationId;
    const names = individuals
      .filter((one) => one.deviceId === deviceId && one.provisioningStatus !== "disabled")
      .map((one) => one.registrationId);
    const other = isSameId(deviceId, registrationId)
      ? undefined
      : await client.getRegistration(deviceId);
    const sharedWith = [
      ...names,
      ...(other?.status === "assigned" ? [other.registrationId] : []),
    ].find((one) => !shut.has(one.toLowerCase()));
    devices.push({ registrationId, deviceId, ...(sharedWith !== undefined && { sharedWith }) });
  }
  return devices;
}

function sharedWords({ registrationId, deviceId }: Device, sharedWith: string): string {
  return (
    `warning: registration ID ${displayName(registrationId)} is denied, and its device ID ${displayName(deviceId)} is that of ` +
    `${displayName(sharedWith)} as well, who is not: its hub identity stays enabled. If it holds the leaf of the denied one, disable it in the hub.`
  );
}

function idOf({ registrationId, hub, generationId }: ClosedIdentity): string {
  return `${registrationId.toLowerCase()} ${hub} ${generationId}`;
}

function isSameId(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function isSame(one: string[], other: string[]): boolean {
  return JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
}
