/** Who may have to be removed after a breach. */
import { EnrollmentsClient, type RegistrationRecord } from "../../clients/enrollments";
import { type ClosedEntry, isSame } from "../breach-containment/closing";
import { registrationsOf, time } from "../breach-containment/registrations";
import { type IssuedLeaf, issuedUnder } from "../../certificates/issued-leaves";
import { holdersOf } from "./holders";
import { issuedLeavesOf } from "./issued-leaves-file";
import type { RemovalScope } from "./scope";

export interface Candidate {
  registrationId: string;
  deviceId: string;
  /** Of what it came in under (`CompromisedKey.key`); several when one breach reaches several CAs. */
  keys: string[];
  /**
   * Of a group that admitted the key: nobody can tell who issued its leaf, so it goes unless something
   * proves that its leaf is good. false: the compromised leaf itself is known, and a device that has
   * another one is spared.
   */
  admitted: boolean;
  /** Of the entry that admitted the key: a registration after it was made with another certificate. */
  cutOff?: string;
  /** It was under way at the cut-off: at risk whatever time its record shows. */
  settling: boolean;
  /**
   * Whether its entry admitted the key when it came in is not known, or it came in through another entry, above
   * the key: it goes only if something proves that its leaf is compromised.
   */
  doubtful?: true;
  /** It has come back since, into this hub: at most it has left something behind in another one. */
  backIn?: string;
}

/** The same device in the same breach; a later cut-off is another breach. */
export function candidateId({ registrationId, cutOff }: Candidate): string {
  return `${registrationId.toLowerCase()} ${cutOff ?? ""}`;
}

/** What was closed for one key, or the key itself where nothing held it. */
export interface Reach {
  key: string;
  registrationIds: string[];
  entries: ClosedEntry[];
  /** Rows of the manifest of leaves that were issued under it. Default: none. */
  issued?: IssuedLeaf[];
}

/**
 * Individual enrollments that held the key: their device. Groups cannot tell who issued a leaf: all
 * registrations that were made up to the cut-off of the group, those that were settling then, and
 * those that have come back since: they may have left an identity behind in another hub. And whoever holds
 * a leaf that the manifest says was issued under the key, also through a group above it. Each device once, with the latest cut-off: it is the one that it has to be newer than.
 */
export async function candidatesOf(
  { connection }: Pick<RemovalScope, "connection">,
  reaches: Reach[],
): Promise<Candidate[]> {
  const client = new EnrollmentsClient(connection);
  const found = new Map<string, Candidate>();
  const add = (candidate: Candidate): void => {
    const id = candidate.registrationId.toLowerCase();
    const known = found.get(id);
    found.set(id, known === undefined ? candidate : merged(known, candidate));
  };
  for (const { key, registrationIds, entries, issued = [] } of reaches) {
    for (const entry of entries) {
      const { doubtfulSince } = entry;
      for (const record of await recordsOf(client, entry)) {
        const isDoubtful = doubtfulSince !== undefined;
        const at = "status" in record ? record.lastUpdatedDateTimeUtc : undefined;
        if (isDoubtful && !(time(at) > time(doubtfulSince))) continue;
        const candidate: Candidate = {
          registrationId: record.registrationId,
          deviceId: record.deviceId ?? record.registrationId,
          keys: [key],
          admitted: entry.kind === "group",
          cutOff: entry.cutOff,
          settling: isListed(entry.settling, record.registrationId),
          ...(isDoubtful && { doubtful: true as const }),
        };
        const back = "status" in record && cameBack(candidate, record);
        add({ ...candidate, ...(back && { backIn: record.assignedHub }) });
      }
    }
    // A compromised leaf of a device that came in through a group which stays open.
    for (const id of registrationIds.filter((one) => !found.has(one.toLowerCase()))) {
      const record = await client.getRegistration(id);
      const registrationId = record?.registrationId ?? id;
      add({
        registrationId,
        deviceId: record?.deviceId ?? id,
        keys: [key],
        admitted: false,
        settling: false,
      });
    }
    const others = issued.filter(({ registrationId }) => !found.has(registrationId.toLowerCase()));
    for (const holder of await holdersOf(connection, client, others)) {
      add({ ...holder, keys: [key], admitted: true, settling: false, doubtful: true });
    }
  }
  return [...found.values()].sort((a, b) => a.registrationId.localeCompare(b.registrationId));
}

function merged(one: Candidate, other: Candidate): Candidate {
  const later = time(other.cutOff) > time(one.cutOff) ? other : one;
  const { doubtful, ...rest } = later;
  return {
    ...rest,
    ...(doubtful && one.doubtful && other.doubtful && { doubtful }),
    keys: [...new Set([...one.keys, ...other.keys])].sort(),
    admitted: one.admitted || other.admitted,
    settling: one.settling || other.settling,
  };
}

/** An individual enrollment names its device also when its registration record is gone. */
async function recordsOf(
  client: EnrollmentsClient,
  entry: ClosedEntry,
): Promise<(RegistrationRecord | Pick<RegistrationRecord, "registrationId" | "deviceId">)[]> {
  const records = await registrationsOf(client, entry);
  if (entry.kind === "group" || records.length > 0) {
    return records;
  }
  const enrollment = await client.getIndividual(entry.id);
  const { deviceId } = enrollment ?? {};
  return [{ registrationId: entry.id, ...(deviceId !== undefined && { deviceId }) }];
}

function isListed(ids: string[], registrationId: string): boolean {
  return ids.some((id) => id.toLowerCase() === registrationId.toLowerCase());
}

/**
 * Has it registered since the entry was closed, with a certificate that DPS still admits? A record
 * that a refusal has touched (status failed, disabled) is no sign of that.
 */
export function cameBack(
  { cutOff, settling }: Candidate,
  registration: RegistrationRecord | undefined,
): registration is RegistrationRecord & { assignedHub: string } {
  return (
    registration?.status === "assigned" &&
    registration.assignedHub !== undefined &&
    !settling &&
    cutOff !== undefined &&
    time(registration.lastUpdatedDateTimeUtc) > time(cutOff)
  );
}

/** All that the declared keys reach. */
export function reachesOf({
  compromised,
  contained,
  remove,
}: Pick<RemovalScope, "compromised" | "contained" | "remove">): Reach[] {
  const leaves = compromised.length === 0 ? [] : issuedLeavesOf(remove.issuedLeaves);
  return compromised.map((key) => ({
    key: key.key,
    registrationIds: key.registrationIds,
    entries: contained[key.key]?.entries ?? [],
    issued: issuedUnder(key, leaves),
  }));
}

/** What they reach and did not reach before: its devices are candidates although the rest is done. */
export function reachedSince(
  before: Pick<RemovalScope, "compromised" | "contained" | "remove"> | undefined,
  now: RemovalScope,
): Reach[] {
  const isSameManifest = before?.remove.issuedLeaves?.sha256 === now.remove.issuedLeaves?.sha256;
  return reachesOf(now)
    .map(({ key, registrationIds, entries, issued = [] }) => {
      const known = before?.compromised.find((one) => one.key === key);
      const closed = known === undefined ? [] : (before?.contained[key]?.entries ?? []);
      const rows = known !== undefined && isSameManifest ? issuedUnder(known, issued) : [];
      return {
        key,
        registrationIds: registrationIds.filter((id) => !known?.registrationIds.includes(id)),
        entries: entries.filter((entry) =>
          closed.every((each) => !isSame(each, entry) || each.cutOff !== entry.cutOff),
        ),
        issued: issued.filter((row) => !rows.includes(row)),
      };
    })
    .filter(isAny);
}

/** Does it reach anything? */
export function isAny({ registrationIds, entries, issued = [] }: Reach): boolean {
  return registrationIds.length + entries.length + issued.length > 0;
}
