/**
 * What a DPS instance and its linked hubs hold now: entries, CA certificates, registrations and hub
 * identities. Reads only. What a service does not answer is said in `leftOut`, and nothing is guessed.
 */
import type { FleetFacts } from "../certificates/fleet-facts";
import type { IssuedLeaf } from "../certificates/issued-leaves";
import { entryKey, type EntryKind } from "../certificates/slots";
import type { SlotName } from "../certificates/declared";
import { CaCertificatesClient, type LiveCaCertificate } from "../clients/ca-certificates";
import {
  type Attestation,
  type CertificateInfo,
  type EnrollmentGroup,
  EnrollmentsClient,
  type IndividualEnrollment,
  type RegistrationRecord,
} from "../clients/enrollments";
import { type HubTier, hubTiers } from "../clients/hub-place";
import { linkedHubs } from "../clients/hub-client";
import { type DeviceOfHub, HubDevices } from "../clients/hub-devices";
import { ServiceError } from "../clients/service-error";
import type { Connection } from "../clients/target";
import { targetNow } from "../clients/target-time";
import { entryFacts, placeOf } from "../dynamic-providers/fleet-judgement/evidence";
import { readingTime } from "./reading-time";

export interface Inventory {
  /** When it was read, by the target's clock: ISO 8601. */
  readAt: string;
  entries: LiveEntry[];
  caCertificates: LiveCaCertificate[];
  /** Host names of the linked hubs. */
  hubs: string[];
  /** Their tiers, by host name; of a hub that is not in it nothing is known. */
  tiers: Record<string, HubTier>;
  /** Every registration record, one for each registration ID. */
  devices: InventoryDevice[];
  /** The same devices as the rules look at them, for all entries. */
  facts: FleetFacts;
  /** For people: what could not be read, and why. */
  leftOut: string[];
}

/** An enrollment with X.509 attestation; of another kind of attestation it has no slots. */
export interface LiveEntry {
  kind: EntryKind;
  /** Registration ID or group ID. */
  id: string;
  /** `entryKey` */
  key: string;
  enabled: boolean;
  slots: LiveSlot[];
  /** When DPS last wrote it: ISO 8601. */
  lastWritten?: string;
}

/** DPS never shows the certificate itself. */
export type LiveSlot = { name: SlotName } & ({ ca: string } | { certificate: CertificateInfo });

/** A device on record with DPS. */
export interface InventoryDevice {
  registrationId: string;
  deviceId: string;
  /** Key of the entry under which it is on record (`entryKey`). */
  entry: string;
  status: RegistrationRecord["status"];
  /** Host name; absent unless it is assigned. */
  assignedHub?: string;
  /** Last registration: ISO 8601. */
  lastRegistered?: string;
  /** Identities with its device ID, in every linked hub. */
  identities: (DeviceOfHub & { hub: string })[];
}

/**
 * @param options.issued rows of the manifest of issued leaves. Default: none
 * @param options.say is told, before the devices are read, how long that will take. Default: nobody
 * @throws what is no answer of a service; entries that cannot be listed
 */
export async function readInventory(
  connection: Connection,
  options: { issued?: readonly IssuedLeaf[]; say?: (text: string) => void } = {},
): Promise<Inventory> {
  const client = new EnrollmentsClient(connection);
  const leftOut: string[] = [];
  const read = async <T>(what: string, otherwise: T, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      leftOut.push(`${what}, because: ${error.message}`);
      return otherwise;
    }
  };
  const [individuals, groups, caCertificates, hubs, found] = await Promise.all([
    client.queryIndividuals(),
    client.queryGroups(),
    read("the CA certificates of the service", [], () =>
      new CaCertificatesClient(connection).list(),
    ),
    read("the linked hubs", [], () => linkedHubs(connection)),
    read("the tiers of the linked hubs", new Map<string, HubTier>(), () => hubTiers(connection)),
  ]);
  const entries = [...groups.map(groupOf), ...individuals.map(individualOf)];
  const counts = await Promise.all(
    hubs.map((hub) =>
      read(`the number of devices of hub ${hub}`, 0, () => new HubDevices(connection, hub).count()),
    ),
  );
  const tiers = Object.fromEntries(
    hubs.flatMap((hub) => {
      const tier = found.get(hub.toLowerCase());
      return tier === undefined ? [] : [[hub, tier] as const];
    }),
  );
  const time = readingTime(
    individuals.length,
    hubs.map((hub, index) => ({ hub, devices: counts[index]!, tier: tiers[hub] })),
  );
  if (time !== undefined) options.say?.(time);
  const records = await Promise.all(
    entries.map((entry) =>
      read(`the devices of ${nameOf(entry)}`, [], () => recordsOf(client, entry)),
    ),
  );
  const ids = records.flat().map(deviceIdOf);
  const places = new Map<string, DeviceOfHub & { hub: string }>();
  const byDevice = new Map<string, (DeviceOfHub & { hub: string })[]>();
  await Promise.all(
    hubs.map(async (hub) => {
      const nobody = { devices: [] as DeviceOfHub[] };
      const { devices } = await read(`the devices of hub ${hub}`, nobody, () =>
        new HubDevices(connection, hub).find(ids, Infinity),
      );
      for (const device of devices) {
        const identity = { ...device, hub };
        places.set(placeOf(hub, device.deviceId), identity);
        byDevice.set(device.deviceId, [...(byDevice.get(device.deviceId) ?? []), identity]);
      }
    }),
  );
  const issued = new Map((options.issued ?? []).map((row) => [row.leafSha256, row]));
  const facts = entries.map((entry, index) => {
    const assigned = records[index]!.filter(({ status }) => status === "assigned");
    const { key, kind, lastWritten } = entry;
    const written = lastWritten === undefined ? {} : { lastWritten };
    return [key, entryFacts(kind, { ...written, assigned }, places, issued)] as const;
  });
  return {
    readAt: targetNow().toISOString(),
    entries,
    caCertificates,
    hubs,
    tiers,
    devices: entries.flatMap((entry, index) =>
      records[index]!.map((record) => deviceOf(entry, record, byDevice)),
    ),
    facts: {
      entries: Object.fromEntries(facts),
      caCertificates: caCertificates.map(({ name, thumbprint, subject, isVerified }) => ({
        name,
        sha1Thumbprint: thumbprint,
        subject,
        isVerified,
      })),
      leftOut,
    },
    leftOut,
  };
}

function nameOf({ kind, id }: LiveEntry): string {
  return `${kind === "group" ? "enrollment group" : "individual enrollment"} "${id}"`;
}

async function recordsOf(
  client: EnrollmentsClient,
  { kind, id }: LiveEntry,
): Promise<RegistrationRecord[]> {
  if (kind === "group") return client.registrationsOfGroup(id);
  const record = await client.getRegistration(id);
  return record === undefined ? [] : [record];
}

function deviceIdOf({ deviceId, registrationId }: RegistrationRecord): string {
  return deviceId ?? registrationId;
}

function deviceOf(
  { key }: LiveEntry,
  record: RegistrationRecord,
  identities: ReadonlyMap<string, InventoryDevice["identities"]>,
): InventoryDevice {
  const { assignedHub, lastUpdatedDateTimeUtc, registrationId, status } = record;
  const deviceId = deviceIdOf(record);
  return {
    registrationId,
    deviceId,
    entry: key,
    status,
    ...(status === "assigned" && assignedHub !== undefined && { assignedHub }),
    ...(lastUpdatedDateTimeUtc !== undefined && { lastRegistered: lastUpdatedDateTimeUtc }),
    identities: identities.get(deviceId) ?? [],
  };
}

function groupOf(group: EnrollmentGroup): LiveEntry {
  return entryOf("group", group.enrollmentGroupId, group);
}

function individualOf(individual: IndividualEnrollment): LiveEntry {
  return entryOf("individual", individual.registrationId, individual);
}

function entryOf(
  kind: EntryKind,
  id: string,
  {
    attestation,
    lastUpdatedDateTimeUtc,
    provisioningStatus,
  }: Pick<EnrollmentGroup, "attestation" | "lastUpdatedDateTimeUtc" | "provisioningStatus">,
): LiveEntry {
  return {
    kind,
    id,
    key: entryKey(kind, id),
    enabled: provisioningStatus !== "disabled",
    slots: slotsOf(attestation),
    ...(lastUpdatedDateTimeUtc !== undefined && { lastWritten: lastUpdatedDateTimeUtc }),
  };
}

/* DPS shows a single certificate in both slots; it is one slot that is filled. */
function slotsOf({ x509 }: Attestation): LiveSlot[] {
  const { caReferences, clientCertificates, signingCertificates } = x509 ?? {};
  const certificates = clientCertificates ?? signingCertificates;
  const slots = (["primary", "secondary"] as const).flatMap((name): LiveSlot[] => {
    const ca = caReferences?.[name];
    const certificate = certificates?.[name]?.info;
    if (ca) return [{ name, ca }];
    return certificate === undefined ? [] : [{ name, certificate }];
  });
  const [primary, secondary] = slots;
  return primary !== undefined && secondary !== undefined && sameSlot(primary, secondary)
    ? [primary]
    : slots;
}

function sameSlot(one: LiveSlot, other: LiveSlot): boolean {
  if ("ca" in one || "ca" in other) return "ca" in one && "ca" in other && one.ca === other.ca;
  return one.certificate.sha256Thumbprint === other.certificate.sha256Thumbprint;
}
