/** Devices that hold a leaf of the manifest now, whatever entry they came in through. */
import type { IssuedLeaf } from "../../certificates/issued-leaves";
import type { EnrollmentsClient } from "../../clients/enrollments";
import { HubRegistry, linkedHubs } from "../../clients/hub-registry";
import type { Connection } from "../../clients/target";
import { inSeries } from "./pacing";

export interface Holder {
  registrationId: string;
  deviceId: string;
}

/**
 * A device is looked for by the registration ID of its row, and where no hub has the leaf under that, by the
 * device ID of its DPS record: another device may have that ID.
 */
export async function holdersOf(
  connection: Connection,
  client: EnrollmentsClient,
  rows: readonly IssuedLeaf[],
): Promise<Holder[]> {
  if (rows.length === 0) {
    return [];
  }
  const hubs = await linkedHubs(connection);
  const leaves = new Map<string, Set<string>>();
  for (const { registrationId, leafSha256 } of rows) {
    leaves.set(registrationId, (leaves.get(registrationId) ?? new Set()).add(leafSha256));
  }
  const byDevice = new Map([...leaves.keys()].map((id) => [id, id]));
  const holders: Holder[] = [];
  const look = async (devices: Map<string, string>): Promise<Set<string>> => {
    const holding = new Set<string>();
    for (const hub of hubs) {
      const registry = new HubRegistry(connection, hub);
      for (const { deviceId, thumbprints } of await registry.findDevices([...devices.keys()])) {
        const own = leaves.get(devices.get(deviceId) ?? "");
        if (thumbprints.some((one) => own?.has(one))) holding.add(deviceId);
      }
    }
    for (const deviceId of holding) {
      holders.push({ registrationId: devices.get(deviceId) ?? deviceId, deviceId });
    }
    return holding;
  };
  const found = await look(byDevice);
  const renamed = new Map<string, string>();
  await inSeries(
    [...leaves.keys()].filter((id) => !found.has(id)),
    async (id) => {
      const { deviceId = id } = (await client.getRegistration(id)) ?? {};
      if (deviceId !== id) renamed.set(deviceId, id);
    },
  );
  await look(renamed);
  return holders;
}
