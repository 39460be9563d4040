import {
  type Candidate,
  candidateId,
  candidatesOf,
  isAny,
  type Reach,
  reachedSince,
} from "../device-registration-removal/candidates";
import { announce } from "../device-registration-removal/counting";
import { isSameHub } from "../device-registration-removal/judging";
import { declaredKeys, type RemovalScope } from "../device-registration-removal/scope";
import { type Handler, hasUnknown, say } from "../handler";
import { hasContent, type JournalEntry, journalOf, type SavedIdentity, withLost } from "./journal";
import { doubtWords, newlyReopened, reachesIn, type Reopened, withReopened } from "./reopened";
import { turnOf, type Waves } from "./waves";

export interface DeviceTwinJournalOutputs extends RemovalScope {
  /** Whose turn it is, or was. */
  devices: JournalEntry[];
  /** Who waits for a later wave. */
  waiting: Candidate[];
  waves: Waves;
  /** Entries that were closed and that somebody has written since, as far as that was found. */
  reopened?: Reopened;
  /** Why the next wave has not begun, when devices of the waves before are missing; else empty. */
  held: string;
}

/**
 * Written before the first device is removed: who will be removed, and what goes with the identity
 * (tags, desired properties, modules, the place among Edge devices). A resource of its own, because
 * the engine saves its outputs before the removal starts; a removal that is killed half way finds
 * them there. One for the service: what it owes to a device outlives the declaration of the breach.
 */
export const deviceTwinJournal: Handler<RemovalScope, DeviceTwinJournalOutputs> = {
  async check(olds, news) {
    await announce(olds, news);
    return { inputs: news };
  },

  async diff(_id, olds, news) {
    if (hasUnknown([news.compromised, news.contained])) {
      return { changes: true };
    }
    const { reopened, devices } = await inDoubt(news, olds.reopened);
    if (devices.length > 0) {
      say(doubtWords(reopened, devices));
    }
    return {
      changes:
        !isSameSet(declaredKeys(olds), declaredKeys(news)) ||
        newlyReached(olds, news).length > 0 ||
        olds.waiting.length > 0 ||
        devices.length > 0,
    };
  },

  async create(inputs) {
    return { id: "journal", outs: await goOn(undefined, inputs) };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, olds, news) {
    return { outs: await goOn(olds, news) };
  },

  async delete() {
    // The journal is part of the state only.
  },
};

async function goOn(
  before: DeviceTwinJournalOutputs | undefined,
  inputs: RemovalScope,
): Promise<DeviceTwinJournalOutputs> {
  const { devices = [], waves = { begun: 0 } } = before ?? {};
  const declared = declaredKeys(inputs);
  const isDeclared = ({ keys }: Candidate): boolean => keys.some((key) => declared.has(key));
  const known = new Set(devices.map(candidateId));
  const doubt = await inDoubt(inputs, before?.reopened);
  const reached = [...doubt.devices, ...(await candidatesOf(inputs, newlyReached(before, inputs)))];
  const waiting = new Map(
    [...(before?.waiting ?? []).filter(isDeclared), ...reached]
      .filter((one) => !known.has(candidateId(one)))
      .map((one) => [candidateId(one), one]),
  );
  // Waves count from the beginning in each breach.
  const isNew = before === undefined || before.waiting.length === 0;
  const turn = await turnOf(
    inputs,
    [...waiting.values()],
    devices.filter(isDeclared),
    isNew && reached.length > 0 ? { begun: 0 } : waves,
  );
  const all = await journalOf(inputs.connection, turn.now, Math.max(1, turn.waves.begun));
  const taken = all.filter((one) => !isNothingLeft(one));
  return {
    ...inputs,
    devices: together(devices, taken, isDeclared),
    waiting: turn.waiting,
    waves: turn.waves,
    reopened: withReopened(before?.reopened ?? {}, doubt.reopened),
    held: turn.held ?? "",
  };
}

/** Without the rows of a new manifest whose devices are in the journal: the removal judges these anew by itself. */
function newlyReached(before: DeviceTwinJournalOutputs | undefined, inputs: RemovalScope): Reach[] {
  const known = new Set(
    [...(before?.devices ?? []), ...(before?.waiting ?? [])].flatMap(({ registrationId, keys }) =>
      keys.map((key) => `${key} ${registrationId.toLowerCase()}`),
    ),
  );
  return reachedSince(before, inputs)
    .map(({ issued = [], ...reach }) => ({
      ...reach,
      issued: issued.filter(
        ({ registrationId }) => !known.has(`${reach.key} ${registrationId.toLowerCase()}`),
      ),
    }))
    .filter(isAny);
}

/** Who came in through what somebody has written since it was closed. */
async function inDoubt(
  inputs: RemovalScope,
  before: Reopened = {},
): Promise<{ reopened: Reopened; devices: Candidate[] }> {
  const reopened = await newlyReopened(inputs, before);
  const devices = await candidatesOf(inputs, reachesIn(reopened));
  return { reopened, devices: devices.filter(({ backIn }) => backIn === undefined) };
}

/** It is back, and has an identity nowhere else. */
function isNothingLeft({ backIn, identities }: JournalEntry): boolean {
  return backIn !== undefined && identities.every(({ hub }) => isSameHub(hub, backIn));
}

/**
 * A device that is removed again, in a later breach, may still be owed what it lost in the first one.
 * Nothing is owed to a device without content whose breach is not declared any more.
 */
function together(
  before: JournalEntry[],
  taken: JournalEntry[],
  isDeclared: (entry: JournalEntry) => boolean,
): JournalEntry[] {
  const again = new Map(taken.map((one) => [one.registrationId.toLowerCase(), one]));
  const kept = before.filter(
    (one) =>
      !again.has(one.registrationId.toLowerCase()) &&
      (isDeclared(one) || one.identities.some(hasContent)),
  );
  const merged = taken.map((one) => {
    const earlier = before.find(
      ({ registrationId }) => registrationId.toLowerCase() === one.registrationId.toLowerCase(),
    );
    return earlier === undefined ? one : { ...one, identities: owed(earlier, one) };
  });
  return [...kept, ...merged];
}

function owed(earlier: JournalEntry, now: JournalEntry): SavedIdentity[] {
  const lostIn = (hub: string) => earlier.identities.find((one) => one.hub === hub);
  return [
    ...now.identities.map((identity) => {
      const lost = lostIn(identity.hub);
      return lost === undefined ? identity : withLost(identity, lost);
    }),
    ...earlier.identities.filter(({ hub }) => now.identities.every((one) => one.hub !== hub)),
  ];
}

function isSameSet(one: Set<string>, other: Set<string>): boolean {
  return one.size === other.size && [...one].every((each) => other.has(each));
}
