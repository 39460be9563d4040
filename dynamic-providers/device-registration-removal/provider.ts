import { faultError } from "../../certificates/faults";
import { devicesWords } from "../../certificates/fleet-usage";
import { listed } from "../../certificates/text";
import { EnrollmentsClient } from "../../clients/enrollments";
import { allNames, listCas } from "../breach-containment/ca-names";
import { allEntries, nameOf } from "../breach-containment/closing";
import { reachedEntries, reachOf } from "../breach-containment/reach";
import { hasContent, type JournalEntry, journalOf } from "../device-twin-journal/journal";
import { type Handler, hasUnknown, say } from "../handler";
import { candidateId, candidatesOf, reachesOf } from "./candidates";
import { InitialTwins } from "./initial-twins";
import { Keeping } from "./keeping";
import { inSeries, until } from "./pacing";
import { type Outcome, removeDevices, type Removed } from "./removing";
import { anyBack, type Restored, restoreDevice } from "./restoring";
import { declaredKeys, type RemovalScope } from "./scope";
import { Sharing } from "./sharing";
import { summaryOf } from "./telling";

export interface DeviceRegistrationRemovalInputs extends RemovalScope {
  /** Whose turn it is, or was. */
  journal: JournalEntry[];
  /** Number of devices that wait for a later wave. */
  waiting: number;
  /** Why the next wave has not begun, when devices of the waves before are missing; else empty. */
  held: string;
  /** How long to wait for removed devices to come back, to give them back what they lost; seconds. */
  restoreWaitSeconds: number;
}

/** How far one device has come. */
export interface Progress {
  deviceId: string;
  outcome: Outcome | "restored";
  /** Device ID of what it waits for, when that is another one: its parent among Edge devices. */
  awaits?: string;
}

/** The journal is not repeated here: it is an input. */
export interface DeviceRegistrationRemovalOutputs extends Omit<
  DeviceRegistrationRemovalInputs,
  "journal"
> {
  /** By `candidateId`. */
  progress: Record<string, Progress>;
  /** In place of what the journal has: twins that had changed since, and who came in late. */
  saved: JournalEntry[];
  /** Device IDs whose identity and registration are gone, or whose identity was rekeyed. */
  removed: string[];
  /** Device IDs that came back by then, and have what they lost. */
  restored: string[];
  /** Device IDs that have not come back yet; the next `up` after they have gives them what they lost. */
  pending: string[];
  /** Device IDs that keep their access, because nothing proves that their leaf is compromised. */
  left: string[];
}

const ID = "removal";

/**
 * Ends what a compromised key still holds, only when a read shows that no enabled entry holds the key.
 * `removing.ts` says how. It goes on at the next `up` where it was cut: what was done is read from the
 * hubs and DPS.
 */
export const deviceRegistrationRemoval: Handler<
  DeviceRegistrationRemovalInputs,
  DeviceRegistrationRemovalOutputs
> = {
  async check(_olds, news) {
    return { inputs: news };
  },

  async diff(_id, olds, news) {
    if (hasUnknown([news.compromised, news.contained, news.journal, news.waiting, news.held])) {
      return { changes: true };
    }
    const progress = { ...olds.progress };
    judgeAnew(progress, olds, news);
    const entries = entriesOf(news, olds.saved);
    return {
      changes:
        news.waiting > 0 ||
        news.waiting !== olds.waiting ||
        openIn(progress, news, entries).length > 0 ||
        (await anyBack(news.connection, awaited(olds.progress, entries))),
    };
  },

  async create(inputs) {
    return { id: ID, outs: await goOn(undefined, inputs) };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, olds, news) {
    return { outs: await goOn(olds, news) };
  },

  async delete() {
    // What was removed stays removed.
  },
};

async function goOn(
  before: DeviceRegistrationRemovalOutputs | undefined,
  inputs: DeviceRegistrationRemovalInputs,
): Promise<DeviceRegistrationRemovalOutputs> {
  const progress = { ...before?.progress };
  const saved = new Map((before?.saved ?? []).map((one) => [candidateId(one), one]));
  const stop: string[] = [];
  const now = (): JournalEntry[] => entriesOf(inputs, [...saved.values()]);
  const outs = () => outputsOf(inputs, now(), progress, [...saved.values()]);
  try {
    tellDropped(before, inputs, progress);
    if (before !== undefined) judgeAnew(progress, before, inputs);
    const open = openIn(progress, inputs, now());
    if (open.length > 0) {
      await refuseWhileOpen(inputs);
      stop.push(...(await remove(inputs, open, true, progress, saved)));
      if (inputs.waiting === 0) {
        // A sweep: what settled while the others were removed.
        const late = await lateComers(inputs, now());
        late.forEach((entry) => saved.set(candidateId(entry), entry));
        stop.push(...(await remove(inputs, late, false, progress, saved)));
      }
      say(summaryOf(inputs, open, progress, stop.length));
    }
    await restore(inputs, now(), progress);
  } catch (error) {
    throw keepingState(error, outs());
  }
  const reasons = [
    ...(stop.length > 0
      ? [`${devicesWords(stop.length)} could not be removed: ${stop.slice(0, 5).join("; ")}`]
      : []),
    ...(inputs.held === "" ? [] : [inputs.held]),
  ];
  if (reasons.length > 0) {
    throw keepingState(
      faultError(
        "DPS-CERT-172",
        "remove",
        `a removal that is not finished: ${reasons.map((one) => one.replace(/\.$/, "")).join("; ")}`,
        "see to what is named, and run `pulumi up` again: it goes on from there",
      ),
      outs(),
    );
  }
  return outs();
}

/** How a dynamic provider says that it has come this far and no further: the engine keeps the state. */
function keepingState(error: unknown, properties: DeviceRegistrationRemovalOutputs): Error {
  const message = error instanceof Error ? error.message : String(error);
  return Object.assign(new Error(message), { id: ID, properties, reasons: [message] });
}

/**
 * Removes them, and notes in `progress` and `saved` what came of it, also when it fails on the way. Answers
 * with sentences about those that could not be removed.
 * @param isStored are the entries in the state already, so that what they have may be deleted?
 */
async function remove(
  inputs: DeviceRegistrationRemovalInputs,
  entries: JournalEntry[],
  isStored: boolean,
  progress: Record<string, Progress>,
  saved: Map<string, JournalEntry>,
): Promise<string[]> {
  if (entries.length === 0) {
    return [];
  }
  const done: Removed = { outcomes: new Map(), failures: [] };
  const keeping = new Keeping(inputs.connection, isStored, new Set(saved.keys()));
  try {
    await removeDevices(inputs, entries, keeping, done);
  } finally {
    for (const entry of entries) {
      const outcome = done.outcomes.get(candidateId(entry));
      if (outcome !== undefined) {
        progress[candidateId(entry)] = { deviceId: entry.deviceId, outcome };
      }
    }
    keeping.newer.forEach((entry, id) => saved.set(id, entry));
  }
  return done.failures;
}

/** The journal's entries, and what is newer than they are. */
function entriesOf({ journal }: DeviceRegistrationRemovalInputs, saved: JournalEntry[]) {
  const all = new Map([...journal, ...saved].map((entry) => [candidateId(entry), entry]));
  return [...all.values()];
}

/** Whose turn it is and who is not done. */
function openIn(
  progress: Record<string, Progress>,
  inputs: DeviceRegistrationRemovalInputs,
  entries: JournalEntry[],
): JournalEntry[] {
  const declared = declaredKeys(inputs);
  return entries.filter((entry) => {
    return (
      progress[candidateId(entry)] === undefined && entry.keys.some((key) => declared.has(key))
    );
  });
}

/** Whose breach is not declared any more before it was their turn. */
function tellDropped(
  before: DeviceRegistrationRemovalOutputs | undefined,
  inputs: DeviceRegistrationRemovalInputs,
  progress: Record<string, Progress>,
): void {
  const declared = declaredKeys(inputs);
  const isDropped = ({ keys }: JournalEntry): boolean =>
    keys.every((key) => !declared.has(key)) &&
    before?.compromised.some(({ key }) => keys.includes(key)) === true;
  const dropped = inputs.journal.filter(
    (entry) => isDropped(entry) && progress[candidateId(entry)] === undefined,
  );
  const waited = before !== undefined && before.waiting > inputs.waiting ? before.waiting : 0;
  const isTakenBack = before?.compromised.some(({ key }) => !declared.has(key)) === true;
  if (isTakenBack && dropped.length + waited > 0) {
    const count = dropped.length + waited;
    say(
      `warning: ${devicesWords(count)} ${count === 1 ? "keeps its" : "keep their"} access: what they came in with is not declared compromised any more, and they had not been removed yet.`,
    );
  }
}

/**
 * Takes outcomes back that something may decide otherwise now: who is left, by all that decides that; who was
 * spared, by another manifest.
 */
function judgeAnew(
  progress: Record<string, Progress>,
  olds: DeviceRegistrationRemovalOutputs,
  news: DeviceRegistrationRemovalInputs,
): void {
  const of = ({ remove, goodIssuers, compromised }: RemovalScope): string =>
    JSON.stringify([remove.how, remove.issuedLeaves?.sha256, goodIssuers, compromised]);
  const isOtherManifest = olds.remove.issuedLeaves?.sha256 !== news.remove.issuedLeaves?.sha256;
  for (const [id, { outcome }] of Object.entries(progress)) {
    const isOpen =
      (outcome === "left" && of(olds) !== of(news)) || (outcome === "spared" && isOtherManifest);
    if (isOpen) delete progress[id];
  }
}

/** Throws unless every entry is disabled, or free of the key in both slots. */
async function refuseWhileOpen(inputs: RemovalScope): Promise<void> {
  const entries = await allEntries(new EnrollmentsClient(inputs.connection));
  const listing = await listCas(inputs.connection);
  for (const key of inputs.compromised) {
    const { names } = await allNames(inputs, key, listing);
    const reached = reachedEntries(key, reachOf(key, names), entries);
    const open = [...reached.keys()].filter(({ enabled }) => enabled);
    if (open.length > 0) {
      throw faultError(
        "DPS-CERT-171",
        `${listed(open.map(nameOf))} in DPS`,
        `what still admits ${key.subject}, so no device is removed: a thief would register again at once`,
        "run `pulumi up` again to contain it",
      );
    }
  }
}

/** Registrations that settled after the journal was written are at risk as well. */
async function lateComers(
  inputs: DeviceRegistrationRemovalInputs,
  entries: JournalEntry[],
): Promise<JournalEntry[]> {
  const known = new Set(entries.map(candidateId));
  const all = await candidatesOf(inputs, reachesOf(inputs));
  const late = all.filter((one) => one.backIn === undefined && !known.has(candidateId(one)));
  return journalOf(inputs.connection, late, Math.max(1, ...inputs.journal.map(({ wave }) => wave)));
}

/** Removed devices that are owed something. */
function pendingIn(progress: Record<string, Progress>, entries: JournalEntry[]): JournalEntry[] {
  return entries.filter(
    (entry) =>
      progress[candidateId(entry)]?.outcome === "removed" && entry.identities.some(hasContent),
  );
}

function awaited(progress: Record<string, Progress>, entries: JournalEntry[]): string[] {
  return pendingIn(progress, entries).map(
    (entry) => progress[candidateId(entry)]?.awaits ?? entry.deviceId,
  );
}

/** Gives back what is owed to those that are back; waits for the others a while. */
async function restore(
  inputs: DeviceRegistrationRemovalInputs,
  entries: JournalEntry[],
  progress: Record<string, Progress>,
): Promise<void> {
  const owed = pendingIn(progress, entries);
  const client = new EnrollmentsClient(inputs.connection);
  const known = { sharing: await Sharing.of(client, owed), initials: new InitialTwins(client) };
  await until(inputs.restoreWaitSeconds, async () => {
    const pending = pendingIn(progress, entries);
    const ids = new Set(pending.map(({ deviceId }) => deviceId));
    await inSeries(pending, async (entry) => {
      const restored: Restored = await restoreDevice(inputs.connection, entry, ids, known);
      const parent = entry.identities.flatMap(({ parentScopes }) => parentScopes)[0];
      progress[candidateId(entry)] = {
        deviceId: entry.deviceId,
        outcome: restored === "restored" ? "restored" : "removed",
        ...(restored === "parent" &&
          parent !== undefined && { awaits: parent.replace(/^.*:\/\//, "").replace(/-\d+$/, "") }),
      };
    });
    const left = pendingIn(progress, entries).length;
    return { done: left === 0, asked: left };
  });
  const pending = pendingIn(progress, entries).map(({ deviceId }) => deviceId);
  if (pending.length > 0) {
    const names = pending.slice(0, 20).join(", ");
    say(
      `Not back yet, so their tags, desired properties and modules wait in the state: ${names}${pending.length > 20 ? `, and ${pending.length - 20} more` : ""}. Run \`pulumi up\` again once they are.`,
    );
  }
}

function outputsOf(
  { journal: _journal, ...inputs }: DeviceRegistrationRemovalInputs,
  entries: JournalEntry[],
  progress: Record<string, Progress>,
  saved: JournalEntry[],
): DeviceRegistrationRemovalOutputs {
  const ids = new Set(entries.map(candidateId));
  const kept = Object.fromEntries(Object.entries(progress).filter(([id]) => ids.has(id)));
  const devices = (...wanted: Progress["outcome"][]): string[] =>
    Object.values(kept)
      .filter(({ outcome }) => wanted.includes(outcome))
      .map(({ deviceId }) => deviceId)
      .sort();
  return {
    ...inputs,
    progress: kept,
    saved,
    removed: devices("removed", "rekeyed", "restored"),
    restored: devices("restored"),
    pending: pendingIn(kept, entries).map(({ deviceId }) => deviceId),
    left: devices("left"),
  };
}
