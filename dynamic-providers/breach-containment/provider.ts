import type { CompromisedKey } from "../../certificates/compromised-keys";
import { type Attestation, EnrollmentsClient } from "../../clients/enrollments";
import { ServiceError } from "../../clients/service-error";
import type { Connection } from "../../clients/target";
import { liveSlots } from "../enrollment/slots";
import { type Handler, hasUnknown, say } from "../handler";
import { allNames, type CaNames, certainNames } from "./ca-names";
import { isSettled, registrationsOf, time } from "./registrations";

export interface BreachContainmentInputs {
  connection: Connection;
  compromised: CompromisedKey[];
  /**
   * Names of CA certificates, each with the keys (SHA-256 of SubjectPublicKeyInfo) it was ever
   * declared to have. `check` lets it gather: at a breach the old name is gone from the
   * configuration, and groups that refer to it have to be found also when ARM does not answer.
   */
  caKeys: Record<string, string[]>;
}

export interface ClosedEntry {
  kind: "individual" | "group";
  id: string;
}

/** What was closed for one compromised key. */
export interface Containment {
  /**
   * When the last admitting entry was closed, ISO 8601, in DPS's own time; never moved afterwards.
   * Absent when no entry admitted the key.
   */
  cutOff?: string;
  entries: ClosedEntry[];
  /**
   * Registration IDs that were admitted before the cut-off and settled after it, or had not settled
   * yet: they came in through a closed entry, whatever time their record shows later.
   */
  settling: string[];
}

export interface BreachContainmentOutputs extends BreachContainmentInputs {
  /** By `CompromisedKey.key`. */
  contained: Record<string, Containment>;
}

/** How often an entry that somebody else keeps writing is disabled again before giving up. */
const ATTEMPTS = 20;

/**
 * The first write of a breach: disables every entry that admits a compromised key. Needs no
 * replacement, no proof of possession, no free CA entry and no answer of ARM (which is asked for other
 * names of the same CA only after what is known is closed). Everything that replaces or removes
 * depends on this resource.
 */
export const breachContainment: Handler<BreachContainmentInputs, BreachContainmentOutputs> = {
  async check(olds, news) {
    if (hasUnknown(news)) {
      return { inputs: news };
    }
    const names = [
      ...new Set([...Object.keys(olds.caKeys ?? {}), ...Object.keys(news.caKeys)]),
    ].sort();
    const caKeys = Object.fromEntries(
      names.map((name) => [
        name,
        [...new Set([...(olds.caKeys?.[name] ?? []), ...(news.caKeys[name] ?? [])])].sort(),
      ]),
    );
    return { inputs: { ...news, caKeys } };
  },

  async diff(_id, olds, news) {
    if (hasUnknown(news.compromised)) {
      return { changes: true };
    }
    return {
      changes: news.compromised.some((key) => isNew(olds, key)) || keysOf(olds) !== keysOf(news),
    };
  },

  async create(inputs) {
    return { id: "containment", outs: { ...inputs, contained: await containAll(inputs, {}) } };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, olds, news) {
    const declared = new Set(news.compromised.map(({ key }) => key));
    const kept = Object.fromEntries(
      Object.entries(olds.contained).filter(([key]) => declared.has(key)),
    );
    return { outs: { ...news, contained: await containAll(news, kept) } };
  },

  async delete() {
    // Nothing was made: what is disabled stays disabled.
  },
};

function keysOf({ compromised }: BreachContainmentInputs): string {
  return JSON.stringify(compromised.map(({ key }) => key).sort());
}

/** A key, or another certificate with a known key, that the last containment did not look for. */
function isNew(olds: BreachContainmentInputs, key: CompromisedKey): boolean {
  const known = olds.compromised.find((known) => known.key === key.key);
  return known === undefined || key.thumbprints.some((one) => !known.thumbprints.includes(one));
}

async function containAll(
  inputs: BreachContainmentInputs,
  before: Record<string, Containment>,
): Promise<Record<string, Containment>> {
  const contained: Record<string, Containment> = {};
  for (const key of inputs.compromised) {
    const closed = await contain(inputs, key);
    const earlier = before[key.key];
    contained[key.key] = earlier === undefined ? closed : merge(earlier, closed);
  }
  return contained;
}

/** The cut-off of an earlier run stays, unless an entry was open until now. */
function merge(earlier: Containment, now: Containment): Containment {
  const fresh = now.entries.filter(
    ({ kind, id }) => !earlier.entries.some((e) => e.kind === kind && e.id === id),
  );
  const cutOff = fresh.length > 0 ? (now.cutOff ?? earlier.cutOff) : (earlier.cutOff ?? now.cutOff);
  return {
    ...(cutOff !== undefined && { cutOff }),
    entries: [...earlier.entries, ...fresh],
    settling: [...new Set([...earlier.settling, ...now.settling])],
  };
}

interface Entry extends ClosedEntry {
  attestation: Attestation;
  enabled: boolean;
  lastUpdated: string;
}

/** First what needs no answer of ARM; then, with its answer, what has the key under other names. */
async function contain(inputs: BreachContainmentInputs, key: CompromisedKey): Promise<Containment> {
  await close(inputs, key, certainNames(inputs, key));
  return close(inputs, key, await allNames(inputs, key));
}

/** Closes all entries that hold the key, and repeats until a read shows that none is left open. */
async function close(
  inputs: BreachContainmentInputs,
  key: CompromisedKey,
  names: CaNames,
): Promise<Containment> {
  const client = new EnrollmentsClient(inputs.connection);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const holding = (await allEntries(client)).filter((entry) => holds(names, key, entry));
    const open = holding.filter(({ enabled }) => enabled);
    if (open.length === 0) {
      const times = holding.map(({ lastUpdated }) => lastUpdated).sort();
      const cutOff = times.at(-1);
      const entries = holding.map(({ kind, id }) => ({ kind, id }));
      return {
        ...(cutOff !== undefined && { cutOff }),
        entries,
        settling: cutOff === undefined ? [] : await settlingAt(client, entries, cutOff),
      };
    }
    for (const entry of open) {
      await disable(client, entry);
      say(
        `Contained: ${entry.kind === "group" ? "enrollment group" : "individual enrollment"} "${entry.id}" no longer admits ${key.subject}.`,
      );
    }
  }
  throw new Error(
    `An entry that admits ${key.subject} is enabled again each time it is disabled. Find out who writes to this DPS, stop it, and run \`pulumi up\` again.`,
  );
}

/**
 * Read while everything is closed and nothing is replaced yet, so whatever settled after the cut-off,
 * or has not settled, was admitted before it.
 */
async function settlingAt(
  client: EnrollmentsClient,
  entries: ClosedEntry[],
  cutOff: string,
): Promise<string[]> {
  const ids: string[] = [];
  for (const entry of entries) {
    for (const record of await registrationsOf(client, entry)) {
      if (!isSettled(record) || time(record.lastUpdatedDateTimeUtc) > time(cutOff)) {
        ids.push(record.registrationId);
      }
    }
  }
  return ids;
}

/** Every enrollment of the DPS, of either kind. */
export async function allEntries(client: EnrollmentsClient): Promise<Entry[]> {
  const individuals = await client.queryIndividuals();
  const groups = await client.queryGroups();
  return [
    ...individuals.map((record) => ({
      kind: "individual" as const,
      id: record.registrationId,
      ...common(record),
    })),
    ...groups.map((record) => ({
      kind: "group" as const,
      id: record.enrollmentGroupId,
      ...common(record),
    })),
  ];
}

function common(record: {
  attestation: Attestation;
  provisioningStatus?: string | undefined;
  lastUpdatedDateTimeUtc?: string | undefined;
}): Pick<Entry, "attestation" | "enabled" | "lastUpdated"> {
  return {
    attestation: record.attestation,
    enabled: record.provisioningStatus !== "disabled",
    lastUpdated: record.lastUpdatedDateTimeUtc ?? "",
  };
}

/** Does a slot of the entry hold the key, directly or through the name of a CA certificate? */
export function holds(
  names: CaNames,
  key: CompromisedKey,
  { attestation }: { attestation: Attestation },
): boolean {
  const { primary, secondary } = liveSlots(attestation);
  return [primary, secondary].some((slot) => {
    if (slot?.ca !== undefined) {
      return names.has(slot.ca.toLowerCase());
    }
    return [slot?.sha1Thumbprint, slot?.sha256Thumbprint].some(
      (one) => one !== undefined && key.thumbprints.includes(one),
    );
  });
}

async function disable(client: EnrollmentsClient, { kind, id }: ClosedEntry): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      if (kind === "group") {
        const record = await client.getGroup(id);
        if (record !== undefined) {
          await client.putGroup({ ...record, provisioningStatus: "disabled" }, record.etag);
        }
      } else {
        const record = await client.getIndividual(id);
        if (record !== undefined) {
          await client.putIndividual({ ...record, provisioningStatus: "disabled" }, record.etag);
        }
      }
      return;
    } catch (error) {
      if (!(error instanceof ServiceError && error.code === "PreconditionFailed")) {
        throw error;
      }
    }
  }
}
