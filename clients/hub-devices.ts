/** Many devices of a linked hub at once, by query: what their identity and twin say of certificates. */
import type { IncomingMessage } from "node:http";
import { call, type Pacing } from "./calls";
import { provisioningServices, resourceManagerAttempt } from "./credentials";
import { HubClient } from "./hub-client";
import type { Connection } from "./target";

/** A device as its hub shows it, without keys. */
export interface DeviceOfHub {
  deviceId: string;
  authenticationType: string;
  /** Upper-case hex; DPS writes the SHA-256 of the leaf last registered. */
  thumbprints: string[];
  isEdge: boolean;
  /** Connects through an IoT Edge device. */
  isChild: boolean;
  /** What the device says itself of its certificate, in its reported properties. */
  reported?: {
    leafSha256: string;
    issuerSha256: string;
    /** When that leaf ends, ISO 8601; absent when the device does not say it, or no time. */
    leafNotAfter?: string;
  };
}

/** More are not asked for by name: a query has at most 8 KiB (IoT Hub query language). */
const MOST_NAMED = 50;
const PAGE_SIZE = 1000;

const COLUMNS = [
  "deviceId",
  "authenticationType",
  "x509Thumbprint",
  "capabilities",
  "deviceScope",
  "parentScopes",
  "properties.reported.dps AS dps",
].join(", ");

interface Row {
  deviceId: string;
  authenticationType?: string;
  x509Thumbprint?: { primaryThumbprint?: string | null; secondaryThumbprint?: string | null };
  capabilities?: { iotEdge?: boolean };
  deviceScope?: string;
  parentScopes?: string[];
  dps?: { leaf?: { sha256?: unknown; notAfter?: unknown }; issuer?: { sha256?: unknown } };
}

export class HubDevices extends HubClient {
  /**
   * How many device identities are in the hub.
   * @throws ServiceError
   */
  async count(): Promise<number> {
    const answer = await this.call("count the devices", (sdk) => sdk.getRegistryStatistics());
    return answer.responseBody.totalDeviceCount;
  }

  /**
   * Those of the devices that are in the hub. A few are asked for by name; for more all devices of
   * the hub are read, at most `atMost`: `isComplete` says whether that was enough.
   * @throws ServiceError
   */
  async find(
    deviceIds: readonly string[],
    atMost: number,
  ): Promise<{ devices: DeviceOfHub[]; isComplete: boolean }> {
    const wanted = new Set(deviceIds);
    if (wanted.size === 0) return { devices: [], isComplete: true };
    const isFew = wanted.size <= MOST_NAMED;
    const condition = isFew ? ` WHERE deviceId IN [${[...wanted].map(literal).join(", ")}]` : "";
    const rows = await this.query(`SELECT ${COLUMNS} FROM devices${condition}`, atMost);
    const found = rows.slice(0, atMost).filter(({ deviceId }) => wanted.has(deviceId));
    return { devices: found.map(deviceOf), isComplete: rows.length <= atMost };
  }

  /**
   * Device IDs of the hub that differ from one of these at most in upper and lower case. The query language
   * compares by case, so all device IDs are read, at most `atMost`.
   * @throws ServiceError
   */
  async spellings(
    deviceIds: readonly string[],
    atMost: number,
  ): Promise<{ deviceIds: string[]; isComplete: boolean }> {
    const wanted = new Set(deviceIds.map((one) => one.toLowerCase()));
    const rows = await this.query("SELECT deviceId FROM devices", atMost);
    const found = rows.filter(({ deviceId }) => wanted.has(deviceId.toLowerCase()));
    return {
      deviceIds: found.map(({ deviceId }) => deviceId),
      isComplete: rows.length <= atMost,
    };
  }

  /** Ends with the page in which there are more than `atMost`. */
  private async query(sql: string, atMost: number): Promise<Row[]> {
    const rows: Row[] = [];
    let token: string | undefined;
    do {
      const from = token;
      const page: { result: Row[]; message?: IncomingMessage } = await this.call(
        "query the devices",
        // The SDK takes null as "from the start".
        (sdk) => sdk.createQuery(sql, PAGE_SIZE).next((from ?? null) as string),
      );
      rows.push(...page.result);
      const next = page.message?.headers["x-ms-continuation"];
      token = typeof next === "string" && next !== "" ? next : undefined;
    } while (token !== undefined && rows.length <= atMost);
    return rows;
  }
}

function literal(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

function deviceOf(row: Row): DeviceOfHub {
  const { primaryThumbprint, secondaryThumbprint } = row.x509Thumbprint ?? {};
  const isEdge = row.capabilities?.iotEdge ?? false;
  const leafSha256 = sha256In(row.dps?.leaf);
  const issuerSha256 = sha256In(row.dps?.issuer);
  const leafNotAfter = timeIn(row.dps?.leaf?.notAfter);
  return {
    deviceId: row.deviceId,
    authenticationType: row.authenticationType ?? "none",
    thumbprints: [primaryThumbprint, secondaryThumbprint].flatMap((one) =>
      one ? [one.toUpperCase()] : [],
    ),
    isEdge,
    // An Edge device has a scope of its own; below another one it has that one's as parent.
    isChild: (row.parentScopes ?? []).length > 0 || (!isEdge && row.deviceScope !== undefined),
    ...(leafSha256 !== undefined && issuerSha256 !== undefined
      ? { reported: { leafSha256, issuerSha256, ...(leafNotAfter && { leafNotAfter }) } }
      : {}),
  };
}

/* A device may report anything. */
function sha256In(part: { sha256?: unknown } | undefined): string | undefined {
  const text = typeof part?.sha256 === "string" ? part.sha256.replaceAll(":", "") : "";
  return /^[0-9a-f]{64}$/i.test(text) ? text.toUpperCase() : undefined;
}

function timeIn(text: unknown): string | undefined {
  const time = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/**
 * DPS instances of the subscription, without this one, that are linked to one of the hubs. Those of
 * other subscriptions cannot be seen.
 * @throws ServiceError
 */
export async function servicesSharing(
  connection: Connection,
  hubs: readonly string[],
  pacing?: Pacing,
): Promise<{ name: string; hubs: string[] }[]> {
  const all = await call(
    resourceManagerAttempt(connection, "list the DPS instances of the subscription"),
    async () => {
      const found = [];
      for await (const each of provisioningServices(
        connection,
      ).iotDpsResource.listBySubscription()) {
        found.push(each);
      }
      return found;
    },
    pacing,
  );
  return all.flatMap(({ name, properties }) => {
    if (name === undefined || name.toLowerCase() === connection.service.toLowerCase()) return [];
    const shared = (properties.iotHubs ?? []).flatMap((hub) =>
      hub.name !== undefined && hubs.includes(hub.name) ? [hub.name] : [],
    );
    return shared.length > 0 ? [{ name, hubs: shared }] : [];
  });
}
