import { type CompromisedKey, reachedThumbprints } from "../../certificates/compromised-keys";
import { EnrollmentsClient } from "../../clients/enrollments";
import type { Connection } from "../../clients/target";
import { type Handler, hasUnknown, say } from "../handler";
import { warnOrSay } from "../warning";
import { allNames, type CaNames, certainNames, listCas } from "./ca-names";
import {
  allEntries,
  type ClosedEntry,
  close,
  closedSince,
  type LiveEntry,
  nameOf,
  withAll,
  withSettling,
} from "./closing";
import { type Reason, reachedEntries, reachOf } from "./reach";
import { retiredEntries } from "./retired";

export interface BreachContainmentInputs {
  connection: Connection;
  compromised: CompromisedKey[];
  /**
   * Names of CA certificates, each with the keys (SHA-256 of SubjectPublicKeyInfo) it was ever
   * declared to have. `check` lets it gather: at a breach the old name is gone from the
   * configuration, and groups that refer to it have to be found also when ARM does not answer.
   */
  caKeys: Record<string, string[]>;
  /**
   * Entries (`group/sensors`, `individual/truck-7`), each with the keys that its slots were ever declared
   * to hold. `check` lets it gather: a key that is found stolen after it was retired is in no slot any
   * more, and the devices that came in with it are candidates of the removal all the same.
   */
  slotKeys?: Record<string, string[]>;
}

/** What was closed for one compromised key; no entries: none admitted it. */
export interface Containment {
  entries: ClosedEntry[];
}

export interface BreachContainmentOutputs extends BreachContainmentInputs {
  /** By `CompromisedKey.key`. */
  contained: Record<string, Containment>;
}

/**
 * The first write of a breach: disables every entry that admits a compromised key. Needs no
 * replacement, no proof of possession, no free CA entry and no answer of ARM (which is asked for other
 * names of the same CA only after what is known is closed, and not waited for longer than half a minute). Everything that replaces or removes
 * depends on this resource.
 */
export const breachContainment: Handler<BreachContainmentInputs, BreachContainmentOutputs> = {
  async check(olds, news) {
    if (hasUnknown(news)) {
      return { inputs: news };
    }
    return {
      inputs: {
        ...news,
        caKeys: gathered(olds.caKeys, news.caKeys),
        slotKeys: gathered(olds.slotKeys, news.slotKeys),
      },
    };
  },

  async diff(_id, olds, news) {
    if (hasUnknown(news.compromised)) {
      return { changes: true };
    }
    // What has to be closed is closed at once: nothing is asked before that.
    if (news.compromised.some((key) => isNew(olds, key)) || keysOf(olds) !== keysOf(news)) {
      return { changes: true };
    }
    const opened = hasUnknown(news) ? [] : await openEntries(news);
    opened.forEach(say);
    return { changes: opened.length > 0 };
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

/** The values of both, by name; neither name nor value is lost. */
function gathered(
  olds: Record<string, string[]> = {},
  news: Record<string, string[]> = {},
): Record<string, string[]> {
  const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])].sort();
  return Object.fromEntries(
    names.map((name) => [
      name,
      [...new Set([...(olds[name] ?? []), ...(news[name] ?? [])])].sort(),
    ]),
  );
}

/**
 * Entries that somebody opened, or made, since everything was closed: more trust than is declared. The
 * resource manager is asked for other names of a CA only when none is found without it.
 */
async function openEntries(inputs: BreachContainmentInputs): Promise<string[]> {
  if (inputs.compromised.length === 0) {
    return [];
  }
  const entries = await allEntries(new EnrollmentsClient(inputs.connection));
  const opened = (key: CompromisedKey, names: CaNames): string[] =>
    [...reachedEntries(key, reachOf(key, names), entries)]
      .filter(([{ enabled }]) => enabled)
      .map(
        ([entry, why]) =>
          `${nameOf(entry)} admits ${key.subject}, which is declared compromised (last changed ${entry.lastUpdated}): \`pulumi up\` disables it.${caveat(why)}`,
      );
  const known = inputs.compromised.flatMap((key) => opened(key, certainNames(inputs, key)));
  if (known.length > 0 || entries.every(({ enabled }) => !enabled)) {
    return known;
  }
  const listing = await listCas(inputs.connection);
  const found: string[] = [];
  for (const key of inputs.compromised) {
    const { names, unsure } = await allNames(inputs, key, listing);
    unsure.forEach(warnOrSay);
    // A name that was given to another certificate since is no reason to close what that one admits.
    if ("live" in listing) found.push(...opened(key, names));
  }
  return found;
}

/** What has to be said besides, when only a name speaks for it. */
function caveat({ byName, words }: Reason): string {
  return byName
    ? ` It ${words}; DPS does not show that certificate. If another CA of this name issued it, name it in certificates, and it is left alone.`
    : "";
}

function keysOf({ compromised }: BreachContainmentInputs): string {
  return JSON.stringify(compromised.map(({ key }) => key).sort());
}

/** A key, or another certificate with a known key, that the last containment did not look for. */
function isNew(olds: BreachContainmentInputs, key: CompromisedKey): boolean {
  const known = olds.compromised.find((known) => known.key === key.key);
  return (
    known === undefined ||
    reachedThumbprints(key).some((one) => !reachedThumbprints(known).includes(one))
  );
}

/**
 * First, for all keys, what needs no answer of ARM; then, with its answer, what has a key under other names.
 */
async function containAll(
  inputs: BreachContainmentInputs,
  before: Record<string, Containment>,
): Promise<Record<string, Containment>> {
  const client = new EnrollmentsClient(inputs.connection);
  // What fails here is tried again below, and fails the run there.
  await withAll(inputs.compromised, (key) =>
    closeReached(client, key, certainNames(inputs, key)),
  ).catch(() => undefined);
  const listing = inputs.compromised.length === 0 ? undefined : await listCas(inputs.connection);
  const contained: Record<string, Containment> = {};
  await withAll(inputs.compromised, async (key) => {
    const earlier = before[key.key]?.entries ?? [];
    const { names, unsure } = await allNames(inputs, key, listing);
    const reached = await closeReached(client, key, names);
    unsure.forEach(warnOrSay);
    const now = await withSettling(client, closedSince(earlier, reached));
    const closed = [...earlier, ...now];
    const { entries, gone } = await retiredEntries(inputs, key, closed);
    gone.forEach(say);
    contained[key.key] = { entries: [...closed, ...entries] };
  });
  return contained;
}

async function closeReached(
  client: EnrollmentsClient,
  key: CompromisedKey,
  names: CaNames,
): Promise<LiveEntry[]> {
  const reached = await close(
    client,
    (all) => reachedEntries(key, reachOf(key, names), all),
    key.subject,
    (entry, why) =>
      say(`Contained: ${nameOf(entry)} no longer admits ${key.subject}.${caveat(why)}`),
  );
  return [...reached.keys()];
}
