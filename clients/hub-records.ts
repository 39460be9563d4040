/** Device identities and twins as they are on the wire, and as they are shown. */
import { createHash } from "node:crypto";
import type { Registry } from "azure-iothub";

type AuthenticationType = "selfSigned" | "certificateAuthority" | "sas" | "none";

/** A device identity as the hub shows it, without its keys. */
export interface HubIdentity {
  deviceId: string;
  etag: string;
  status: "enabled" | "disabled";
  /** Why it is disabled, in the words of whoever did it. */
  statusReason?: string;
  authenticationType: AuthenticationType;
  /** Upper-case hex, SHA-1 or SHA-256; DPS writes the SHA-256 of the leaf last registered. */
  thumbprints: string[];
  /** Only differs when the identity was deleted and made anew. */
  generationId?: string;
  connectionState?: "Connected" | "Disconnected";
  /** An IoT Edge device; its children connect through it. */
  isEdge: boolean;
  /** Of an Edge device its own scope; of another one its parent's. */
  deviceScope?: string;
  /** Scope of the Edge device through which it connects; empty: none. */
  parentScopes: string[];
}

/** The parts of a twin that belong to the back end, without `$metadata` and `$version`. */
export interface HubTwin {
  etag: string;
  tags: Record<string, unknown>;
  desired: Record<string, unknown>;
}

/** A twin, and what it shows of its device's identity. */
export interface HubDeviceTwin extends HubTwin {
  deviceId: string;
  /** Etag of the identity. */
  deviceEtag: string;
  status: "enabled" | "disabled";
  authenticationType: AuthenticationType;
  thumbprints: string[];
  isConnected: boolean;
  isEdge: boolean;
}

/** A module identity, without its keys. */
export interface HubModule {
  moduleId: string;
  etag: string;
  managedBy?: string;
  authenticationType: AuthenticationType;
}

interface WireAuthentication {
  type?: AuthenticationType;
  symmetricKey?: { primaryKey?: string | null; secondaryKey?: string | null };
  x509Thumbprint?: WireThumbprints;
}

interface WireThumbprints {
  primaryThumbprint?: string | null;
  secondaryThumbprint?: string | null;
}

/** The identity as the SDK has it: its class names only part of it. */
export interface WireIdentity {
  deviceId: string;
  etag: string;
  generationId?: string;
  status?: "enabled" | "disabled";
  statusReason?: string | null;
  connectionState?: "Connected" | "Disconnected";
  authentication?: WireAuthentication;
  capabilities?: { iotEdge?: boolean };
  deviceScope?: string;
  parentScopes?: string[];
}

export interface WireModule {
  deviceId: string;
  moduleId: string;
  etag: string;
  managedBy?: string | null;
  authentication?: WireAuthentication;
}

export interface WireTwin {
  deviceId: string;
  etag: string;
  deviceEtag?: string;
  status?: "enabled" | "disabled";
  connectionState?: string;
  authenticationType?: AuthenticationType;
  x509Thumbprint?: WireThumbprints;
  capabilities?: { iotEdge?: boolean };
  tags?: Record<string, unknown>;
  properties?: { desired?: Record<string, unknown> };
}

/** The identity without its keys. */
export function summary(wire: WireIdentity): HubIdentity {
  return {
    deviceId: wire.deviceId,
    etag: wire.etag,
    status: wire.status ?? "enabled",
    ...(wire.statusReason && { statusReason: wire.statusReason }),
    authenticationType: wire.authentication?.type ?? "none",
    thumbprints: thumbprintsOf(wire.authentication?.x509Thumbprint),
    ...(wire.generationId && { generationId: wire.generationId }),
    ...(wire.connectionState && { connectionState: wire.connectionState }),
    isEdge: wire.capabilities?.iotEdge ?? false,
    ...(wire.deviceScope && { deviceScope: wire.deviceScope }),
    parentScopes: wire.parentScopes ?? [],
  };
}

export function moduleSummary({
  moduleId,
  etag,
  managedBy,
  authentication,
}: WireModule): HubModule {
  return {
    moduleId,
    etag,
    ...(managedBy && { managedBy }),
    authenticationType: authentication?.type ?? "none",
  };
}

export function twinSummary(wire: WireTwin): HubDeviceTwin {
  return {
    ...backEndParts(wire),
    deviceId: wire.deviceId,
    deviceEtag: wire.deviceEtag ?? "",
    status: wire.status ?? "enabled",
    authenticationType: wire.authenticationType ?? "none",
    thumbprints: thumbprintsOf(wire.x509Thumbprint),
    isConnected: wire.connectionState === "Connected",
    isEdge: wire.capabilities?.iotEdge ?? false,
  };
}

export function backEndParts({ etag, tags, properties }: WireTwin): HubTwin {
  return { etag, tags: ownFields(tags), desired: ownFields(properties?.desired) };
}

function thumbprintsOf(x509: WireThumbprints | undefined): string[] {
  const { primaryThumbprint, secondaryThumbprint } = x509 ?? {};
  return [primaryThumbprint, secondaryThumbprint].flatMap((one) =>
    one ? [one.toUpperCase()] : [],
  );
}

/** What a bulk update must carry: a field that is left out is set back. */
export function bulkForm(wire: WireIdentity): Registry.DeviceDescription {
  const { deviceId, etag, status, statusReason, authentication, capabilities } = wire;
  const { deviceScope, parentScopes } = wire;
  return {
    deviceId,
    eTag: etag,
    status: status ?? "enabled",
    ...(statusReason && { statusReason }),
    ...(authentication && { authentication }),
    ...(capabilities && { capabilities }),
    ...(deviceScope && { deviceScope }),
    ...(parentScopes && { parentScopes }),
  };
}

/**
 * A SHA-256 that no certificate has, always the same for one device: it is the hash of words, and
 * words are no certificate.
 */
export function nobodysThumbprint(deviceId: string): string {
  const words = `dps-certificates: no certificate has this thumbprint: ${deviceId}`;
  return createHash("sha256").update(words).digest("hex").toUpperCase();
}

/** `authentication` with these thumbprints, in place of whatever was there. */
export function selfSignedWith([primary, secondary = primary]: string[]): WireAuthentication {
  return {
    type: "selfSigned",
    x509Thumbprint: { primaryThumbprint: primary ?? null, secondaryThumbprint: secondary ?? null },
  };
}

/** A twin's collection without `$metadata` and `$version`. */
function ownFields(collection: Record<string, unknown> | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(collection ?? {}).filter(
      ([name]) => name !== "$metadata" && name !== "$version",
    ),
  );
}

/** Is every field of `part` in `whole`, at any depth? */
export function includes(whole: unknown, part: unknown): boolean {
  if (typeof part !== "object" || part === null || Array.isArray(part)) {
    return JSON.stringify(whole) === JSON.stringify(part);
  }
  return (
    typeof whole === "object" &&
    whole !== null &&
    Object.entries(part).every(([name, value]) =>
      includes((whole as Record<string, unknown>)[name], value),
    )
  );
}
