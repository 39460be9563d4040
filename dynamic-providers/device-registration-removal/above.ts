/** Devices that may hold a leaf of a compromised CA, and came in through a group above it. */
import { type CompromisedKey } from "../../certificates/compromised-keys";
import { devicesWords } from "../../certificates/fleet-usage";
import { summarize } from "../../certificates/summary";
import { displayName, listed } from "../../certificates/text";
import type { EnrollmentsClient, RegistrationRecord } from "../../clients/enrollments";
import { HubRegistry, linkedHubs } from "../../clients/hub-registry";
import type { LiveEntry } from "../breach-containment/closing";
import { perhapsAbove } from "../breach-containment/reach";
import type { Evidence } from "./judging";
import type { RemovalScope } from "./scope";

/** Registrations of a group that are looked at. */
const MOST = 1000;
const MOST_NAMED = 20;

/**
 * Sentences about the devices of groups that may be above a stolen intermediate: they stay, unless the
 * manifest proves who issued their leaf, and then they are candidates or good.
 * @param entries `reached`: those that hold the key, whose devices are candidates
 */
export async function notKnownAbove(
  { connection, remove }: RemovalScope,
  client: EnrollmentsClient,
  key: CompromisedKey,
  entries: { all: LiveEntry[]; reached: LiveEntry[] },
  evidence: Evidence,
): Promise<string[]> {
  const own = key.pem === undefined ? undefined : summarize(key.pem);
  if (own?.isCa !== true || own.selfSigned) {
    return [];
  }
  const above = perhapsAbove(own.issuer, entries.all).filter(
    (one) => !entries.reached.includes(one),
  );
  const notKnown: string[] = [];
  let isMore = false;
  for (const { id } of above) {
    const records = await client.registrationsOfGroup(id, MOST);
    isMore ||= records.length > MOST;
    notKnown.push(...(await withoutEvidence(connection, key, records.slice(0, MOST), evidence)));
  }
  if (notKnown.length === 0) {
    return [];
  }
  const groups = listed(above.map(({ id }) => `\`${displayName(id)}\``));
  const count = `${isMore ? "at least " : ""}${devicesWords(notKnown.length)}`;
  const some = notKnown.slice(0, MOST_NAMED).map(displayName).join(", ");
  const fix =
    remove.issuedLeaves === undefined
      ? "a manifest of issued leaves (remove.issuedLeaves) tells"
      : "the manifest has no row of theirs";
  return [
    `  not known whether ${key.subject} issued the leaf of ${count} that came in through ${groups}, which may be above it: ${some}${notKnown.length > MOST_NAMED ? ", …" : ""}. They stay; ${fix}`,
  ];
}

async function withoutEvidence(
  connection: RemovalScope["connection"],
  { key }: CompromisedKey,
  records: RegistrationRecord[],
  evidence: Evidence,
): Promise<string[]> {
  const ids = new Map(
    records.map((record) => [record.deviceId ?? record.registrationId, record.registrationId]),
  );
  const known = new Set<string>();
  for (const hub of ids.size === 0 ? [] : await linkedHubs(connection)) {
    const registry = new HubRegistry(connection, hub);
    for (const { deviceId, thumbprints } of await registry.findDevices([...ids.keys()])) {
      const registrationId = ids.get(deviceId) ?? deviceId;
      const leaf = evidence.of({ keys: [key], registrationId }, thumbprints);
      if (leaf !== "unknown") known.add(registrationId);
    }
  }
  return [...ids.values()].filter((id) => !known.has(id)).sort();
}
