/** The identity registry and the twins of one hub: every write to a device goes through here. */
import type { AssignedAuthentication, HubAssignment, Sandbox } from "../common/model";
import { connectionsOf, type HubConnections } from "./connections";
import { deviceAlreadyExists, deviceNotFound, preconditionFailed } from "./faults";
import { ModuleRegistry } from "./modules";
import { checkDeviceId, readIdentity, sas, selfSigned, type IdentityInput } from "./identity-body";
import { FILLS_PARENT_SCOPES } from "./not-known";
import {
  Devices,
  hubDate,
  NEVER,
  newGenerationId,
  newIdentityEtag,
  type Authentication,
  type DeviceRecord,
  type Json,
} from "./records";
import { difference, patched, readPart } from "./twin-collection";
import {
  checkEtag,
  checkTwinEtag,
  newTwin,
  partsOf,
  patchedTwin,
  replacement,
  type Condition,
  type TwinParts,
} from "./twin-record";

/** Methods throw `HubFault`. They are synchronous, and so is the store: each one is atomic. */
export class DeviceRegistry {
  readonly connections: HubConnections;
  readonly modules: ModuleRegistry;
  private readonly devices: Devices;

  constructor(
    private readonly sandbox: Sandbox,
    hubName: string,
  ) {
    this.devices = new Devices(sandbox, hubName);
    this.modules = new ModuleRegistry(sandbox, hubName);
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
    checkEtag(before.etag, ifMatch);
    return this.rewrite(before, readIdentity(body));
  }

  /** Deletes identity, modules and twins, and ends the device's connection. */
  delete(deviceId: string, ifMatch: Condition): void {
    checkEtag(this.get(deviceId).etag, ifMatch);
    this.sandbox.atomically(() => {
      this.modules.deleteAll(deviceId);
      this.devices.delete(deviceId);
    });
    this.connections.end(deviceId, true);
  }

  /** Creates the identity or rewrites its authentication, as DPS does at every registration. */
  assign(assignment: HubAssignment, reset: boolean): void {
    const { deviceId, initialTwin, capabilities } = assignment;
    checkDeviceId(deviceId);
    const authentication = this.assigned(assignment.authentication);
    const twin = partsOf(initialTwin);
    const before = this.devices.get(deviceId);
    if (before === undefined) {
      const capability = { iotEdge: capabilities?.iotEdge ?? false };
      const input = { ...readIdentity({}), authentication, capabilities: capability };
      this.add(deviceId, input, twin);
      return;
    }
    const status = this.sandbox.switches.assignmentEnables ? "enabled" : before.status;
    this.rewrite(before, { ...before, authentication, status });
    if (reset) {
      this.reset(deviceId, twin);
    }
  }

  private assigned(authentication: AssignedAuthentication): Authentication {
    if (authentication.type === "sas") {
      const { primaryKey, secondaryKey } = authentication;
      return sas(primaryKey, secondaryKey);
    }
    const thumbprint = authentication.thumbprint.toUpperCase();
    return selfSigned(thumbprint, this.sandbox.switches.bothThumbprintsWritten ? thumbprint : null);
  }

  /** Merges a patch into tags and desired properties; tells a connected device. */
  patchTwin(deviceId: string, patch: TwinParts, ifMatch: Condition): DeviceRecord {
    const before = this.get(deviceId);
    checkTwinEtag(before, ifMatch);
    return this.writeTwin(before, patch);
  }

  /** Puts tags and desired properties in place of those that are there. */
  replaceTwin(deviceId: string, parts: TwinParts, ifMatch: Condition): DeviceRecord {
    const before = this.get(deviceId);
    checkTwinEtag(before, ifMatch);
    return this.writeTwin(before, replacement(before, parts, this.sandbox.switches));
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
    const generationId = newGenerationId();
    return this.put({
      deviceId,
      generationId,
      etag: newIdentityEtag(),
      statusUpdatedTime: NEVER,
      connectionStateUpdatedTime: NEVER,
      lastActivityTime: NEVER,
      ...input,
      ...scopes({ ...input, deviceId, generationId }),
      ...newTwin(twin, this.sandbox.clock.now()),
    });
  }

  /** The identity, with the modules that an Edge device has by itself. */
  private put(record: DeviceRecord): DeviceRecord {
    return this.sandbox.atomically(() => {
      if (record.capabilities.iotEdge) this.modules.addSystemModules(record.deviceId);
      return this.devices.put(record);
    });
  }

  private rewrite(before: DeviceRecord, input: IdentityInput): DeviceRecord {
    const written = { ...before, ...input };
    if (input.deviceScope === undefined) {
      delete written.deviceScope;
    }
    Object.assign(written, scopes(written));
    if (input.status !== before.status) {
      written.statusUpdatedTime = hubDate(this.sandbox.clock.now());
    }
    const after = this.put({ ...written, etag: newIdentityEtag() });
    // Only this ends a live connection; a new thumbprint counts at the next one.
    if (after.status === "disabled") {
      this.connections.end(after.deviceId, false);
    }
    return after;
  }

  private reset(deviceId: string, twin: TwinParts): void {
    const record = this.replaceTwin(deviceId, { tags: {}, desired: {}, ...twin }, undefined);
    if (this.sandbox.switches.resetClearsReported) {
      const name = "properties.reported";
      const options = { name, now: this.sandbox.clock.now(), versioned: false };
      const patch = difference(record.reported.values, {});
      const reported = patched(record.reported, patch, options);
      this.devices.put({ ...record, reported, version: record.version + 1 });
    }
  }

  private writeTwin(before: DeviceRecord, patch: TwinParts): DeviceRecord {
    const { desired } = patch;
    const after = this.devices.put(patchedTwin(before, patch, this.sandbox.clock.now()));
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
}

/**
 * Of an Edge device its own scope, which the hub makes; another device's parent is the Edge device
 * whose scope it was given.
 */
function scopes(
  device: Pick<DeviceRecord, "deviceId" | "generationId" | "capabilities" | "parentScopes"> & {
    deviceScope?: string;
  },
): Pick<DeviceRecord, "deviceScope" | "parentScopes"> {
  const { deviceId, generationId, capabilities, deviceScope, parentScopes } = device;
  if (capabilities.iotEdge) {
    return { deviceScope: `ms-azure-iot-edge://${deviceId}-${generationId}`, parentScopes };
  }
  const parent = deviceScope === undefined || deviceScope === "" ? [] : [deviceScope];
  return { parentScopes: FILLS_PARENT_SCOPES ? parent : parentScopes };
}
