import {
  candidatesOf,
  type Candidate,
  closedLater,
  type RemovalScope,
} from "../device-registration-removal/candidates";
import { HubRegistry, linkedHubs } from "../../clients/hub-registry";
import type { Connection } from "../../clients/target";
import { type Handler, hasUnknown } from "../handler";

/** Where a device was found, and what would be lost with its identity. */
export interface JournalEntry extends Candidate {
  identities: {
    hub: string;
    tags: Record<string, unknown>;
    desired: Record<string, unknown>;
  }[];
  /**
   * `generationId` of each of these identities, by hub. Another one later says that the device was
   * removed and made anew, so that its twin is owed to it.
   */
  generations?: Record<string, string>;
}

export interface DeviceTwinJournalOutputs extends RemovalScope {
  devices: JournalEntry[];
}

/**
 * Written before the first device is removed: who will be removed, and the tags and desired
 * properties that go with the identity. A resource of its own, because the engine saves its outputs
 * before the removal starts; a removal that is killed half way finds them there.
 */
export const deviceTwinJournal: Handler<RemovalScope, DeviceTwinJournalOutputs> = {
  async check(_olds, news) {
    return { inputs: news };
  },

  async diff(_id, olds, news) {
    const sameKey = olds.compromised.key === news.compromised.key;
    const later =
      sameKey &&
      !hasUnknown(news.containment) &&
      closedLater(olds.containment, news.containment).entries.length > 0;
    return { changes: !sameKey || later, replaces: sameKey ? [] : ["compromised"] };
  },

  async create(inputs) {
    const devices = await journalOf(inputs.connection, await candidatesOf(inputs));
    return { id: inputs.compromised.key, outs: { ...inputs, devices } };
  },

  async read(id, props) {
    return { id, props };
  },

  /** The devices of entries that were closed since the last time are written down as well. */
  async update(_id, olds, news) {
    const later = { ...news, containment: closedLater(olds.containment, news.containment) };
    const devices = await journalOf(news.connection, await candidatesOf(later));
    return { outs: { ...olds, ...news, devices: [...olds.devices, ...devices] } };
  },

  async delete() {
    // The journal is part of the state only.
  },
};

/** What each device would lose: read before anything of it is removed. */
export async function journalOf(
  connection: Connection,
  candidates: Candidate[],
): Promise<JournalEntry[]> {
  const hubs = candidates.length === 0 ? [] : await linkedHubs(connection);
  const devices: JournalEntry[] = [];
  for (const candidate of candidates) {
    const identities: JournalEntry["identities"] = [];
    const generations: Record<string, string> = {};
    for (const hub of hubs) {
      const registry = new HubRegistry(connection, hub);
      const identity = await registry.getIdentity(candidate.deviceId);
      const twin = identity && (await registry.getTwin(candidate.deviceId));
      if (twin !== undefined) {
        identities.push({ hub, tags: twin.tags, desired: twin.desired });
        generations[hub] = identity?.generationId ?? "";
      }
    }
    devices.push({ ...candidate, identities, generations });
  }
  return devices;
}
