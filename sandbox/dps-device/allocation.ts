/** To which linked hub a device goes. Pure. */
import { createHash } from "node:crypto";
import type { LinkedHub, ProvisioningServiceRecord } from "../common/model";
import type { EntrySettings } from "../dps-service/records";

/** No hub can be chosen; `message` goes into the registration record. */
export class AllocationError extends Error {
  constructor(
    readonly errorCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** not known: code and text when no linked hub may be used. */
const NO_HUB_CODE = 400208;
/** Not a code of Azure: the sandbox calls no webhooks. */
const NOT_WRITTEN_CODE = 501000;

/**
 * The hub of a registration. Source: learn.microsoft.com/azure/iot-dps/how-to-use-allocation-policies.
 *
 * @throws AllocationError
 */
export function allocate(
  service: ProvisioningServiceRecord,
  entry: EntrySettings,
  registrationId: string,
): LinkedHub {
  if (entry.allocationPolicy === "custom") {
    throw new AllocationError(
      NOT_WRITTEN_CODE,
      "The sandbox does not have this operation: custom allocation.",
    );
  }
  const allowed = allowedHubs(service, entry);
  const first = allowed[0];
  if (first === undefined) {
    throw new AllocationError(NO_HUB_CODE, "There is no linked IoT hub to assign the device to.");
  }
  const policy = (entry.allocationPolicy ?? service.allocationPolicy).toLowerCase();
  if (policy === "static") {
    return first;
  }
  const byName = [...allowed].sort((a, b) =>
    a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1,
  );
  // Assumed: there is no latency to measure here, so the lowest name stands for the nearest hub.
  return policy === "geolatency" ? byName[0]! : byWeight(byName, registrationId);
}

/** In the entry's order where it names hubs, else in the order in which they are linked. */
function allowedHubs(service: ProvisioningServiceRecord, entry: EntrySettings): LinkedHub[] {
  const find = (name: string) =>
    service.linkedHubs.filter((hub) => hub.name.toLowerCase() === name.toLowerCase());
  if (entry.iotHubHostName !== undefined) {
    return find(entry.iotHubHostName);
  }
  if (entry.iotHubs !== undefined && entry.iotHubs.length > 0) {
    return entry.iotHubs.flatMap(find);
  }
  return service.linkedHubs.filter(({ applyAllocationPolicy }) => applyAllocationPolicy !== false);
}

/** Evenly by hash of the registration ID, in proportion to the weights; stable for one set of hubs. */
function byWeight(hubs: LinkedHub[], registrationId: string): LinkedHub {
  const weights = hubs.map(({ allocationWeight }) => allocationWeight ?? 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const digest = createHash("sha256").update(registrationId.toLowerCase()).digest();
  let point = (digest.readUInt32BE(0) / 2 ** 32) * total;
  for (const [at, weight] of weights.entries()) {
    point -= weight;
    if (point < 0) {
      return hubs[at]!;
    }
  }
  // All weights are zero.
  return hubs[0]!;
}
