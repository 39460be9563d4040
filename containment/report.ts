/** The closing report of a breach: what still holds the key, who came in meanwhile, and what undoes each step. Reads only. */
import { listed } from "../certificates/text";
import { EnrollmentsClient } from "../clients/enrollments";
import { hubCaCertificates } from "../clients/hub-ca-certificates";
import { HubRegistry, linkedHubs } from "../clients/hub-registry";
import { ServiceError } from "../clients/service-error";
import { withResourceGroup } from "../clients/service-lookup";
import type { Connection } from "../clients/target";
import { isOfKey, liveNames } from "../dynamic-providers/breach-containment/ca-names";
import {
  allEntries,
  type ClosedEntry,
  isSame,
  nameOf,
} from "../dynamic-providers/breach-containment/closing";
import { perhapsAbove } from "../dynamic-providers/breach-containment/reach";
import {
  isSettled,
  registrationsOf,
  time,
} from "../dynamic-providers/breach-containment/registrations";
import { type Closed, contain } from "./contain";

import type { Sought } from "./sought";

export interface ReportOptions {
  caNames: string[];
  known: string[];
  /** Entries that were closed, as the stack's output `contained` has them. */
  closed: ClosedEntry[];
  /** Registration IDs that are known, besides those of individual enrollments; undefined: no list was given. */
  knownIds: string[] | undefined;
  /** Beginning of the window, ISO 8601; undefined: from the first registration on. */
  since: string | undefined;
}

export interface Registration {
  registrationId: string;
  /** The entry that admitted it. */
  entry: string;
  created: string;
  lastUpdated: string;
}

export interface Report {
  /** Entries that still hold it; `to be closed` are open. */
  entries: Closed[];
  /** CA certificates of the DPS that still have the key. */
  caCertificates: string[];
  /** `hub: name` of a linked hub's own CA certificates with the key, or issued below it. */
  hubCaCertificates: string[];
  /** `hub: device` of identities with a compromised leaf. */
  identities: string[];
  /** Registrations made in the window, up to the cut-off, under IDs that nobody knows. */
  unknown: Registration[];
  /** Registrations up to the cut-off whose device has not registered again. */
  stragglers: Registration[];
  /** What could not be looked at. */
  unseen: string[];
  /** What undoes each step. */
  undo: string[];
}

export async function report(
  connection: Connection,
  sought: Exclude<Sought, { kind: "registration ID" }>,
  options: ReportOptions,
): Promise<Report> {
  const { caNames, known } = options;
  const found = await contain(connection, sought, {
    caNames,
    known,
    onlyTheKey: false,
    dryRun: true,
    say: () => undefined,
  });
  // What a containment would make is nothing that holds the key.
  const entries = found.entries.filter(({ how }) => how !== "to be made");
  const unseen = [...found.unseen, ...(await unshut(connection, sought, found.entries))];
  const look = async <T>(what: string, run: () => Promise<T[]>): Promise<T[]> => {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      unseen.push(`${what} ${error.message}`);
      return [];
    }
  };
  const whole = await withResourceGroup(connection);
  const cas = await look("CA certificates of the DPS:", async () => {
    const { holding } = await liveNames(whole, sought.key);
    return holding;
  });
  const hubs = await look("The linked hubs:", () => linkedHubs(whole));
  const hubCas: string[] = [];
  const identities: string[] = [];
  for (const hub of hubs) {
    hubCas.push(...(await look(`CA certificates of ${hub}:`, () => hubNames(whole, sought, hub))));
    identities.push(...(await look(`Devices of ${hub}:`, () => holders(whole, sought, hub))));
  }
  const came = await registrations(connection, entries, options);
  if (sought.kind === "certificate" && sought.summary.isCa && came.stragglers.length > 0) {
    const who = listed(came.stragglers.map(({ registrationId }) => registrationId));
    unseen.push(
      `Whether the identities of ${who} hold a leaf issued below it: a hub does not tell who issued a leaf.`,
    );
  }
  return {
    entries,
    caCertificates: cas,
    hubCaCertificates: hubCas,
    identities,
    ...came,
    unseen,
    undo: undoing(options.closed, entries),
  };
}

/** Does nothing hold the key any more, as far as could be seen? Disabled entries hold it, and admit nobody. */
export function isClean(one: Report): boolean {
  return (
    one.entries.every(({ how }) => how !== "to be closed") &&
    [one.caCertificates, one.hubCaCertificates, one.identities].every(({ length }) => length === 0)
  );
}

/** No entry shuts its chain out, and an open group may admit it: only the certificates above it would tell. */
async function unshut(
  connection: Connection,
  sought: Exclude<Sought, { kind: "registration ID" }>,
  entries: Closed[],
): Promise<string[]> {
  const missing = entries.filter(({ how }) => how === "to be made");
  if (sought.kind !== "certificate" || missing.length === 0) return [];
  const open = await allEntries(new EnrollmentsClient(connection));
  const { isCa, issuer } = sought.summary;
  // A leaf comes in by its very issuer as well, which a group with a sibling CA does not tell apart.
  const above = isCa
    ? perhapsAbove(issuer, open)
    : open.filter(({ kind, enabled }) => kind === "group" && enabled);
  if (above.length === 0) return [];
  return [
    `Whether ${listed(above.map(nameOf))} admits it through its chain: no disabled entry shuts it out. ` +
      `A run without --report makes ${listed(missing.map(nameOf))}.`,
  ];
}

async function hubNames(
  connection: Connection,
  { key }: Exclude<Sought, { kind: "registration ID" }>,
  hub: string,
): Promise<string[]> {
  const found = (await hubCaCertificates(connection, hub)).filter((ca) => isOfKey(key, ca));
  return found.map(({ name }) => `${hub}: ${name}`);
}

/** Identities of the leaves with the key: a hub knows only the thumbprint of the leaf that was last registered. */
async function holders(
  connection: Connection,
  { key }: Exclude<Sought, { kind: "registration ID" }>,
  hub: string,
): Promise<string[]> {
  const registry = new HubRegistry(connection, hub);
  const client = new EnrollmentsClient(connection);
  const found: string[] = [];
  for (const registrationId of key.registrationIds) {
    const record = await client.getRegistration(registrationId);
    for (const deviceId of new Set([registrationId, record?.deviceId ?? registrationId])) {
      const identity = await registry.getIdentity(deviceId);
      if (identity?.thumbprints.some((one) => key.thumbprints.includes(one)) === true) {
        found.push(`${hub}: ${deviceId}`);
      }
    }
  }
  return found;
}

async function registrations(
  connection: Connection,
  entries: Closed[],
  { closed, knownIds, since }: ReportOptions,
): Promise<Pick<Report, "unknown" | "stragglers">> {
  const client = new EnrollmentsClient(connection);
  const individuals = await client.queryIndividuals();
  const known = new Set(
    [...(knownIds ?? []), ...individuals.map(({ registrationId }) => registrationId)].map((id) =>
      id.toLowerCase(),
    ),
  );
  // The stack's cut-off is the right one; without it, DPS's time of the entry's last change.
  const live = entries
    .filter((entry) => closed.every((each) => !isSame(each, entry)))
    .map(({ kind, id, since: cutOff = "" }) => ({ kind, id, cutOff, settling: [] }));
  const unknown: Registration[] = [];
  const stragglers: Registration[] = [];
  for (const entry of [...closed, ...live]) {
    for (const record of await registrationsOf(client, entry)) {
      const { registrationId, createdDateTimeUtc: created = "" } = record;
      const lastUpdated = record.lastUpdatedDateTimeUtc ?? "";
      const one = { registrationId, entry: entry.id, created, lastUpdated };
      const inWindow =
        time(created) <= time(entry.cutOff) &&
        (since === undefined || time(created) >= time(since));
      if (inWindow && !known.has(registrationId.toLowerCase())) unknown.push(one);
      if (isSettled(record) && time(lastUpdated) <= time(entry.cutOff)) stragglers.push(one);
    }
  }
  return { unknown, stragglers };
}

function undoing(closed: ClosedEntry[], entries: Closed[]): string[] {
  const names = [...closed, ...entries].map(({ id }) => `"${id}"`);
  return [
    `Disabled entries (${[...new Set(names)].join(", ") || "none"}): take the key out of their slots and run \`pulumi up\`, which enables them; or, to admit the key again, waive DPS-CERT-073 with a reason.`,
    "Removed devices: they register again by themselves with a certificate that is admitted; tags and desired properties come back with the next `pulumi up`.",
    "Deleted CA certificates: declare them again; they are uploaded and proven anew.",
    "Denials: take them out of `denied` or `compromised`; the preview names who admits the device or the chain then.",
  ];
}
