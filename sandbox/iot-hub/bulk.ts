/**
 * POST /devices: up to 100 identities, each on its own terms.
 * Source: learn.microsoft.com/rest/api/iothub/service/bulk-registry/update-registry.
 */
import { HubFault, invalid } from "./faults";
import { checkDeviceId } from "./identity-body";
import type { Json } from "./records";
import type { DeviceRegistry } from "./registry";
import { partsOf, type Condition } from "./twin-record";
import { isObject } from "./twin-collection";

export interface BulkResult {
  isSuccessful: boolean;
  errors: BulkError[];
  warnings: [];
}

/** `errorCode` is a number, as recorded in the results of import jobs (azure-functions-host#1641). */
interface BulkError {
  deviceId: string;
  errorCode: number;
  errorStatus: string;
}

type Write = (registry: DeviceRegistry, deviceId: string, item: Json, etag: string) => void;

const MAX_ITEMS = 100;
const ANY: Condition = undefined;

/** By lower-case name. */
const MODES: Record<string, Write> = {
  create: (registry, deviceId, item) => void registry.create(deviceId, item, partsOf(item)),
  update: (registry, deviceId, item) => void registry.update(deviceId, item, ANY),
  updateifmatchetag: (registry, deviceId, item, etag) =>
    void registry.update(deviceId, item, required(etag)),
  createorupdate: (registry, deviceId, item) => createOrUpdate(registry, deviceId, item, ANY),
  createorupdateifmatchetag: (registry, deviceId, item, etag) =>
    createOrUpdate(registry, deviceId, item, required(etag)),
  delete: (registry, deviceId) => registry.delete(deviceId, ANY),
  deleteifmatchetag: (registry, deviceId, _item, etag) => registry.delete(deviceId, required(etag)),
  updatetwin: (registry, deviceId, item) => updateTwin(registry, deviceId, item, ANY),
  updatetwinifmatchetag: (registry, deviceId, item) => {
    const etag = item["twinETag"];
    updateTwin(registry, deviceId, item, required(typeof etag === "string" ? etag : ""));
  },
};

/** Does what it can; what it cannot is in `errors`. Throws `HubFault` for a body that is no list. */
export function bulk(registry: DeviceRegistry, body: unknown): BulkResult {
  const items = itemsOf(body);
  const ids = items.map((item) => String(item["id"]));
  const errors = items.flatMap((item, index): BulkError[] => {
    const deviceId = ids[index] ?? "";
    try {
      if (ids.indexOf(deviceId) !== ids.lastIndexOf(deviceId)) {
        throw new HubFault("DeviceDefinedMultipleTimes", "The device is in the list twice");
      }
      apply(registry, item);
      return [];
    } catch (error) {
      if (error instanceof HubFault) {
        return [{ deviceId, errorCode: error.number, errorStatus: error.message }];
      }
      throw error;
    }
  });
  return { isSuccessful: errors.length === 0, errors, warnings: [] };
}

function apply(registry: DeviceRegistry, item: Json): void {
  const deviceId = checkDeviceId(item["id"]);
  if (item["moduleId"] !== undefined && item["moduleId"] !== null) {
    throw invalid("The sandbox has no modules");
  }
  const mode = item["importMode"];
  const write = typeof mode === "string" ? MODES[mode.toLowerCase()] : undefined;
  if (write === undefined) {
    throw invalid(`The import mode ${JSON.stringify(mode)} is not known`);
  }
  const etag = item["eTag"] ?? item["etag"];
  write(registry, deviceId, item, typeof etag === "string" ? etag : "");
}

function createOrUpdate(
  registry: DeviceRegistry,
  deviceId: string,
  item: Json,
  etag: Condition,
): void {
  if (registry.find(deviceId) === undefined) {
    registry.create(deviceId, item, partsOf(item));
  } else {
    registry.update(deviceId, item, etag);
  }
}

/** not known: whether what the item does not name stays; assumed, as with PATCH. */
function updateTwin(registry: DeviceRegistry, deviceId: string, item: Json, etag: Condition): void {
  registry.patchTwin(deviceId, partsOf(item), etag);
}

function required(etag: string): string {
  if (etag === "") {
    throw invalid("The import mode needs an eTag");
  }
  return etag;
}

function itemsOf(body: unknown): Json[] {
  if (!Array.isArray(body) || body.length < 1 || body.length > MAX_ITEMS) {
    throw invalid(`A list of 1 to ${MAX_ITEMS} devices is expected`);
  }
  if (!body.every(isObject)) {
    throw invalid("Every entry of the list must be an object");
  }
  return body;
}
