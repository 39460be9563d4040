/** Direct methods of a linked hub, through Microsoft's service SDK. */
import { call, type Pacing, systemPacing } from "./calls";
import { hubAttempt, methodClients } from "./hub-clients";
import { examine } from "./sdk-error";
import type { Connection } from "./target";

export interface MethodCall {
  methodName: string;
  /** Plain JSON. */
  payload: unknown;
  /** How long the device may take to answer, seconds: 5 to 300. */
  responseTimeoutInSeconds: number;
  /** How long the hub waits for a device that is offline, seconds: 0 (not at all) to 300. */
  connectTimeoutInSeconds: number;
}

/**
 * What became of a call: the device's own answer, or why there is none. "offline": not connected, or it
 * takes no direct methods. "late": it took the call and did not answer in time, so it may have acted on it.
 * "absent": the hub does not have the device.
 */
export type MethodAnswer =
  | { kind: "answered"; status: number; payload: unknown }
  | { kind: "offline" | "late" | "absent"; text: string };

/** What the hub does beside the two time limits. */
const MARGIN_MS = 30_000;

/** A call that the device may have got is never repeated. Throws `ServiceError` when the hub refuses it. */
export async function invokeMethod(
  connection: Connection,
  hubHostName: string,
  deviceId: string,
  method: MethodCall,
  pacing: Pacing = systemPacing,
): Promise<MethodAnswer> {
  const client = await methodClients(connection, hubHostName);
  const seconds = method.responseTimeoutInSeconds + method.connectTimeoutInSeconds;
  const operation = `call the direct method ${method.methodName} of device "${deviceId}"`;
  return call<MethodAnswer>(
    hubAttempt(connection, hubHostName, operation, "hubMethods"),
    async () => {
      try {
        const answer: { result: unknown } = await client.invokeDeviceMethod(deviceId, method);
        const { status, payload } = answer.result as { status: number; payload: unknown };
        return { kind: "answered", status, payload };
      } catch (error) {
        return unanswered(error);
      }
    },
    { ...pacing, timeoutMs: seconds * 1000 + MARGIN_MS },
  );
}

/** Source: learn.microsoft.com/azure/iot-hub/troubleshoot-error-codes, 404001, 404103, 504101. */
function unanswered(error: unknown): MethodAnswer {
  const { status, serviceCode = "", text = "" } = examine(error);
  if (status === 404) {
    const absent = /^(404001|DeviceNotFound)$/.test(serviceCode);
    return { kind: absent ? "absent" : "offline", text };
  }
  if (status === 504) {
    return { kind: "late", text };
  }
  throw error;
}
