/** What the linked hubs have: how many devices, and CA certificates of their own. */
import type { HubCaFact, HubCounts } from "../../certificates/fleet-facts";
import { uploadedCertificate } from "../../certificates/uploaded";
import { hubCaCertificates } from "../../clients/hub-ca-certificates";
import { linkedHubs } from "../../clients/hub-client";
import { HubDevices } from "../../clients/hub-devices";
import { hubPlace } from "../../clients/hub-place";
import type { Connection } from "../../clients/target";
import { boundedReading, type Reading } from "./bounded";

/** A hub that does not answer is given up then, milliseconds. */
const LONGEST_MS = 30_000;

/** Counts the devices of every linked hub. */
export async function countHubs(connection: Connection): Promise<HubCounts> {
  const leftOut: string[] = [];
  const read = boundedReading(leftOut, LONGEST_MS);
  const { value: hubs = [] } = await read("the linked hubs", () => linkedHubs(connection));
  const counts = await Promise.all(
    hubs.map((host) =>
      read(`the devices of hub ${host}`, async () => {
        const { name } = await hubPlace(connection, host, `look for hub ${host}`);
        return { name, devices: await new HubDevices(connection, host).count() };
      }),
    ),
  );
  return { hubs: counts.flatMap(({ value }) => value ?? []), leftOut };
}

/** Undefined: it is not known which hubs are linked. A hub that did not answer is left out. */
export async function readHubCas(
  connection: Connection,
  read: Reading,
): Promise<HubCaFact[] | undefined> {
  const { value: hubs } = await read("the CA certificates of the linked hubs", () =>
    linkedHubs(connection),
  );
  if (hubs === undefined) return undefined;
  const lists = await Promise.all(
    hubs.map(async (hub) => {
      const { value: found } = await read(`the CA certificates of hub ${hub}`, () =>
        hubCaCertificates(connection, hub),
      );
      return (found ?? []).map(({ name, thumbprint, certificate }): HubCaFact => {
        const known = certificate === undefined ? undefined : uploadedCertificate(certificate);
        return { hub, name, sha1Thumbprint: thumbprint, ...(known && { certificate: known }) };
      });
    }),
  );
  return lists.flat();
}
