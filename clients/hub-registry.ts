/** Device identities and twins of a linked IoT hub, through Microsoft's service SDK. */
import type { IncomingMessage } from "node:http";
import type { Registry } from "azure-iothub";
import { find } from "./calls";
import { type BulkOutcomes, BulkHubClient } from "./hub-bulk";
import {
  bulkForm,
  type HubDeviceTwin,
  type HubIdentity,
  selfSignedWith,
  summary,
  twinSummary,
  type WireIdentity,
  type WireTwin,
} from "./hub-records";
import { isServiceError } from "./service-error";
import { owedTo, type TwinParts } from "./twin-merge";

export { linkedHubs } from "./hub-client";
export type { BulkOutcomes } from "./hub-bulk";
export type { TwinParts } from "./twin-merge";
export {
  type HubDeviceTwin,
  type HubIdentity,
  type HubTwin,
  includes,
  nobodysThumbprint,
} from "./hub-records";

/** How often a twin that somebody else keeps writing is merged again before giving up. */
const TWIN_ATTEMPTS = 5;
/** Device IDs in one query. not known: how long a query may be; 50 of the longest IDs make 7 KB. */
const IDS_A_QUERY = 50;
const PAGE_SIZE = 100;
/** What this project writes as the reason of an identity that it has disabled, on the way out of the hub. */
const REASON = "dps-certificates: closed after a breach";

/** What was read with an identity and is needed to write it, keys included: never part of a state. */
const wires = new WeakMap<HubIdentity, WireIdentity>();

/** Disabled by this project, on the way to being removed or rekeyed; not by a person. */
export function isClosedByUs({ status, statusReason }: HubIdentity): boolean {
  return status === "disabled" && statusReason === REASON;
}

/** All methods throw `ServiceError`; "PreconditionFailed" when the etag is not the current one. */
export class HubRegistry extends BulkHubClient {
  async getIdentity(deviceId: string): Promise<HubIdentity | undefined> {
    const sdk = await this.sdk();
    const found = await find(
      this.attempt(`read device "${deviceId}"`),
      () => sdk.get(deviceId),
      this.pacing,
    );
    if (found === undefined) {
      return undefined;
    }
    const wire = found.responseBody as unknown as WireIdentity;
    const identity = summary(wire);
    wires.set(identity, wire);
    return identity;
  }

  async getTwin(deviceId: string): Promise<HubDeviceTwin | undefined> {
    const sdk = await this.sdk();
    const found = await find(
      this.attempt(`read the twin of device "${deviceId}"`),
      () => sdk.getTwin(deviceId),
      this.pacing,
    );
    return found && twinSummary(found.responseBody);
  }

  /**
   * Those of the devices that the hub has, by query: few calls for many devices. The hub's answer may
   * be some moments old, so nothing is written because of it.
   */
  async findDevices(deviceIds: readonly string[]): Promise<HubDeviceTwin[]> {
    const found: HubDeviceTwin[] = [];
    for (let from = 0; from < deviceIds.length; from += IDS_A_QUERY) {
      const ids = deviceIds.slice(from, from + IDS_A_QUERY).map(quoted);
      found.push(...(await this.query(`SELECT * FROM devices WHERE deviceId IN [${ids.join()}]`)));
    }
    return found;
  }

  /** Device IDs of the devices that connect through the Edge device with this scope. */
  async childrenOf(deviceScope: string): Promise<string[]> {
    const scope = quoted(deviceScope);
    const found = await this.query(
      `SELECT * FROM devices WHERE array_contains(parentScopes, ${scope})`,
    );
    return found.map(({ deviceId }) => deviceId);
  }

  /**
   * Disables exactly these versions, which ends the devices' connections. All else of them stays;
   * the reason says that it was this project (`isClosedByUs`).
   */
  async disableAll(identities: HubIdentity[], statusReason = REASON): Promise<BulkOutcomes> {
    const forms = await Promise.all(identities.map((identity) => this.form(identity)));
    const closed = { status: "disabled", statusReason };
    return this.update(
      "disable",
      forms.map((form) => ({ ...form, ...closed })),
    );
  }

  /**
   * Replaces how exactly these versions prove themselves, and disables them, which ends the devices'
   * connections. An identity that a person has disabled keeps that person's reason.
   * @param thumbprintsOf for each identity: of the primary and the secondary slot
   */
  async rekeyAll(
    identities: HubIdentity[],
    thumbprintsOf: (identity: HubIdentity) => string[],
  ): Promise<BulkOutcomes> {
    const forms = await Promise.all(identities.map((identity) => this.form(identity)));
    return this.update(
      "rekey",
      forms.map((form, index) => ({
        ...form,
        authentication: selfSignedWith(thumbprintsOf(identities[index]!)),
        ...(identities[index]?.status === "enabled" && {
          status: "disabled",
          statusReason: REASON,
        }),
      })),
    );
  }

  /** Enables exactly these versions, and takes the reason away. */
  async enableAll(identities: HubIdentity[]): Promise<BulkOutcomes> {
    const forms = await Promise.all(identities.map((identity) => this.form(identity)));
    return this.update(
      "enable",
      forms.map(({ statusReason: _reason, ...form }) => ({ ...form, status: "enabled" })),
    );
  }

  /** Deletes exactly these versions, their modules and twins. */
  async removeAll(identities: Pick<HubIdentity, "deviceId" | "etag">[]): Promise<BulkOutcomes> {
    const page = identities.map(({ deviceId, etag }) => ({ deviceId, eTag: etag }));
    return this.bulk("delete", page, async (sdk, some) => sdk.removeDevices(some, false));
  }

  /** As `disableAll`, of one identity; returns its new version. */
  async disable(identity: HubIdentity): Promise<HubIdentity> {
    const { deviceId } = identity;
    const operation = `disable device "${deviceId}"`;
    this.expectWritten(operation, (await this.disableAll([identity])).get(deviceId));
    const written = await this.getIdentity(deviceId);
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
  async remove(identity: Pick<HubIdentity, "deviceId" | "etag">): Promise<void> {
    const { deviceId } = identity;
    const outcomes = await this.removeAll([identity]);
    this.expectWritten(`delete device "${deviceId}"`, outcomes.get(deviceId));
  }

  /** Makes it an Edge device, or the child of the Edge device with this scope; all else stays. */
  async place(identity: HubIdentity, place: { isEdge?: true; parentScope?: string }) {
    const { deviceId, isEdge } = identity;
    const { parentScope } = place;
    const form = await this.form(identity);
    const edge = place.isEdge === true || isEdge;
    const outcomes = await this.update("place", [
      {
        ...form,
        ...(place.isEdge && { capabilities: { iotEdge: true } }),
        // An Edge device has a scope of its own; another one is given its parent's.
        ...(parentScope !== undefined &&
          (edge ? { parentScopes: [parentScope] } : { deviceScope: parentScope })),
      },
    ]);
    this.expectWritten(`place device "${deviceId}"`, outcomes.get(deviceId));
  }

  /**
   * Merges saved tags and desired properties into the twin: what is missing, and what an initial twin has set.
   * What somebody has written since stays. Writes nothing when nothing is owed, so it can be done again.
   * @param initials of the enrollments the device may have come in through; asked for when they matter
   * @returns paths of what was written since
   */
  async restoreTwin(
    deviceId: string,
    saved: TwinParts,
    initials: () => Promise<Partial<TwinParts>[]>,
  ): Promise<string[]> {
    const operation = `restore the twin of device "${deviceId}"`;
    for (let tried = 1; ; tried += 1) {
      const live = await this.getTwin(deviceId);
      if (live === undefined) {
        throw this.error(operation, "NotFound", `there is no such device in ${this.hubHostName}`);
      }
      const alone = owedTo(live, saved, []);
      const { due, isNothing, newer } =
        alone.newer.length === 0 ? alone : owedTo(live, saved, await initials());
      if (isNothing) {
        return newer;
      }
      const patch = { tags: due.tags, properties: { desired: due.desired } };
      try {
        await this.call(operation, (sdk) => sdk.updateTwin(deviceId, patch, live.etag));
        return newer;
      } catch (error) {
        if (!isServiceError(error, "PreconditionFailed") || tried === TWIN_ATTEMPTS) {
          throw error;
        }
      }
    }
  }

  private update(operation: string, devices: Registry.DeviceDescription[]): Promise<BulkOutcomes> {
    return this.bulk(operation, devices, async (sdk, some) => sdk.updateDevices(some, false));
  }

  private expectWritten(operation: string, outcome: ReturnType<BulkOutcomes["get"]>): void {
    if (outcome === "written") {
      return;
    }
    if (outcome === "gone" || outcome === undefined) {
      throw this.error(operation, "NotFound", "there is no such device");
    }
    throw outcome === "overtaken" ? this.overtaken(operation) : outcome;
  }

  /** The identity as it has to be sent, if it still is the version that was read. */
  private async form(identity: HubIdentity): Promise<Registry.DeviceDescription> {
    const wire = wires.get(identity);
    if (wire !== undefined) {
      return bulkForm(wire);
    }
    const current = await this.getIdentity(identity.deviceId);
    if (current?.etag !== identity.etag) {
      throw this.overtaken(`read device "${identity.deviceId}"`);
    }
    return bulkForm(wires.get(current)!);
  }

  /** The SDK's query forgets where it was, so each page is asked for by its continuation token. */
  private async query(text: string): Promise<HubDeviceTwin[]> {
    const found: HubDeviceTwin[] = [];
    let token: string | undefined;
    do {
      const from = token;
      const page: { result: WireTwin[]; message?: IncomingMessage } = await this.call(
        "query the devices",
        (sdk) =>
          // The SDK takes null as "from the start".
          sdk.createQuery(text, PAGE_SIZE).next((from ?? null) as string),
      );
      found.push(...page.result.map(twinSummary));
      const next = page.message?.headers["x-ms-continuation"];
      token = typeof next === "string" && next !== "" ? next : undefined;
    } while (token !== undefined);
    return found;
  }
}

/** As the hub's query language writes a text. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
