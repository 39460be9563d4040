/** Device identities and twins as they are on the wire, and as they are shown. */
import type { Registry } from "azure-iothub";

/** A device identity as the hub shows it, without its keys. */
export interface HubIdentity {
  deviceId: string;
  etag: string;
  status: "enabled" | "disabled";
  authenticationType: "selfSigned" | "certificateAuthority" | "sas" | "none";
  /** Upper-case hex, SHA-1 or SHA-256; DPS writes the SHA-256 of the leaf last registered. */
  thumbprints: string[];
  /** Only differs when the identity was deleted and made anew. */
  generationId?: string;
  connectionState?: "Connected" | "Disconnected";
  /** An IoT Edge device; its children connect through it. */
  isEdge: boolean;
}

/** The parts of a twin that belong to the back end, without `$metadata` and `$version`. */
export interface HubTwin {
  etag: string;
  tags: Record<string, unknown>;
  desired: Record<string, unknown>;
}

/** The identity as the SDK has it: its class names only part of it. */
export interface WireIdentity {
  deviceId: string;
  etag: string;
  generationId?: string;
  status?: "enabled" | "disabled";
  statusReason?: string | null;
  connectionState?: "Connected" | "Disconnected";
  authentication?: {
    type?: HubIdentity["authenticationType"];
    x509Thumbprint?: { primaryThumbprint?: string | null; secondaryThumbprint?: string | null };
  };
  capabilities?: { iotEdge?: boolean };
  deviceScope?: string;
  parentScopes?: string[];
}

/** The identity without its keys. */
export function summary(wire: WireIdentity): HubIdentity {
  const { primaryThumbprint, secondaryThumbprint } = wire.authentication?.x509Thumbprint ?? {};
  return {
    deviceId: wire.deviceId,
    etag: wire.etag,
    status: wire.status ?? "enabled",
    authenticationType: wire.authentication?.type ?? "none",
    thumbprints: [primaryThumbprint, secondaryThumbprint].flatMap((one) =>
      one ? [one.toUpperCase()] : [],
    ),
    ...(wire.generationId && { generationId: wire.generationId }),
    ...(wire.connectionState && { connectionState: wire.connectionState }),
    isEdge: wire.capabilities?.iotEdge ?? false,
  };
}

/** What a bulk update must carry: a field that is left out is set back. */
export function bulkForm(wire: WireIdentity): Registry.DeviceDescription {
  const { deviceId, etag, statusReason, authentication, capabilities, deviceScope, parentScopes } =
    wire;
  return {
    deviceId,
    eTag: etag,
    ...(statusReason && { statusReason }),
    ...(authentication && { authentication }),
    ...(capabilities && { capabilities }),
    ...(deviceScope && { deviceScope }),
    ...(parentScopes && { parentScopes }),
  };
}

/** A twin's collection without `$metadata` and `$version`. */
export function ownFields(
  collection: Record<string, unknown> | undefined,
): Record<string, unknown> {
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
