/** Closing the entries of a DPS: disabled, and read back until none that is meant is open. */
import { faultError } from "../../certificates/faults";
import { listed } from "../../certificates/text";
import type { EnrollmentsClient } from "../../clients/enrollments";
import { type Attestation } from "../../clients/enrollments";
import { isServiceError } from "../../clients/service-error";
import { isSettled, registrationsOf, time } from "./registrations";

/** Names an enrollment of the DPS. */
export interface EntryName {
  kind: "individual" | "group";
  id: string;
}

/** An enrollment as far as containment looks at it. */
export interface LiveEntry extends EntryName {
  attestation: Attestation;
  enabled: boolean;
  /** DPS's own time of the last change, ISO 8601. */
  lastUpdated: string;
}

/** An entry that admitted a compromised key, and was closed. */
export interface ClosedEntry extends EntryName {
  /**
   * When it was closed, ISO 8601, in DPS's own time: up to then it may have admitted a thief. Stored
   * once and never moved; an entry that was opened again, and closed again, is listed twice.
   */
  cutOff: string;
  /**
   * Registration IDs that it admitted before the cut-off and that settled after it, or had not settled
   * yet: they are at risk, whatever time their record shows later.
   */
  settling: string[];
  /**
   * It was closed before, at this time, and somebody has written it until the cut-off: what it admitted in
   * between is not known. Or it is gone, and held other keys as well. Only who came in after this time is in
   * doubt. Absent: it admitted the key.
   */
  doubtfulSince?: string;
}

/** How often an entry that somebody else keeps writing is disabled again before giving up. */
const ATTEMPTS = 20;

/** Goes through all of them, and throws only then: nothing stays open because something else cannot be closed. */
export async function withAll<T>(
  all: Iterable<T>,
  run: (one: T) => Promise<unknown>,
): Promise<void> {
  const failures = new Map<string, Error>();
  for (const one of all) {
    try {
      await run(one);
    } catch (error) {
      const failure = error as Error;
      failures.set(failure.message, failure);
    }
  }
  const [first, ...more] = failures.values();
  if (first === undefined) return;
  throw more.length === 0 ? first : new Error([...failures.keys()].join("\n"));
}

/**
 * Disables every entry that `reasons` names among all of them, and repeats until a read shows that none
 * of them is open; one that DPS refuses to disable keeps no other one open. Calls `closed` after each one.
 * Returns them all, with their reasons, also those that were closed before.
 *
 * @param what for the error: the key, or the device, that must not be admitted
 */
export async function close<Why>(
  client: EnrollmentsClient,
  reasons: (all: LiveEntry[]) => Map<LiveEntry, Why>,
  what: string,
  closed: (entry: EntryName, why: Why) => void,
): Promise<Map<LiveEntry, Why>> {
  let open: [LiveEntry, Why][] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const meant = reasons(await allEntries(client));
    open = [...meant].filter(([{ enabled }]) => enabled);
    if (open.length === 0) {
      return meant;
    }
    await withAll(open, async ([entry, why]) => {
      await disable(client, entry, what);
      closed(entry, why);
    });
  }
  throw faultError(
    "DPS-CERT-170",
    `${listed(open.map(([entry]) => nameOf(entry)))} in DPS`,
    `an entry that admits ${what}, and is enabled again each time it is disabled`,
    "find out who writes to this DPS, stop it, and run the same again",
  );
}

/**
 * What was settling when these entries were closed. Read while all of them are closed and nothing is
 * replaced yet, so whatever settled after a cut-off, or has not settled, was admitted before it.
 */
export async function withSettling(
  client: EnrollmentsClient,
  entries: LiveEntry[],
): Promise<ClosedEntry[]> {
  const closed: ClosedEntry[] = [];
  for (const { kind, id, lastUpdated } of entries) {
    const records = await registrationsOf(client, { kind, id });
    const settling = records.filter(
      (record) => !isSettled(record) || time(record.lastUpdatedDateTimeUtc) > time(lastUpdated),
    );
    closed.push({
      kind,
      id,
      cutOff: lastUpdated,
      settling: settling.map(({ registrationId }) => registrationId),
    });
  }
  return closed;
}

/** Those of `entries` that were changed since they were listed as closed, or were never listed. */
export function closedSince(before: ClosedEntry[], entries: LiveEntry[]): LiveEntry[] {
  return entries.filter((entry) =>
    before.every((each) => !isSame(each, entry) || time(each.cutOff) < time(entry.lastUpdated)),
  );
}

export function nameOf({ kind, id }: EntryName): string {
  return `${kind === "group" ? "enrollment group" : "individual enrollment"} "${id}"`;
}

/** IDs are compared as DPS does: without case. */
export function isSame(one: EntryName, other: EntryName): boolean {
  return one.kind === other.kind && one.id.toLowerCase() === other.id.toLowerCase();
}

/** Every enrollment of the DPS, of either kind. */
export async function allEntries(client: EnrollmentsClient): Promise<LiveEntry[]> {
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
}): Pick<LiveEntry, "attestation" | "enabled" | "lastUpdated"> {
  return {
    attestation: record.attestation,
    enabled: record.provisioningStatus !== "disabled",
    lastUpdated: record.lastUpdatedDateTimeUtc ?? "",
  };
}

/**
 * Disables one entry, and repeats when somebody else wrote it in between. One that is gone is done.
 *
 * DPS judges a write whole, so it may refuse one that only disables because of what the entry held before.
 * Then nothing else is tried: to leave that out would lose what somebody declared, and to delete the entry
 * would lose the records of who came in by it.
 */
async function disable(
  client: EnrollmentsClient,
  { kind, id }: EntryName,
  what: string,
): Promise<void> {
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
          const attestation =
            record.attestation.type === "symmetricKey"
              ? await client.attestationOf(id)
              : record.attestation;
          await client.putIndividual(
            { ...record, attestation, provisioningStatus: "disabled" },
            record.etag,
          );
        }
      }
      return;
    } catch (error) {
      if (isServiceError(error, "BadRequest")) {
        const command = kind === "group" ? "enrollment-group" : "enrollment";
        throw faultError(
          "DPS-CERT-184",
          `${nameOf({ kind, id })} in DPS`,
          `an entry that admits ${what}, is open, and stays so: ${error.message.replace(/\.$/, "")}`,
          `mend what DPS names, in the portal or with \`az iot dps ${command} update\`, and run the same again; deleting the entry closes it too, and with it go the records of who came in by it, which the removal needs`,
        );
      }
      if (!isServiceError(error, "PreconditionFailed")) {
        throw error;
      }
    }
  }
}
