import { EnrollmentsClient } from "../../clients/enrollments";
import { allNames } from "../breach-containment/ca-names";
import { allEntries } from "../breach-containment/closing";
import { reachedEntries, reachOf } from "../breach-containment/reach";
import { hasContent, type JournalEntry, journalOf } from "../device-twin-journal/journal";
import { type Handler, hasUnknown, say } from "../handler";
import { candidateId, candidatesOf, reachesOf } from "./candidates";
import { inSeries, until } from "./pacing";
import { type Outcome, removeDevices } from "./removing";
import { anyBack, type Restored, restoreDevice } from "./restoring";
import { declaredKeys, type RemovalScope } from "./scope";

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
    return {
      changes:
        news.waiting > 0 ||
        news.waiting !== olds.waiting ||
        openIn(olds.progress, news, isJudgedAnew(olds, news)).length > 0 ||
        (await anyBack(news.connection, awaited(olds.progress, entriesOf(news, olds.saved)))),
    };
  },

  async create(inputs) {
    return { id: "removal", outs: await goOn(undefined, inputs) };
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
  const failures: string[] = [];
  const run = async (entries: JournalEntry[]): Promise<void> => {
    const done = await removeDevices(inputs, entries);
    for (const entry of entries) {
      const outcome = done.outcomes.get(candidateId(entry));
      if (outcome !== undefined) {
        progress[candidateId(entry)] = { deviceId: entry.deviceId, outcome };
      }
    }
    done.saved.forEach((entry, id) => saved.set(id, entry));
    failures.push(...done.failures);
  };

  tellDropped(before, inputs, progress);
  const judgedAnew = before !== undefined && isJudgedAnew(before, inputs);
  const open = openIn(progress, inputs, judgedAnew);
  if (open.length > 0) {
    await refuseWhileOpen(inputs);
    await run(open);
    if (inputs.waiting === 0) {
      // A sweep: what settled while the others were removed.
      const late = await lateComers(inputs, [...saved.values()]);
      late.forEach((entry) => saved.set(candidateId(entry), entry));
      await run(late);
    }
    say(summaryOf(inputs, open, progress, failures.length));
  }
  const entries = entriesOf(inputs, [...saved.values()]);
  await restore(inputs, entries, progress);
  const stop = [
    ...(failures.length > 0
      ? [`${failures.length} devices could not be removed: ${failures.slice(0, 5).join("; ")}.`]
      : []),
    ...(inputs.held === "" ? [] : [inputs.held]),
  ];
  if (stop.length > 0) {
    throw new Error(`The removal is not finished. ${stop.join(" ")}`);
  }
  return outputsOf(inputs, entries, progress, [...saved.values()]);
}

/** The journal's entries, and what is newer than they are. */
function entriesOf({ journal }: DeviceRegistrationRemovalInputs, saved: JournalEntry[]) {
  const all = new Map([...journal, ...saved].map((entry) => [candidateId(entry), entry]));
  return [...all.values()];
}

/** Whose turn it is and who is not done; `judgedAnew`: also who was left or spared. */
function openIn(
  progress: Record<string, Progress>,
  inputs: DeviceRegistrationRemovalInputs,
  judgedAnew: boolean,
): JournalEntry[] {
  const declared = declaredKeys(inputs);
  return inputs.journal.filter((entry) => {
    const outcome = progress[candidateId(entry)]?.outcome;
    const isOpen = outcome === undefined || (judgedAnew && outcome === "left");
    return isOpen && entry.keys.some((key) => declared.has(key));
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
    say(
      `warning: ${dropped.length + waited} devices keep their access: what they came in with is not declared compromised any more, and they had not been removed yet.`,
    );
  }
}

/** Has anything changed of what decides who is left? */
function isJudgedAnew(
  olds: DeviceRegistrationRemovalOutputs,
  news: DeviceRegistrationRemovalInputs,
): boolean {
  const of = ({ remove, goodIssuers, compromised }: RemovalScope): string =>
    JSON.stringify([remove.how, remove.issuedLeaves?.sha256, goodIssuers, compromised]);
  return of(olds) !== of(news);
}

/** Throws unless every entry is disabled, or free of the key in both slots. */
async function refuseWhileOpen(inputs: RemovalScope): Promise<void> {
  const entries = await allEntries(new EnrollmentsClient(inputs.connection));
  for (const key of inputs.compromised) {
    const { names } = await allNames(inputs, key);
    const reached = reachedEntries(key, reachOf(key, names), entries);
    const open = [...reached.keys()].filter(({ enabled }) => enabled);
    if (open.length > 0) {
      throw new Error(
        `No device is removed while ${open.map(({ id }) => `"${id}"`).join(", ")} still admits ${key.subject}: ` +
          "a thief would register again at once. Run `pulumi up` again to contain it.",
      );
    }
  }
}

/** Registrations that settled after the journal was written are at risk as well. */
async function lateComers(
  inputs: DeviceRegistrationRemovalInputs,
  saved: JournalEntry[],
): Promise<JournalEntry[]> {
  const known = new Set(entriesOf(inputs, saved).map(candidateId));
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
  await until(inputs.restoreWaitSeconds, async () => {
    const pending = pendingIn(progress, entries);
    const ids = new Set(pending.map(({ deviceId }) => deviceId));
    await inSeries(pending, async (entry) => {
      const restored: Restored = await restoreDevice(inputs.connection, entry, ids);
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

function summaryOf(
  { compromised, waiting }: DeviceRegistrationRemovalInputs,
  entries: JournalEntry[],
  progress: Record<string, Progress>,
  failed: number,
): string {
  const outcomes = entries.map((entry) => progress[candidateId(entry)]?.outcome);
  const count = (...wanted: Progress["outcome"][]): number =>
    outcomes.filter((one) => one !== undefined && wanted.includes(one)).length;
  const keys = new Set(entries.flatMap((entry) => entry.keys));
  const named = compromised.filter(({ key }) => keys.has(key)).map(({ subject }) => subject);
  const subjects = [...new Set(named)].join(", ");
  const parts = [
    `Removed ${count("removed", "restored")} of ${entries.length} device registrations that came in with ${subjects}`,
    ...(count("rekeyed") > 0 ? [`rekeyed ${count("rekeyed")}`] : []),
    ...(count("cleaned") > 0
      ? [`removed what ${count("cleaned")} had left behind in another hub`]
      : []),
    ...(count("spared") > 0 ? [`spared ${count("spared")} with a leaf that is good`] : []),
    ...(count("left") > 0
      ? [`left ${count("left")}, because nothing proves that their leaf is compromised`]
      : []),
    ...(failed > 0 ? [`failed with ${failed}`] : []),
    ...(waiting > 0 ? [`${waiting} wait for a later wave; run \`pulumi up\` again`] : []),
  ];
  return `${parts.join("; ")}.`;
}
