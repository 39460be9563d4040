/** Ends what candidates still hold, many at a time. */
import { EnrollmentsClient, type RegistrationRecord } from "../../clients/enrollments";
import { HubModules } from "../../clients/hub-modules";
import {
  type BulkOutcomes,
  type HubIdentity,
  HubRegistry,
  isClosedByUs,
  linkedHubs,
  nobodysThumbprint,
} from "../../clients/hub-registry";
import { isServiceError, ServiceError } from "../../clients/service-error";
import { isSettled } from "../breach-containment/registrations";
import type { JournalEntry } from "../device-twin-journal/journal";
import { liveSlots } from "../enrollment/slots";
import { say } from "../handler";
import { cameBack, candidateId } from "./candidates";
import { Evidence, type Found, isMadeAnew, isSameHub, judge, type Verdict } from "./judging";
import type { Keeping } from "./keeping";
import { inSeries, until } from "./pacing";
import type { RemovalScope } from "./scope";
import { Sharing } from "./sharing";

/**
 * - `removed`: its identity is deleted, or was by an earlier run; it gets its twin back once it is back.
 * - `rekeyed`: its identity stays, and nobody can use it until DPS writes a new leaf into it.
 * - `cleaned`: it is back, or another registration has its identity now, and what it had left behind is gone.
 * - `spared`: it has a leaf that is good.
 * - `left`: nothing proves that its leaf is compromised.
 */
export type Outcome = "removed" | "rekeyed" | "cleaned" | "spared" | "left";

export interface Removed {
  /** By `candidateId`. */
  outcomes: Map<string, Outcome>;
  /** Sentences about devices that could not be removed. */
  failures: string[];
}

/** Devices in one bulk call. */
const BATCH = 100;
const ATTEMPTS = 5;
const UNSAVED =
  "disabled, and not deleted yet, because its twin or modules changed since they were saved; what they are now is saved with this run";
/** How long an assignment is waited for: what Microsoft's Python SDK waits for one. */
const SETTLING_SECONDS = 30;

/** An identity that is to go, and whose it is. */
interface Item {
  entry: JournalEntry;
  identity: HubIdentity;
}

/** A device in the course of being removed. */
interface Work {
  entry: JournalEntry;
  registration: RegistrationRecord | undefined;
  found: (Found & { verdict: Verdict })[];
  /** The hub in which another registration has written the identity since. */
  takenOverIn: string | undefined;
}

/** @param all what comes of it, filled as it comes: an error on the way leaves what was done until then */
export async function removeDevices(
  scope: RemovalScope,
  entries: JournalEntry[],
  keeping: Keeping,
  all: Removed,
): Promise<void> {
  const removal = new Removal(
    scope,
    await linkedHubs(scope.connection),
    new Evidence(scope),
    keeping,
    await Sharing.of(new EnrollmentsClient(scope.connection), entries),
  );
  for (let from = 0; from < entries.length; from += BATCH) {
    await removal.batch(entries.slice(from, from + BATCH), all);
    if (entries.length > BATCH) {
      say(`Removal: ${Math.min(from + BATCH, entries.length)} of ${entries.length} devices done.`);
    }
  }
}

/**
 * Each identity is disabled (which ends its live connection), then deleted with the etag that was
 * read, and the device's DPS record goes last, because it is the journal. Where somebody else writes
 * in between, the device is looked at again.
 */
class Removal {
  private readonly enrollments: EnrollmentsClient;
  private readonly hubs: Map<string, HubRegistry>;

  constructor(
    private readonly scope: RemovalScope,
    hubs: string[],
    private readonly evidence: Evidence,
    private readonly keeping: Keeping,
    private readonly sharing: Sharing,
  ) {
    this.enrollments = new EnrollmentsClient(scope.connection);
    this.hubs = new Map(hubs.map((hub) => [hub, new HubRegistry(scope.connection, hub)]));
  }

  async batch(entries: JournalEntry[], all: Removed): Promise<void> {
    let open = entries;
    const reasons = new Map<string, string>();
    for (let attempt = 1; attempt <= ATTEMPTS && open.length > 0; attempt += 1) {
      const works: Work[] = [];
      await inSeries(open, async (entry) => void works.push(await this.look(entry)));
      const unfinished = new Set<JournalEntry>();
      const unsaved = new Set<JournalEntry>();
      const again = (entry: JournalEntry, reason: string): void => {
        unfinished.add(entry);
        reasons.set(entry.deviceId, reason);
      };
      for (const [hub, registry] of this.hubs) {
        const of = (keeps: boolean) =>
          works.flatMap(({ entry, found }) =>
            found
              .filter((one) => one.hub === hub && one.verdict === "goes")
              .filter(({ identity }) => this.keeps(identity) === keeps)
              .map(({ identity }) => ({ entry, identity })),
          );
        await this.delete(registry, of(false), { again, unsaved: (one) => unsaved.add(one) });
        await this.rekey(registry, of(true), again);
      }
      await inSeries(works, async (work) => {
        const isOpen = unfinished.has(work.entry) || unsaved.has(work.entry);
        if (!isOpen && !(await this.finish(work, all.outcomes))) {
          again(work.entry, "its registration changes all the time");
        }
      });
      all.failures.push(...[...unsaved].map(({ deviceId }) => `${deviceId}: ${UNSAVED}`));
      open = open.filter((entry) => unfinished.has(entry) && !unsaved.has(entry));
    }
    all.failures.push(...open.map(({ deviceId }) => `${deviceId}: ${reasons.get(deviceId)}`));
  }

  private async look(entry: JournalEntry): Promise<Work> {
    const registration = await this.settled(entry.registrationId);
    const found = (
      await Promise.all(
        [...this.hubs].map(async ([hub, registry]) => {
          const identity = await registry.getIdentity(entry.deviceId);
          return identity && { hub, identity };
        }),
      )
    ).filter((one) => one !== undefined);
    const { how } = this.scope.remove;
    const takenOverIn = await this.sharing.takenOverIn(entry, registration);
    const verdictOf = (one: Found): Verdict => {
      const verdict = judge(entry, registration, one, found, this.evidence, how);
      const isOthers = takenOverIn !== undefined && isSameHub(one.hub, takenOverIn);
      const isBad = ["stolen", "compromised"].includes(
        this.evidence.of(entry, one.identity.thumbprints),
      );
      return isOthers && !isBad ? "spared" : verdict;
    };
    return {
      entry,
      registration,
      found: found.map((one) => ({ ...one, verdict: verdictOf(one) })),
      takenOverIn,
    };
  }

  /** The registration once DPS has come to an end with it: until then the hub may still be given it. */
  private async settled(registrationId: string): Promise<RegistrationRecord | undefined> {
    let registration: RegistrationRecord | undefined;
    await until(SETTLING_SECONDS, async () => {
      registration = await this.enrollments.getRegistration(registrationId);
      return { done: registration === undefined || isSettled(registration), asked: 1 };
    });
    return registration;
  }

  /** What somebody had disabled is not deleted: made anew, it would be enabled. */
  private keeps(identity: HubIdentity): boolean {
    const byHand = identity.status === "disabled" && !isClosedByUs(identity);
    return this.scope.remove.keep === "rekey" || byHand;
  }

  private async delete(
    registry: HubRegistry,
    items: Item[],
    {
      again,
      unsaved,
    }: {
      again: (entry: JournalEntry, reason: string) => void;
      unsaved: (entry: JournalEntry) => void;
    },
  ): Promise<void> {
    const open = once(items.filter(({ identity }) => identity.status === "enabled"));
    const disabled = await registry.disableAll(open.map(({ identity }) => identity));
    const doomed = new Map<string, { deviceId: string; etag: string }>();
    const kept = new Set<string>();
    await inSeries(items, async ({ entry, identity }) => {
      const { deviceId, thumbprints } = identity;
      const problem = problemOf(disabled.get(deviceId) ?? "written");
      if (problem !== undefined) return again(entry, problem);
      const twin = await registry.getTwin(deviceId);
      // The bulk operation does not tell the new etag; what is read must still be what was written.
      if (twin?.status !== "disabled" || twin.thumbprints.join() !== thumbprints.join()) {
        return again(entry, "it was changed while it was removed");
      }
      if (!(await this.keeping.holds(entry, registry.hubHostName, identity, twin))) {
        kept.add(deviceId);
        return unsaved(entry);
      }
      doomed.set(deviceId, { deviceId, etag: twin.deviceEtag });
    });
    kept.forEach((deviceId) => doomed.delete(deviceId));
    const deleted = await registry.removeAll([...doomed.values()]);
    for (const { entry, identity } of items) {
      const problem = problemOf(deleted.get(identity.deviceId) ?? "written");
      if (problem !== undefined) again(entry, problem);
    }
  }

  private async rekey(
    registry: HubRegistry,
    items: Item[],
    again: (entry: JournalEntry, reason: string) => void,
  ): Promise<void> {
    const wanted = new Map<string, string[]>();
    await inSeries(items, async ({ entry, identity }) => {
      wanted.set(identity.deviceId, await this.newThumbprints(entry));
    });
    const isDone = ({ deviceId, thumbprints }: HubIdentity): boolean =>
      thumbprints.length > 0 &&
      thumbprints.every((one) => wanted.get(deviceId)?.includes(one) === true);
    const old = once(items.filter(({ identity }) => !isDone(identity)));
    const rekeyed = await registry.rekeyAll(
      old.map(({ identity }) => identity),
      ({ deviceId }) => wanted.get(deviceId) ?? [],
    );
    const modules = new HubModules(this.scope.connection, registry.hubHostName);
    const closed: Item[] = [];
    await inSeries(items, async ({ entry, identity: { deviceId } }) => {
      const problem = problemOf(rekeyed.get(deviceId) ?? "written");
      if (problem !== undefined) return again(entry, problem);
      // An earlier run may have been killed in between.
      const identity = await registry.getIdentity(deviceId);
      if (identity === undefined || !isDone(identity)) {
        return again(entry, "it was changed while it was rekeyed");
      }
      if (rekeyed.has(deviceId) || isClosedByUs(identity)) {
        await modules.renewCredentials(deviceId);
      }
      if (isClosedByUs(identity)) closed.push({ entry, identity });
    });
    const enabled = await registry.enableAll(once(closed).map(({ identity }) => identity));
    for (const { entry, identity } of closed) {
      const problem = problemOf(enabled.get(identity.deviceId) ?? "written");
      if (problem !== undefined) again(entry, problem);
    }
  }

  /** The new certificates of its individual enrollment; else what no certificate has. */
  private async newThumbprints({ registrationId, deviceId, ...entry }: JournalEntry) {
    const nobodys = [nobodysThumbprint(deviceId)];
    if (entry.admitted) {
      return nobodys;
    }
    const enrollment = await this.enrollments.getIndividual(registrationId);
    if (enrollment === undefined || enrollment.provisioningStatus === "disabled") {
      return nobodys;
    }
    const { primary, secondary } = liveSlots(enrollment.attestation);
    const leaves = [primary, secondary].flatMap((slot) => slot?.sha256Thumbprint ?? []);
    const candidate = { registrationId, deviceId, ...entry };
    const good = leaves.filter((one) => this.evidence.of(candidate, [one]) !== "stolen");
    return good.length > 0 ? good : nobodys;
  }

  /** Deletes the DPS record where the device is gone, and notes what became of it. False: overtaken. */
  private async finish(work: Work, outcomes: Removed["outcomes"]): Promise<boolean> {
    const { entry, registration, found } = work;
    const outcome = this.outcomeOf(work);
    const stays = found.filter(({ verdict }) => verdict !== "goes");
    // An earlier run may have removed it and not have lived to say so: its record is a new one by now.
    const isBack =
      stays.length > 0 && (cameBack(entry, registration) || isMadeAnew(entry, registration, stays));
    const kept = found.some(({ verdict, identity }) => verdict === "goes" && this.keeps(identity));
    const hasNothing = outcome === "removed" || (outcome === "cleaned" && isOthers(work));
    if (registration !== undefined && hasNothing && !isBack && !kept) {
      try {
        await this.enrollments.deleteRegistration(entry.registrationId, registration.etag);
      } catch (error) {
        if (isServiceError(error, "PreconditionFailed")) return false;
        throw error;
      }
    }
    outcomes.set(candidateId(entry), outcome);
    return true;
  }

  private outcomeOf(work: Work): Outcome {
    const { entry, registration, found } = work;
    if (isOthers(work)) return "cleaned";
    const gone = found.filter(({ verdict }) => verdict === "goes");
    if (gone.length > 0) {
      const survives =
        cameBack(entry, registration) &&
        found.some((one) => isSameHub(one.hub, registration.assignedHub) && one.verdict !== "goes");
      if (survives) return "cleaned";
      return gone.every(({ identity }) => this.keeps(identity)) ? "rekeyed" : "removed";
    }
    if (found.some(({ verdict }) => verdict === "left")) return "left";
    if (found.length === 0) {
      // An earlier run came this far and did not live to say so.
      const wasThere = entry.identities.length > 0 || registration !== undefined;
      return wasThere && !cameBack(entry, registration) ? "removed" : "spared";
    }
    return isMadeAnew(entry, registration, found) ? "removed" : "spared";
  }
}

/** One for each identity: two registration IDs may have the same. */
function once(items: Item[]): Item[] {
  return [...new Map(items.map((item) => [item.identity.deviceId, item])).values()];
}

/** Has another registration its identity, so that only its own record is left to go? */
function isOthers({ entry, registration, found, takenOverIn }: Work): boolean {
  return (
    takenOverIn !== undefined &&
    entry.admitted &&
    !cameBack(entry, registration) &&
    found.some(({ hub, verdict }) => verdict === "spared" && isSameHub(hub, takenOverIn))
  );
}

/** Undefined: it is done. */
function problemOf(outcome: NonNullable<ReturnType<BulkOutcomes["get"]>>): string | undefined {
  if (outcome instanceof ServiceError) return outcome.message;
  return outcome === "overtaken" ? "it is changed by somebody else all the time" : undefined;
}
