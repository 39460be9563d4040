/** Device identities and twins of a linked IoT hub, through Microsoft's service SDK. */
import type { Registry } from "azure-iothub";
import { call, find, type Pacing } from "./calls";
import {
  bulkForm,
  type HubIdentity,
  type HubTwin,
  includes,
  ownFields,
  summary,
  type WireIdentity,
} from "./hub-records";
import { credentialOf, hubKey, provisioningServices, resourceManagerAttempt } from "./credentials";
import { sdks } from "./sdks";
import { type Attempt, isServiceError, ServiceError } from "./service-error";
import { type Connection, perConnection } from "./target";

export type { HubIdentity, HubTwin } from "./hub-records";

/** How often a twin that somebody else keeps writing is merged again before giving up. */
const TWIN_ATTEMPTS = 5;

const registries = perConnection(async (connection, _environment, hubHostName) => {
  const { Registry: Client } = sdks.hub();
  return connection.auth === "keys"
    ? Client.fromConnectionString(await hubKey(connection, hubHostName))
    : Client.fromTokenCredential(hubHostName, credentialOf(connection));
});

/**
 * All methods throw `ServiceError`; "PreconditionFailed" when the etag is not the current one.
 * The SDK's update and delete of one device always send `If-Match: *`, so writes go through its bulk
 * operation, which sends the etag.
 */
export class HubRegistry {
  /** @param hubHostName as DPS names a linked hub; no port */
  constructor(
    private readonly connection: Connection,
    readonly hubHostName: string,
    private readonly pacing?: Pacing,
  ) {}

  async getIdentity(deviceId: string): Promise<HubIdentity | undefined> {
    const found = await this.read(deviceId);
    return found && summary(found);
  }

  async getTwin(deviceId: string): Promise<HubTwin | undefined> {
    const registry = await this.registry();
    const found = await find(
      this.attempt(`read the twin of device "${deviceId}"`),
      () => registry.getTwin(deviceId),
      this.pacing,
    );
    if (found === undefined) {
      return undefined;
    }
    const { etag, tags, properties } = found.responseBody as unknown as {
      etag: string;
      tags?: Record<string, unknown>;
      properties?: { desired?: Record<string, unknown> };
    };
    return { etag, tags: ownFields(tags), desired: ownFields(properties?.desired) };
  }

  /**
   * Disables exactly that version of the identity, which ends the device's connection. Everything
   * else of it stays. Returns the new version.
   */
  async disable(identity: HubIdentity): Promise<HubIdentity> {
    const operation = `disable device "${identity.deviceId}"`;
    const current = await this.current(operation, identity);
    await this.bulk(operation, identity.deviceId, async (registry) =>
      registry.updateDevices([{ ...bulkForm(current), status: "disabled" }], false),
    );
    const written = await this.getIdentity(identity.deviceId);
    // The bulk operation does not tell the new etag; what is read must still be what was written.
    const same =
      written?.status === "disabled" &&
      written.generationId === identity.generationId &&
      written.thumbprints.join() === identity.thumbprints.join();
    if (!same) {
      throw this.overtaken(operation);
    }
    return written;
  }

  /** Deletes exactly that version of the identity, its modules and its twin. */
  async remove(identity: HubIdentity): Promise<void> {
    const { deviceId, etag } = identity;
    await this.bulk(`delete device "${deviceId}"`, deviceId, async (registry) =>
      registry.removeDevices([{ deviceId, eTag: etag }], false),
    );
  }

  /**
   * Merges saved tags and desired properties into the twin: a saved field wins over one of the same
   * name, other fields stay. Writes nothing when all of it is there.
   */
  async restoreTwin(
    deviceId: string,
    saved: { tags: Record<string, unknown>; desired: Record<string, unknown> },
  ): Promise<void> {
    const operation = `restore the twin of device "${deviceId}"`;
    const registry = await this.registry();
    for (let tried = 1; ; tried += 1) {
      const live = await this.getTwin(deviceId);
      if (live === undefined) {
        throw this.error(operation, "NotFound", `there is no such device in ${this.hubHostName}`);
      }
      if (includes(live.tags, saved.tags) && includes(live.desired, saved.desired)) {
        return;
      }
      const patch = { tags: saved.tags, properties: { desired: saved.desired } };
      try {
        await call(
          this.attempt(operation),
          () => registry.updateTwin(deviceId, patch, live.etag),
          this.pacing,
        );
        return;
      } catch (error) {
        if (!isServiceError(error, "PreconditionFailed") || tried === TWIN_ATTEMPTS) {
          throw error;
        }
      }
    }
  }

  /** The stored identity with its authentication, if it still is the version that was read. */
  private async current(operation: string, { deviceId, etag }: HubIdentity): Promise<WireIdentity> {
    const current = await this.read(deviceId);
    if (current?.etag !== etag) {
      throw this.overtaken(operation);
    }
    return current;
  }

  private async read(deviceId: string): Promise<WireIdentity | undefined> {
    const registry = await this.registry();
    const found = await find(
      this.attempt(`read device "${deviceId}"`),
      () => registry.get(deviceId),
      this.pacing,
    );
    return found?.responseBody as unknown as WireIdentity | undefined;
  }

  /** Runs a bulk operation for one device and reads its result: a failure is no HTTP error. */
  private async bulk(
    operation: string,
    deviceId: string,
    run: (registry: Registry) => Promise<{ responseBody: Registry.BulkRegistryOperationResult }>,
  ): Promise<void> {
    const registry = await this.registry();
    const result = await call(
      this.attempt(operation),
      async () => {
        try {
          return (await run(registry)).responseBody;
        } catch (error) {
          return failedBulk(error);
        }
      },
      this.pacing,
    );
    if (result.isSuccessful) {
      return;
    }
    const fault = result.errors.find((one) => one.deviceId === deviceId) ?? result.errors[0];
    // An error name in the SDK's types; on the wire a name or a number.
    const code = String(fault?.errorCode);
    if (/^412|PreconditionFailed|Etag/i.test(code)) {
      throw this.overtaken(operation, code);
    }
    const status = fault?.errorStatus ?? "no reason given";
    if (/^404|NotFound/i.test(code)) {
      throw this.error(operation, "NotFound", status, code);
    }
    const throttled = /^429|Throttl/i.test(code);
    throw this.error(operation, throttled ? "Throttled" : "BadRequest", status, code);
  }

  private async registry(): Promise<Registry> {
    return registries(this.connection, this.hubHostName);
  }

  private attempt(operation: string): Attempt {
    const { connection, hubHostName } = this;
    return {
      operation: `${operation} of ${hubHostName}`,
      service: "hub",
      host: hubHostName,
      connection,
    };
  }

  private overtaken(operation: string, serviceCode?: string): ServiceError {
    const text = "it was changed since it was read, so read it again";
    return this.error(operation, "PreconditionFailed", text, serviceCode);
  }

  private error(
    operation: string,
    code: ServiceError["code"],
    text: string,
    serviceCode?: string,
  ): ServiceError {
    const answered = serviceCode === undefined ? "" : ` (${serviceCode})`;
    return new ServiceError(`Could not ${operation} of ${this.hubHostName}: ${text}${answered}.`, {
      code,
      operation,
      status: undefined,
      serviceCode,
    });
  }
}

/** Host names of the hubs that are linked to the DPS instance. */
export async function linkedHubs(connection: Connection, pacing?: Pacing): Promise<string[]> {
  const { service, resourceGroup } = connection;
  const found = await call(
    resourceManagerAttempt(connection, `read the linked hubs of DPS "${service}"`),
    () => provisioningServices(connection).iotDpsResource.get(service, resourceGroup),
    pacing,
  );
  return (found.properties.iotHubs ?? []).flatMap(({ name }) => (name ? [name] : []));
}

/** A bulk operation that failed may answer 400 with its result as the body. */
function failedBulk(error: unknown): Registry.BulkRegistryOperationResult {
  const { response, responseBody } = error as {
    response?: { statusCode?: number };
    responseBody?: string;
  };
  if (response?.statusCode === 400 && responseBody !== undefined) {
    let body: Partial<Registry.BulkRegistryOperationResult> | undefined;
    try {
      body = JSON.parse(responseBody) as typeof body;
    } catch {
      throw error;
    }
    if (Array.isArray(body?.errors)) {
      return { isSuccessful: false, errors: body.errors };
    }
  }
  throw error;
}
