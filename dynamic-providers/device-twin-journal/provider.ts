import {
  candidatesOf,
  type Candidate,
  type RemovalScope,
} from "../device-registration-removal/candidates";
import { HubRegistry, linkedHubs } from "../../clients/hub-registry";
import type { Handler } from "../handler";

/** Where a device was found, and what would be lost with its identity. */
export interface JournalEntry extends Candidate {
  identities: {
    hub: string;
    tags: Record<string, unknown>;
    desired: Record<string, unknown>;
  }[];
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
    return { changes: !sameKey, replaces: sameKey ? [] : ["compromised"] };
  },

  async create(inputs) {
    const hubs = await linkedHubs(inputs.connection);
    const devices: JournalEntry[] = [];
    for (const candidate of await candidatesOf(inputs)) {
      const identities: JournalEntry["identities"] = [];
      for (const hub of hubs) {
        const twin = await new HubRegistry(inputs.connection, hub).getTwin(candidate.deviceId);
        if (twin !== undefined) {
          identities.push({ hub, tags: twin.tags, desired: twin.desired });
        }
      }
      devices.push({ ...candidate, identities });
    }
    return { id: inputs.compromised.key, outs: { ...inputs, devices } };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, olds, news) {
    return { outs: { ...olds, ...news } };
  },

  async delete() {
    // The journal is part of the state only.
  },
};
