/** The identity registry and the twins of one hub: every write to a device goes through here. */
import type { HubAssignment, Sandbox } from "../common/model";
import { connectionsOf, type HubConnections } from "./connections";
import { deviceAlreadyExists, deviceNotFound, preconditionFailed } from "./faults";
import { checkDeviceId, readIdentity, selfSigned, type IdentityInput } from "./identity-body";
import {
  ASSIGNMENT_ENABLES,
  ASSIGNMENT_WRITES_BOTH_SLOTS,
  REPLACE_EMPTIES_MISSING_PARTS,
  RESET_CLEARS_REPORTED,
} from "./not-known";
import {
  Devices,
  hubDate,
  NEVER,
  newGenerationId,
  newIdentityEtag,
  twinEtag,
  type DeviceRecord,
  type Json,
} from "./records";
import {
  difference,
  emptyCollection,
  isObject,
  merged,
  patched,
  readPart,
  TAGS_BYTES,
} from "./twin-collection";

/** The back end's parts of a twin; a part that is missing is not written. */
export interface TwinParts {
  tags?: Json;
  desired?: Json;
}

/** Etag as a header or a body has it; undefined: the write has no condition. */
export type Condition = string | undefined;

/** Methods throw `HubFault`. They are synchronous, and so is the store: each one is atomic. */
export class DeviceRegistry {
  readonly connections: HubConnections;
  private readonly devices: Devices;

  constructor(
    private readonly sandbox: Sandbox,
    hubName: string,
  ) {
    this.devices = new Devices(sandbox, hubName);
    this.connections = connectionsOf(sandbox, hubName);
  }

  find(deviceId: string): DeviceRecord | undefined {
    return this.devices.get(deviceId);
  }

  get(deviceId: string): DeviceRecord {
    const record = this.devices.get(deviceId);
    if (record === undefined) {
      throw deviceNotFound();
    }
    return record;
  }

  /** In the order of their IDs. */
  list(): DeviceRecord[] {
    return this.devices.list();
  }

  /** Throws "DeviceAlreadyExists". */
  create(deviceId: string, body: Json, twin: TwinParts = {}): DeviceRecord {
    checkDeviceId(deviceId);
    const input = readIdentity(body);
    if (this.devices.get(deviceId) !== undefined) {
      throw deviceAlreadyExists();
    }
    return this.add(deviceId, input, twin);
  }

  /** Replaces the identity; keys, twin and generation stay as they are where they are not written. */
  update(deviceId: string, body: Json, ifMatch: Condition): DeviceRecord {
    const before = this.get(deviceId);
    this.checkEtag(before.etag, ifMatch);
    return this.rewrite(before, readIdentity(body));
  }

  /** Deletes identity and twin, and ends the device's connection. */
  delete(deviceId: string, ifMatch: Condition): void {
    this.checkEtag(this.get(deviceId).etag, ifMatch);
    this.devices.delete(deviceId);
    this.connections.end(deviceId, true);
  }

  /** Creates the identity or rewrites its thumbprints, as DPS does at every registration. */
  assign({ deviceId, thumbprint, initialTwin, capabilities }: HubAssignment, reset: boolean): void {
    checkDeviceId(deviceId);
    const secondary = ASSIGNMENT_WRITES_BOTH_SLOTS ? thumbprint : null;
    const authentication = selfSigned(thumbprint.toUpperCase(), secondary?.toUpperCase() ?? null);
    const twin = partsOf(initialTwin);
    const before = this.devices.get(deviceId);
    if (before === undefined) {
      const capability = { iotEdge: capabilities?.iotEdge ?? false };
      const input = { ...readIdentity({}), authentication, capabilities: capability };
      this.add(deviceId, input, twin);
      return;
    }
    const status = ASSIGNMENT_ENABLES ? "enabled" : before.status;
    this.rewrite(before, { ...before, authentication, status });
    if (reset) {
      this.reset(deviceId, twin);
    }
  }

  /** Merges a patch into tags and desired properties; tells a connected device. */
  patchTwin(deviceId: string, patch: TwinParts, ifMatch: Condition): DeviceRecord {
    const before = this.get(deviceId);
    this.checkEtag(twinEtag(before.twinEtag), ifMatch);
    return this.writeTwin(before, patch);
  }

  /** Puts tags and desired properties in place of those that are there. */
  replaceTwin(deviceId: string, parts: TwinParts, ifMatch: Condition): DeviceRecord {
    const before = this.get(deviceId);
    this.checkEtag(twinEtag(before.twinEtag), ifMatch);
    const whole = REPLACE_EMPTIES_MISSING_PARTS ? { tags: {}, desired: {}, ...parts } : parts;
    return this.writeTwin(before, {
      ...(whole.tags && { tags: difference(before.tags, whole.tags) }),
      ...(whole.desired && { desired: difference(before.desired.values, whole.desired) }),
    });
  }

  /** A patch that the device sent. `version`: the one it started from; undefined: any. */
  reportTwin(deviceId: string, patch: unknown, version: number | undefined): DeviceRecord {
    const before = this.get(deviceId);
    if (version !== undefined && version !== before.reported.version) {
      throw preconditionFailed();
    }
    const name = "properties.reported";
    const options = { name, now: this.sandbox.clock.now(), versioned: false };
    return this.devices.put({
      ...before,
      reported: patched(before.reported, readPart(patch, name), options),
      version: before.version + 1,
    });
  }

  /** Notes that the device did something; a change of its connection has a time of its own. */
  noteActivity(deviceId: string, connectionChanged: boolean): void {
    const before = this.devices.get(deviceId);
    if (before !== undefined) {
      const lastActivityTime = hubDate(this.sandbox.clock.now());
      const change = connectionChanged ? { connectionStateUpdatedTime: lastActivityTime } : {};
      this.devices.put({ ...before, lastActivityTime, ...change });
    }
  }

  private add(deviceId: string, input: IdentityInput, twin: TwinParts): DeviceRecord {
    const now = this.sandbox.clock.now();
    const desired = twin.desired ?? {};
    const empty = emptyCollection(now);
    const options = { name: "properties.desired", now, versioned: true };
    return this.devices.put({
      deviceId,
      generationId: newGenerationId(),
      etag: newIdentityEtag(),
      statusUpdatedTime: NEVER,
      connectionStateUpdatedTime: NEVER,
      lastActivityTime: NEVER,
      ...input,
      tags: merged({}, twin.tags ?? {}, "tags", TAGS_BYTES),
      desired:
        twin.desired === undefined
          ? empty
          : { ...patched({ ...empty, version: 0 }, desired, options), version: 1 },
      reported: empty,
      version: twin.tags === undefined && twin.desired === undefined ? 1 : 2,
      twinEtag: 1,
    });
  }

  private rewrite(before: DeviceRecord, input: IdentityInput): DeviceRecord {
    const written = { ...before, ...input };
    if (input.deviceScope === undefined) {
      delete written.deviceScope;
    }
    if (input.status !== before.status) {
      written.statusUpdatedTime = hubDate(this.sandbox.clock.now());
    }
    const after = this.devices.put({ ...written, etag: newIdentityEtag() });
    // Only this ends a live connection; a new thumbprint counts at the next one.
    if (after.status === "disabled") {
      this.connections.end(after.deviceId, false);
    }
    return after;
  }

  private reset(deviceId: string, twin: TwinParts): void {
    const record = this.replaceTwin(deviceId, { tags: {}, desired: {}, ...twin }, undefined);
    if (RESET_CLEARS_REPORTED) {
      const name = "properties.reported";
      const options = { name, now: this.sandbox.clock.now(), versioned: false };
      const patch = difference(record.reported.values, {});
      const reported = patched(record.reported, patch, options);
      this.devices.put({ ...record, reported, version: record.version + 1 });
    }
  }

  private writeTwin(before: DeviceRecord, patch: TwinParts): DeviceRecord {
    const { tags, desired } = patch;
    const options = { name: "properties.desired", now: this.sandbox.clock.now(), versioned: true };
    const after = this.devices.put({
      ...before,
      ...(tags && { tags: merged(before.tags, tags, "tags", TAGS_BYTES) }),
      ...(desired && { desired: patched(before.desired, desired, options) }),
      version: before.version + 1,
      twinEtag: before.twinEtag + 1,
    });
    if (desired !== undefined) {
      const { version } = after.desired;
      this.connections.publish(
        after.deviceId,
        `$iothub/twin/PATCH/properties/desired/?$version=${version}`,
        { ...desired, $version: version },
      );
    }
    return after;
  }

  private checkEtag(current: string, ifMatch: Condition): void {
    if (ifMatch !== undefined && !["*", current].includes(unquoted(ifMatch))) {
      throw preconditionFailed();
    }
  }
}

/** The back end's parts in a twin document. Throws `HubFault`. */
export function partsOf(document: unknown): TwinParts {
  const { tags, properties } = isObject(document) ? document : {};
  const desired = isObject(properties) ? properties["desired"] : undefined;
  return {
    ...(tags === undefined || tags === null ? {} : { tags: readPart(tags, "tags") }),
    ...(desired === undefined || desired === null
      ? {}
      : { desired: readPart(desired, "properties.desired") }),
  };
}

/** Microsoft's SDKs send etags with and without quotes, "*" too. */
function unquoted(etag: string): string {
  return /^"(.*)"$/.exec(etag)?.[1] ?? etag;
}
