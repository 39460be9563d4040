/** Device identities and twins of one hub, as they are stored. */
import { randomInt } from "node:crypto";
import type { Sandbox } from "../common/model";
import type { Collection } from "../common/store";
import { DEVICE_IDS_ARE_CASE_SENSITIVE } from "./not-known";

export type AuthenticationType = "sas" | "selfSigned" | "certificateAuthority" | "none";

export interface Authentication {
  type: AuthenticationType;
  /** base64; null where the type has no keys. */
  symmetricKey: { primaryKey: string | null; secondaryKey: string | null };
  /** Upper-case hex, 40 (SHA-1) or 64 (SHA-256) digits; null: the slot is empty. */
  x509Thumbprint: { primaryThumbprint: string | null; secondaryThumbprint: string | null };
}

export type Json = Record<string, unknown>;

/** Desired or reported properties. */
export interface TwinCollection {
  values: Json;
  /** Same shape as the values, each with the time (and version) of its last change. */
  metadata: Json;
  version: number;
}

/** What a device's and a module's twin have in common. */
export interface TwinFields {
  tags: Json;
  desired: TwinCollection;
  reported: TwinCollection;
  /** Of the twin; counts every change of it. */
  version: number;
  /** Counts changes of tags and desired properties; its etag is made from it. */
  twinEtag: number;
}

export interface DeviceRecord extends TwinFields {
  deviceId: string;
  /** Stays as long as the identity is not deleted. */
  generationId: string;
  /** Of the identity; changes with every write of it. */
  etag: string;
  status: "enabled" | "disabled";
  statusReason: string | null;
  /** ISO 8601; `NEVER` until something happens. */
  statusUpdatedTime: string;
  connectionStateUpdatedTime: string;
  lastActivityTime: string;
  authentication: Authentication;
  capabilities: { iotEdge: boolean };
  /** Of an Edge device its own scope; of another one the scope of the Edge device that it belongs to. */
  deviceScope?: string;
  parentScopes: string[];
}

export interface ModuleRecord extends TwinFields {
  deviceId: string;
  moduleId: string;
  managedBy: string | null;
  generationId: string;
  etag: string;
  authentication: Authentication;
  connectionStateUpdatedTime: string;
  lastActivityTime: string;
}

/** What the hub shows for a time that has not come yet. */
export const NEVER = "0001-01-01T00:00:00Z";

/** Seven digits of a second, as in the hub's documents. */
export function hubDate(now: Date): string {
  return now.toISOString().replace("Z", "0000Z");
}

/** Of an identity: base64 of a number in digits, as the hub makes them. */
export function newIdentityEtag(): string {
  return Buffer.from(String(randomInt(100_000_000, 1_000_000_000))).toString("base64");
}

/** Of a twin: base64 of a 64-bit counter; "AAAAAAAAAAE=" is the first. */
export function twinEtag(counter: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(counter));
  return bytes.toString("base64");
}

/** 18 digits, as the hub makes them. */
export function newGenerationId(): string {
  return String(Date.now()) + String(randomInt(10_000, 100_000));
}

/** The devices of one hub, in the order of their IDs. */
export class Devices {
  private readonly records: Collection<DeviceRecord>;

  constructor(
    sandbox: Pick<Sandbox, "collection">,
    private readonly hubName: string,
  ) {
    this.records = sandbox.collection<DeviceRecord>("hub-devices");
  }

  get(deviceId: string): DeviceRecord | undefined {
    return this.records.get(deviceKey(this.hubName, deviceId));
  }

  put(record: DeviceRecord): DeviceRecord {
    return this.records.put(deviceKey(this.hubName, record.deviceId), record);
  }

  delete(deviceId: string): void {
    this.records.delete(deviceKey(this.hubName, deviceId));
  }

  list(): DeviceRecord[] {
    return this.records.list(`${this.hubName}/`);
  }
}

/** The modules of one hub's devices, in the order of their IDs. */
export class Modules {
  private readonly records: Collection<ModuleRecord>;

  constructor(
    sandbox: Pick<Sandbox, "collection">,
    private readonly hubName: string,
  ) {
    this.records = sandbox.collection<ModuleRecord>("hub-modules");
  }

  get(deviceId: string, moduleId: string): ModuleRecord | undefined {
    return this.records.get(this.key(deviceId, moduleId));
  }

  put(record: ModuleRecord): ModuleRecord {
    return this.records.put(this.key(record.deviceId, record.moduleId), record);
  }

  delete(deviceId: string, moduleId: string): void {
    this.records.delete(this.key(deviceId, moduleId));
  }

  list(deviceId: string): ModuleRecord[] {
    return this.records.list(this.key(deviceId, ""));
  }

  private key(deviceId: string, moduleId: string): string {
    return deviceKey(deviceKey(this.hubName, deviceId), moduleId);
  }
}

/**
 * Key in a collection of a hub. Collections do not tell capitals from small letters and device IDs do,
 * so a capital is written as "^" (no character of a device ID) and the small letter.
 */
export function deviceKey(hubName: string, deviceId: string): string {
  const id = DEVICE_IDS_ARE_CASE_SENSITIVE
    ? deviceId.replace(/[A-Z]/g, (letter) => `^${letter.toLowerCase()}`)
    : deviceId;
  return `${hubName}/${id}`;
}
