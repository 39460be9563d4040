/** Reads what the questions ask for, bounded, and says what it leaves out. */
import { setTimeout as delay } from "node:timers/promises";
import type { EntryFacts, FleetFacts } from "../../certificates/fleet-facts";
import type { FleetQuestions } from "../../certificates/fleet-questions";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { EnrollmentsClient, type RegistrationRecord } from "../../clients/enrollments";
import { type DeviceOfHub, HubDevices, servicesSharing } from "../../clients/hub-devices";
import { linkedHubs } from "../../clients/hub-client";
import { ServiceError } from "../../clients/service-error";
import type { Connection } from "../../clients/target";

/** Registration records that are read of one group: 50 pages. */
const MOST_RECORDS = 5000;
/** Devices that are read of one hub: 10 queries, of the 20 a minute that an S1 unit allows. */
const MOST_DEVICES = 10_000;

/** A read that takes longer is given up, milliseconds: in a breach the replacement waits for it. */
const LONGEST_MS = 30_000;

type Asked = FleetQuestions["entries"][number];

/** @throws what is no answer of a service; a service that refuses or is not there is said in `leftOut`. */
export async function readFleet(
  connection: Connection,
  questions: FleetQuestions,
): Promise<FleetFacts> {
  const facts: FleetFacts = { entries: {}, leftOut: [] };
  const read = async <T>(what: string, run: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await within(LONGEST_MS, run());
    } catch (error) {
      if (error instanceof TooLate) {
        facts.leftOut.push(`${what}, because there was no answer within ${LONGEST_MS / 1000} s`);
        return undefined;
      }
      if (!(error instanceof ServiceError)) throw error;
      facts.leftOut.push(`${what}, because: ${error.message}`);
      return undefined;
    }
  };
  const client = new EnrollmentsClient(connection);
  const readEntry = (asked: Asked) =>
    read(
      `the devices of ${asked.kind === "group" ? "enrollment group" : "individual enrollment"} "${asked.id}"`,
      () => recordsOf(client, asked, facts.leftOut),
    );
  const [records, cas, others] = await Promise.all([
    Promise.all(questions.entries.map(readEntry)),
    questions.caCertificates
      ? read("the CA certificates of the service", () =>
          new CaCertificatesClient(connection).list(),
        )
      : undefined,
    questions.otherServices
      ? read("other DPS instances that are linked to the same hubs", async () =>
          servicesSharing(connection, await linkedHubs(connection)),
        )
      : undefined,
  ]);
  if (cas !== undefined) {
    facts.caCertificates = cas.map(({ name, thumbprint, isVerified }) => ({
      name,
      sha1Thumbprint: thumbprint,
      isVerified,
    }));
  }
  if (others !== undefined) facts.otherServices = others;
  const devices = await readDevices(
    connection,
    records.flatMap((each) => each?.assigned ?? []),
    {
      read,
      leftOut: facts.leftOut,
    },
  );
  questions.entries.forEach((asked, index) => {
    const found = records[index];
    if (found !== undefined) facts.entries[asked.key] = factsOf(asked, found, devices);
  });
  return facts;
}

class TooLate extends Error {}

async function within<T>(ms: number, run: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = delay(ms, undefined, { signal: over.signal }).then(() => {
    throw new TooLate();
  });
  try {
    return await Promise.race([run, late]);
  } finally {
    over.abort();
    for (const each of [run, late]) each.catch(() => undefined);
  }
}

interface Records {
  lastWritten?: string;
  /** Registrations that are assigned to a hub. */
  assigned: RegistrationRecord[];
}

async function recordsOf(
  client: EnrollmentsClient,
  { kind, id }: Asked,
  leftOut: string[],
): Promise<Records> {
  const [entry, found] = await (kind === "group"
    ? Promise.all([client.getGroup(id), client.registrationsOfGroup(id, MOST_RECORDS)])
    : Promise.all([
        client.getIndividual(id),
        client.getRegistration(id).then((one) => (one ? [one] : [])),
      ]));
  if (found.length > MOST_RECORDS) {
    leftOut.push(
      `enrollment group "${id}" has more than ${MOST_RECORDS} devices on record; the others are not counted`,
    );
  }
  return {
    ...(entry?.lastUpdatedDateTimeUtc !== undefined && {
      lastWritten: entry.lastUpdatedDateTimeUtc,
    }),
    assigned: found.slice(0, MOST_RECORDS).filter(({ status }) => status === "assigned"),
  };
}

/** By hub and device ID. */
type Devices = Map<string, DeviceOfHub>;

async function readDevices(
  connection: Connection,
  records: RegistrationRecord[],
  {
    read,
    leftOut,
  }: {
    read: <T>(what: string, run: () => Promise<T>) => Promise<T | undefined>;
    leftOut: string[];
  },
): Promise<Devices> {
  const byHub = new Map<string, string[]>();
  for (const { assignedHub, deviceId, registrationId } of records) {
    if (assignedHub === undefined) continue;
    byHub.set(assignedHub, [...(byHub.get(assignedHub) ?? []), deviceId ?? registrationId]);
  }
  const devices: Devices = new Map();
  await Promise.all(
    [...byHub].map(async ([hub, ids]) => {
      const found = await read(`the devices of hub ${hub}`, () =>
        new HubDevices(connection, hub).find(ids, MOST_DEVICES),
      );
      if (found?.isComplete === false) {
        leftOut.push(`hub ${hub} has more than ${MOST_DEVICES} devices; the others are not known`);
      }
      for (const device of found?.devices ?? []) devices.set(placeOf(hub, device.deviceId), device);
    }),
  );
  return devices;
}

function placeOf(hub: string, deviceId: string): string {
  return `${hub}/${deviceId}`;
}

function factsOf(
  { kind }: Asked,
  { lastWritten, assigned }: Records,
  devices: Devices,
): EntryFacts {
  const facts: EntryFacts = {
    onRecord: assigned.length,
    leaves: {},
    issuers: {},
    notKnown: 0,
    ...(lastWritten !== undefined && { lastWritten }),
    withSasKey: [],
    edge: [],
    children: [],
  };
  for (const { assignedHub, deviceId, registrationId } of assigned) {
    const id = deviceId ?? registrationId;
    const device = devices.get(placeOf(assignedHub ?? "", id));
    const leaf = device?.thumbprints.find((thumbprint) => thumbprint.length === 64);
    const reported = device?.reported;
    if (kind === "group" && reported !== undefined && reported.leafSha256 === leaf) {
      count(facts.issuers, reported.issuerSha256);
    } else if (leaf !== undefined) count(facts.leaves, leaf);
    else facts.notKnown += 1;
    if (device?.authenticationType === "sas") facts.withSasKey.push(id);
    if (device?.isEdge === true) facts.edge.push(id);
    if (device?.isChild === true) facts.children.push(id);
  }
  return facts;
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
