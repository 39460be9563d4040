/** Reads what the questions ask for, bounded, and says what it leaves out. */
import type { Declared } from "../../certificates/declared";
import type { Fault } from "../../certificates/faults";
import type { FleetFacts } from "../../certificates/fleet-facts";
import type { FleetQuestions } from "../../certificates/fleet-questions";
import type { IssuedLeaf } from "../../certificates/issued-leaves";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { EnrollmentsClient, type RegistrationRecord } from "../../clients/enrollments";
import { type DeviceOfHub, HubDevices, servicesSharing } from "../../clients/hub-devices";
import { linkedHubs } from "../../clients/hub-client";
import type { Connection } from "../../clients/target";
import { boundedReading, type Reading } from "./bounded";
import { type Devices, entryFacts, placeOf } from "./evidence";
import { readHubCas } from "./hubs";
import { joiningFaults } from "./joining";

/** How much is read. */
interface Bounds {
  /** Registration records of one group; DPS answers 100 a call, and takes 1,000 calls a minute. */
  records: number;
  /** Devices of one hub; it answers 1,000 a query, and an S1 unit takes 20 queries a minute. */
  devices: number;
  /** A read that takes longer is given up, milliseconds. */
  ms: number;
}

/** In a breach the replacement waits for it. */
const QUICK: Bounds = { records: 5000, devices: 10_000, ms: 30_000 };
/** At a retirement each device counts, and nothing is in a hurry. */
const THOROUGH: Bounds = { records: 50_000, devices: 20_000, ms: 180_000 };

type Asked = FleetQuestions["entries"][number];

/**
 * @param issued the manifest of issued leaves; empty: there is none
 * @throws what is no answer of a service; a service that refuses or is not there is said in `leftOut`.
 */
export async function readFleet(
  connection: Connection,
  questions: FleetQuestions,
  after: Declared,
  issued: readonly IssuedLeaf[],
): Promise<{ facts: FleetFacts; joining: Fault[] }> {
  const bounds = boundsOf(questions);
  const facts: FleetFacts = { entries: {}, leftOut: [] };
  const read = boundedReading(facts.leftOut, bounds.ms);
  const client = new EnrollmentsClient(connection);
  const [records, cas, others, hubCas, joining] = await Promise.all([
    Promise.all(
      questions.entries.map((asked) =>
        read(`the devices of ${nameOf(asked)}`, () => recordsOf(client, asked, bounds.records)),
      ),
    ),
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
    questions.hubCaCertificates ? readHubCas(connection, read) : undefined,
    joiningFaults(connection, after, questions.joining, read),
  ]);
  if (cas?.value !== undefined) {
    facts.caCertificates = cas.value.map(({ name, thumbprint, subject, isVerified }) => ({
      name,
      sha1Thumbprint: thumbprint,
      subject,
      isVerified,
    }));
  }
  if (others?.value !== undefined) facts.otherServices = others.value;
  if (hubCas !== undefined) facts.hubCaCertificates = hubCas;
  const assigned = records.flatMap(({ value }) => value?.assigned ?? []);
  const devices = await readDevices(connection, assigned, bounds.devices, read, facts.leftOut);
  const rows = new Map(issued.map((row) => [row.leafSha256, row]));
  questions.entries.forEach((asked, index) => {
    const { value = { assigned: [] }, problem } = records[index]!;
    const uncounted = problem ?? value.uncounted;
    // What no service answered was said above.
    if (value.uncounted !== undefined)
      facts.leftOut.push(`${nameOf(asked)} has ${value.uncounted}`);
    facts.entries[asked.key] = {
      ...entryFacts(asked.kind, value, devices, rows),
      ...(uncounted !== undefined && { uncounted }),
    };
  });
  return { facts, joining };
}

/* Other services are asked about in a breach only. */
function boundsOf({ entries, otherServices }: FleetQuestions): Bounds {
  const empties = entries.some(({ roll: { phase } }) => phase === "retire" || phase === "replace");
  return empties && !otherServices ? THOROUGH : QUICK;
}

function nameOf({ kind, id }: Asked): string {
  return `${kind === "group" ? "enrollment group" : "individual enrollment"} "${id}"`;
}

interface Records {
  lastWritten?: string;
  assigned: RegistrationRecord[];
  /** Why there may be more. */
  uncounted?: string;
}

async function recordsOf(
  client: EnrollmentsClient,
  { kind, id }: Asked,
  most: number,
): Promise<Records> {
  const [entry, found] = await (kind === "group"
    ? Promise.all([client.getGroup(id), client.registrationsOfGroup(id, most)])
    : Promise.all([
        client.getIndividual(id),
        client.getRegistration(id).then((one) => (one ? [one] : [])),
      ]));
  return {
    ...(entry?.lastUpdatedDateTimeUtc !== undefined && {
      lastWritten: entry.lastUpdatedDateTimeUtc,
    }),
    assigned: found.slice(0, most).filter(({ status }) => status === "assigned"),
    ...(found.length > most && {
      uncounted: `more than ${most} devices on record; the others are not counted`,
    }),
  };
}

async function readDevices(
  connection: Connection,
  records: RegistrationRecord[],
  most: number,
  read: Reading,
  leftOut: string[],
): Promise<Devices> {
  const byHub = new Map<string, string[]>();
  for (const { assignedHub, deviceId, registrationId } of records) {
    if (assignedHub === undefined) continue;
    byHub.set(assignedHub, [...(byHub.get(assignedHub) ?? []), deviceId ?? registrationId]);
  }
  const devices = new Map<string, DeviceOfHub>();
  await Promise.all(
    [...byHub].map(async ([hub, ids]) => {
      const { value: found } = await read(`the devices of hub ${hub}`, () =>
        new HubDevices(connection, hub).find(ids, most),
      );
      if (found?.isComplete === false) {
        leftOut.push(`hub ${hub} has more than ${most} devices; the others are not known`);
      }
      for (const device of found?.devices ?? []) devices.set(placeOf(hub, device.deviceId), device);
    }),
  );
  return devices;
}
