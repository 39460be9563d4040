/** What a registration record and a hub identity prove of the certificate that a device has. */
import type { DeviceFact, EntryFacts } from "../../certificates/fleet-facts";
import type { IssuedLeaf } from "../../certificates/issued-leaves";
import type { EntryKind } from "../../certificates/slots";
import { foldCase } from "../../certificates/text";
import type { RegistrationRecord } from "../../clients/enrollments";
import type { DeviceOfHub } from "../../clients/hub-devices";

/** By `placeOf`. */
export type Devices = ReadonlyMap<string, DeviceOfHub>;

export function placeOf(hub: string, deviceId: string): string {
  return `${hub}/${deviceId}`;
}

/**
 * @param assigned registrations of the entry that are assigned to a hub
 * @param issued rows of the manifest of issued leaves, by the leaf's SHA-256
 */
export function entryFacts(
  kind: EntryKind,
  { lastWritten, assigned }: { lastWritten?: string; assigned: RegistrationRecord[] },
  devices: Devices,
  issued: ReadonlyMap<string, IssuedLeaf>,
): EntryFacts {
  const facts: EntryFacts = {
    devices: [],
    ...(lastWritten !== undefined && { lastWritten }),
    withSasKey: [],
    edge: [],
    children: [],
  };
  for (const { assignedHub = "", deviceId, registrationId } of assigned) {
    const id = deviceId ?? registrationId;
    const device = devices.get(placeOf(assignedHub, id));
    const leaf = device?.thumbprints.find((thumbprint) => thumbprint.length === 64);
    const issuer =
      kind === "group" && leaf !== undefined
        ? issuerOf(leaf, registrationId, device, issued.get(leaf))
        : undefined;
    facts.devices.push({
      deviceId: id,
      hub: assignedHub,
      ...(leaf !== undefined && { leaf }),
      ...(issuer !== undefined && { issuer }),
    });
    if (device?.authenticationType === "sas") facts.withSasKey.push(id);
    if (device?.isEdge === true) facts.edge.push(id);
    if (device?.isChild === true) facts.children.push(id);
  }
  return facts;
}

/* Of another device's leaf, and of a leaf that the hub does not have, nothing is believed. */
function issuerOf(
  leaf: string,
  registrationId: string,
  device: DeviceOfHub | undefined,
  row: IssuedLeaf | undefined,
): DeviceFact["issuer"] {
  if (row !== undefined && foldCase(row.registrationId) === foldCase(registrationId)) {
    return { thumbprint: row.issuerThumbprint, by: "manifest" };
  }
  const { reported } = device ?? {};
  return reported?.leafSha256 === leaf
    ? { thumbprint: reported.issuerSha256, by: "report" }
    : undefined;
}
