import { setTimeout as delay } from "node:timers/promises";
import { EnrollmentsClient, type RegistrationRecord } from "../../clients/enrollments";
import { HubRegistry, type HubIdentity, linkedHubs } from "../../clients/hub-registry";
import { ServiceError } from "../../clients/service-error";
import { allNames } from "../breach-containment/ca-names";
import { allEntries, holds } from "../breach-containment/closing";
import { isSettled, time } from "../breach-containment/registrations";
import {
  type DeviceTwinJournalOutputs,
  type JournalEntry,
  journalOf,
} from "../device-twin-journal/provider";
import { type Handler, hasUnknown, say } from "../handler";
import { candidatesOf, closedLater, type RemovalScope } from "./candidates";

export interface DeviceRegistrationRemovalInputs extends RemovalScope {
  journal: DeviceTwinJournalOutputs["devices"];
  /** How long to wait for removed devices to come back, to restore their twins; seconds. */
  restoreWaitSeconds: number;
}

export interface DeviceRegistrationRemovalOutputs extends DeviceRegistrationRemovalInputs {
  /** Device IDs whose identity and registration are gone. */
  removed: string[];
  /** Device IDs that came back by then, and have their tags and desired properties again. */
  restored: string[];
  /** Device IDs that have not come back yet; the next `up` after they have restores them. */
  pending: string[];
}

/** Between two looks whether a removed device is back, milliseconds. */
const POLL_MS = 500;
/** How long an assignment is waited for, milliseconds: what Microsoft's Python SDK waits for one. */
const SETTLING_MS = 30_000;
const ATTEMPTS = 5;

/**
 * Ends what a compromised key still holds: each device is disabled in every linked hub (that ends its
 * live connection), deleted there with the etag that was read, and its DPS registration record goes
 * last, because it is the journal. Only when a read shows that no enabled entry holds the key.
 */
export const deviceRegistrationRemoval: Handler<
  DeviceRegistrationRemovalInputs,
  DeviceRegistrationRemovalOutputs
> = {
  async check(_olds, news) {
    return { inputs: news };
  },

  /** In a preview of another breach the journal may be unknown: what is removed hangs on the key only. */
  async diff(_id, olds, news) {
    const sameKey = olds.compromised.key === news.compromised.key;
    const later =
      sameKey &&
      !hasUnknown(news.containment) &&
      closedLater(olds.containment, news.containment).entries.length > 0;
    const back = sameKey && (await anyBack(olds));
    return { changes: !sameKey || later || back, replaces: sameKey ? [] : ["compromised"] };
  },

  async create(inputs) {
    const { journal, gone } = await removeAll(inputs);
    const outs = {
      ...inputs,
      journal,
      removed: gone,
      restored: [],
      pending: restorable(journal, gone),
    };
    return { id: inputs.compromised.key, outs: await restore(outs, inputs.restoreWaitSeconds) };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, olds, news) {
    const containment = closedLater(olds.containment, news.containment);
    if (containment.entries.length === 0) {
      return { outs: await restore({ ...olds, ...news, journal: olds.journal }, 0) };
    }
    const isNew = (device: JournalEntry): boolean =>
      olds.journal.every(
        ({ registrationId, cutOff }) =>
          registrationId !== device.registrationId || cutOff !== device.cutOff,
      );
    const { journal, gone } = await removeAll({
      ...news,
      containment,
      journal: news.journal.filter(isNew),
    });
    const outs = {
      ...olds,
      ...news,
      journal: [...olds.journal, ...journal],
      removed: [...new Set([...olds.removed, ...gone])],
      restored: olds.restored.filter((deviceId) => !gone.includes(deviceId)),
      pending: [...new Set([...olds.pending, ...restorable(journal, gone)])],
    };
    return { outs: await restore(outs, news.restoreWaitSeconds) };
  },

  async delete() {
    // What was removed stays removed.
  },
};

/** Removes whom the journal names, and who settled since; tells who was removed. */
async function removeAll(
  inputs: DeviceRegistrationRemovalInputs,
): Promise<{ journal: JournalEntry[]; gone: string[] }> {
  await refuseWhileOpen(inputs);
  const gone: string[] = [];
  const journal = [...inputs.journal];
  const hubs = await linkedHubs(inputs.connection);
  // The second pass is a sweep: it finds what settled while the first one was at work.
  for (let pass = 1; pass <= 2; pass += 1) {
    journal.push(...(await lateComers(inputs, journal)));
    for (const device of journal.filter(({ deviceId }) => !gone.includes(deviceId))) {
      // An earlier run may have removed it and not lived to say so; it came back since.
      if ((await remove(inputs, hubs, device)) || (await isMadeAnew(inputs, device))) {
        gone.push(device.deviceId);
      }
    }
  }
  say(
    `Removed ${gone.length} of ${journal.length} device registrations that came in with ${inputs.compromised.subject}.`,
  );
  return { journal, gone };
}

/** Throws unless every entry is disabled, or free of the key in both slots. */
async function refuseWhileOpen(inputs: DeviceRegistrationRemovalInputs): Promise<void> {
  const client = new EnrollmentsClient(inputs.connection);
  const names = await allNames(inputs, inputs.compromised);
  const open = (await allEntries(client)).filter(
    (entry) => entry.enabled && holds(names, inputs.compromised, entry),
  );
  if (open.length > 0) {
    throw new Error(
      `No device is removed while ${open.map(({ id }) => `"${id}"`).join(", ")} still admits ${inputs.compromised.subject}: ` +
        "a thief would register again at once. Run `pulumi up` again to contain it.",
    );
  }
}

/** Registrations that settled after the journal was written are at risk as well. */
async function lateComers(
  inputs: DeviceRegistrationRemovalInputs,
  journal: JournalEntry[],
): Promise<JournalEntry[]> {
  const known = new Set(journal.map(({ registrationId }) => registrationId));
  const late = (await candidatesOf(inputs)).filter(
    ({ registrationId }) => !known.has(registrationId),
  );
  return journalOf(inputs.connection, late);
}

/** What became of a hub identity: spared, because it has another leaf than the compromised one. */
type Outcome = "removed" | "spared" | "absent";

/** Removes one device; false when it has meanwhile come back with a certificate that is good. */
async function remove(
  inputs: DeviceRegistrationRemovalInputs,
  hubs: string[],
  device: JournalEntry,
): Promise<boolean> {
  const client = new EnrollmentsClient(inputs.connection);
  const registration = await settled(client, device.registrationId);
  const cameBack =
    registration !== undefined &&
    !device.settling &&
    device.cutOff !== undefined &&
    time(registration.lastUpdatedDateTimeUtc) > time(device.cutOff);
  const anyLeaf = device.admitted && !cameBack;
  const found: Outcome[] = [];
  for (const hub of hubs) {
    const registry = new HubRegistry(inputs.connection, hub);
    found.push(
      await removeIdentity(registry, device.deviceId, anyLeaf, inputs.compromised.thumbprints),
    );
  }
  // Without an identity anywhere an earlier run came this far and no further.
  const unfinished = !cameBack && found.every((outcome) => outcome === "absent");
  const gone = anyLeaf || found.includes("removed") || unfinished;
  if (registration !== undefined && gone) {
    await client.deleteRegistration(device.registrationId, registration.etag);
  }
  return gone;
}

/** Is what the journal has of a device not the identity that it has now? */
async function isMadeAnew(
  { connection }: DeviceRegistrationRemovalInputs,
  { deviceId, identities, generations }: JournalEntry,
): Promise<boolean> {
  for (const { hub } of identities) {
    const identity = await new HubRegistry(connection, hub).getIdentity(deviceId);
    if (identity === undefined || identity.generationId !== generations?.[hub]) {
      return true;
    }
  }
  return false;
}

/** The registration once DPS has come to an end with it: until then the hub may still be given the device. */
async function settled(
  client: EnrollmentsClient,
  registrationId: string,
): Promise<RegistrationRecord | undefined> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const registration = await client.getRegistration(registrationId);
    if (registration === undefined || isSettled(registration) || waitedMs >= SETTLING_MS) {
      return registration;
    }
    await delay(POLL_MS);
  }
}

/**
 * Disables, which ends the live connection, then deletes. An identity with the compromised leaf goes
 * whenever it was written; one with another leaf only when `anyLeaf`.
 */
async function removeIdentity(
  registry: HubRegistry,
  deviceId: string,
  anyLeaf: boolean,
  compromised: string[],
): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    const identity = await registry.getIdentity(deviceId);
    if (identity === undefined) {
      return "absent";
    }
    if (!anyLeaf && !holdsLeaf(identity, compromised)) {
      return "spared";
    }
    try {
      const disabled = identity.status === "disabled" ? identity : await registry.disable(identity);
      await registry.remove(disabled);
      return "removed";
    } catch (error) {
      const overtaken = error instanceof ServiceError && error.code === "PreconditionFailed";
      if (!overtaken || attempt === ATTEMPTS) {
        throw error;
      }
    }
  }
}

function holdsLeaf(identity: HubIdentity, compromised: string[]): boolean {
  return identity.thumbprints.some((thumbprint) => compromised.includes(thumbprint.toUpperCase()));
}

function restorable(journal: JournalEntry[], removed: string[]): string[] {
  return journal
    .filter(({ deviceId, identities }) => removed.includes(deviceId) && identities.some(hasContent))
    .map(({ deviceId }) => deviceId);
}

function hasContent({ tags, desired }: JournalEntry["identities"][number]): boolean {
  return Object.keys(tags).length > 0 || Object.keys(desired).length > 0;
}

/** Where a removed device is back: the hub it was assigned to, once it registered again. */
async function hubOfReturn(
  outs: DeviceRegistrationRemovalInputs,
  device: JournalEntry,
): Promise<HubRegistry | undefined> {
  const client = new EnrollmentsClient(outs.connection);
  const registration = await client.getRegistration(device.registrationId);
  if (registration?.assignedHub === undefined || registration.status !== "assigned") {
    return undefined;
  }
  const registry = new HubRegistry(outs.connection, registration.assignedHub);
  return (await registry.getIdentity(device.deviceId)) === undefined ? undefined : registry;
}

async function anyBack(outs: DeviceRegistrationRemovalOutputs): Promise<boolean> {
  for (const device of outs.journal.filter(({ deviceId }) => outs.pending.includes(deviceId))) {
    if ((await hubOfReturn(outs, device)) !== undefined) {
      return true;
    }
  }
  return false;
}

/** Gives returned devices their tags and desired properties back; waits for them `waitSeconds`. */
async function restore(
  outs: DeviceRegistrationRemovalOutputs,
  waitSeconds: number,
): Promise<DeviceRegistrationRemovalOutputs> {
  const restored = [...outs.restored];
  let pending = [...outs.pending];
  for (let waitedMs = 0; pending.length > 0; waitedMs += POLL_MS) {
    for (const device of outs.journal.filter(({ deviceId }) => pending.includes(deviceId))) {
      const registry = await hubOfReturn(outs, device);
      const twin = device.identities.find(hasContent);
      if (registry !== undefined && twin !== undefined) {
        await registry.restoreTwin(device.deviceId, { tags: twin.tags, desired: twin.desired });
        if (!restored.includes(device.deviceId)) restored.push(device.deviceId);
      }
    }
    pending = pending.filter((deviceId) => !restored.includes(deviceId));
    if (pending.length === 0 || waitedMs >= waitSeconds * 1000) {
      break;
    }
    await delay(POLL_MS);
  }
  if (pending.length > 0) {
    say(
      `Not back yet, so their tags and desired properties wait in the state: ${pending.join(", ")}. Run \`pulumi up\` again once they are.`,
    );
  }
  return { ...outs, restored, pending };
}
