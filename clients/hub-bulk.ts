/** The hub's bulk operation: up to 100 identities in a call, each with its own etag and outcome. */
import type { Registry } from "azure-iothub";
import { HubClient } from "./hub-client";
import type { ServiceError } from "./service-error";

/** Most identities in one call. */
const LARGEST = 100;

/** What became of each identity, by device ID. A `ServiceError`: refused for another reason. */
export type BulkOutcomes = Map<string, "written" | "overtaken" | "gone" | ServiceError>;

type Result = Registry.BulkRegistryOperationResult;

/**
 * The SDK's update and delete of one device always send `If-Match: *`, so all writes go through its
 * bulk operation, which sends the etag.
 */
export abstract class BulkHubClient extends HubClient {
  /**
   * `run` for all identities, in calls of 100. Throttled calls are repeated; an identity that the
   * throttled call had written already then comes out as overtaken.
   */
  protected async bulk(
    operation: string,
    devices: Registry.DeviceDescription[],
    run: (sdk: Registry, page: Registry.DeviceDescription[]) => Promise<{ responseBody: Result }>,
  ): Promise<BulkOutcomes> {
    const outcomes: BulkOutcomes = new Map();
    for (let from = 0; from < devices.length; from += LARGEST) {
      const page = devices.slice(from, from + LARGEST);
      const what = page.length === 1 ? `"${page[0]?.deviceId}"` : `${page.length} devices`;
      const result = await this.call(`${operation} ${what}`, async (sdk) => {
        const answer = await resultOf(() => run(sdk, page));
        const throttled = answer.errors?.find(({ errorCode }) => isThrottled(errorCode));
        if (throttled !== undefined) {
          throw this.fault(operation, throttled);
        }
        return answer;
      });
      for (const { deviceId } of page) {
        outcomes.set(deviceId, this.outcome(operation, deviceId, page.length, result));
      }
    }
    return outcomes;
  }

  private outcome(
    operation: string,
    deviceId: string,
    count: number,
    { isSuccessful, errors }: Result,
  ): "written" | "overtaken" | "gone" | ServiceError {
    const own = errors?.find((one) => one.deviceId === deviceId);
    // A failure that names no device is of all of them.
    const fault = own ?? (!isSuccessful && (count === 1 || !errors?.length) ? errors?.[0] : own);
    if (fault === undefined) {
      return isSuccessful || errors?.length
        ? "written"
        : this.error(`${operation} "${deviceId}"`, "BadRequest", "no reason given");
    }
    const code = String(fault.errorCode);
    if (/^412|PreconditionFailed|Etag/i.test(code)) return "overtaken";
    if (/^404|NotFound/i.test(code)) return "gone";
    return this.fault(`${operation} "${deviceId}"`, fault);
  }

  private fault(operation: string, { errorCode, errorStatus }: Result["errors"][number]) {
    const code = isThrottled(errorCode) ? "Throttled" : "BadRequest";
    const text = String(errorStatus ?? "no reason given");
    return this.error(operation, code, text, String(errorCode));
  }
}

/** An error name in the SDK's types; on the wire a name or a number. */
function isThrottled(errorCode: unknown): boolean {
  return /^429|Throttl/i.test(String(errorCode));
}

/** A bulk operation that failed may answer 400 with its result as the body. */
async function resultOf(run: () => Promise<{ responseBody: Result }>): Promise<Result> {
  try {
    return (await run()).responseBody;
  } catch (error) {
    const { response, responseBody } = error as {
      response?: { statusCode?: number };
      responseBody?: string;
    };
    if (response?.statusCode !== 400 || responseBody === undefined) {
      throw error;
    }
    let body: Partial<Result> | undefined;
    try {
      body = JSON.parse(responseBody) as typeof body;
    } catch {
      throw error;
    }
    if (!Array.isArray(body?.errors)) {
      throw error;
    }
    return { isSuccessful: false, errors: body.errors };
  }
}
