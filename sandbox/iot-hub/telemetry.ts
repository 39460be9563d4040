/** Messages that devices sent to the hub: counted, and the last ones kept for observers. */
import type { Sandbox } from "../common/model";
import { deviceKey, hubDate } from "./records";

export interface TelemetryMessage {
  /** When the hub got it, sandbox time, ISO 8601. */
  time: string;
  /** Application and system properties, as the device sent them. */
  properties: Record<string, string>;
  /** base64 */
  payload: string;
}

/** Record of the collection "hub-telemetry". It outlives the identity, until the hub is deleted. */
export interface DeviceTelemetry {
  deviceId: string;
  /** All that ever came. */
  count: number;
  /** The last ones, oldest first. */
  last: TelemetryMessage[];
}

const KEPT = 20;

/** What a device has sent to a hub; zero messages when none came. */
export function telemetryOf(
  sandbox: Pick<Sandbox, "collection">,
  hubName: string,
  deviceId: string,
): DeviceTelemetry {
  const found = sandbox
    .collection<DeviceTelemetry>("hub-telemetry")
    .get(deviceKey(hubName, deviceId));
  return found ?? { deviceId, count: 0, last: [] };
}

export function recordTelemetry(
  sandbox: Pick<Sandbox, "collection" | "clock">,
  hubName: string,
  deviceId: string,
  message: { properties: Record<string, string>; payload: Buffer },
): void {
  const { count, last } = telemetryOf(sandbox, hubName, deviceId);
  const received: TelemetryMessage = {
    time: hubDate(sandbox.clock.now()),
    properties: message.properties,
    payload: message.payload.toString("base64"),
  };
  sandbox.collection<DeviceTelemetry>("hub-telemetry").put(deviceKey(hubName, deviceId), {
    deviceId,
    count: count + 1,
    last: [...last, received].slice(-KEPT),
  });
}
