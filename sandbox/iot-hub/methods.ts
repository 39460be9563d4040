/**
 * Direct methods: a request of the back end, carried to a connected device and its answer back.
 * Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-direct-methods.
 */
import { randomUUID } from "node:crypto";
import type { HubConnections } from "./connections";
import { nestedError } from "./faults";
import type { Json } from "./records";
import { isObject } from "./twin-collection";

export interface MethodCall {
  methodName: string;
  payload: unknown;
  responseTimeoutInSeconds: number;
  connectTimeoutInSeconds: number;
}

/** What the device answered. */
export interface MethodResult {
  status: number;
  payload: unknown;
}

const REQUESTS = "$iothub/methods/POST/";
const DEFAULT_RESPONSE_SECONDS = 30;

/** Throws the hub's 400 for what it does not take. */
export function readMethodCall(body: unknown, now: Date): MethodCall {
  const sent: Json = isObject(body) ? body : {};
  const { methodName, payload } = sent;
  if (typeof methodName !== "string" || methodName === "") {
    throw argumentInvalid("methodName is missing.", now);
  }
  return {
    methodName,
    payload: payload ?? null,
    responseTimeoutInSeconds: seconds(sent, "responseTimeoutInSeconds", 5, now),
    connectTimeoutInSeconds: seconds(sent, "connectTimeoutInSeconds", 0, now),
  };
}

/** Text as recorded in azure-iot-sdk-csharp#724. */
function seconds(sent: Json, name: string, least: number, now: Date): number {
  const value = sent[name] ?? (least === 0 ? 0 : DEFAULT_RESPONSE_SECONDS);
  if (!Number.isInteger(value) || Number(value) < least || Number(value) > 300) {
    throw argumentInvalid(`${name} must be within [${least}; 300].`, now);
  }
  return Number(value);
}

function argumentInvalid(text: string, now: Date): Error {
  return nestedError(400004, "ArgumentInvalid", text, now);
}

/** not known: how a name that is no plain word is written in the topic. */
function topicOf(methodName: string): string {
  return `${REQUESTS}${encodeURIComponent(methodName)}/`;
}

/** Time limits follow the machine's clock: they are about how long a caller waits. */
export class DirectMethods {
  private readonly waiting = new Map<string, (result: MethodResult) => void>();
  private readonly closing = new AbortController();

  constructor(
    private readonly connections: HubConnections,
    private readonly now: () => Date,
  ) {}

  /** Is the device connected, and does it take direct methods? */
  isListening(deviceId: string, methodName: string): boolean {
    return this.connections.isSubscribed(deviceId, topicOf(methodName));
  }

  /** Throws `HttpError`: the device is not online (404103), or does not answer in time (504101). */
  async invoke(deviceId: string, call: MethodCall): Promise<MethodResult> {
    const topic = topicOf(call.methodName);
    if (!(await this.isReady(deviceId, topic, call.connectTimeoutInSeconds))) {
      const text = "Timed out waiting for device to connect.";
      throw this.fault(404103, "DeviceNotOnline", text, call.connectTimeoutInSeconds);
    }
    const rid = randomUUID();
    const key = `${deviceId}/${rid}`;
    const answered = new Promise<MethodResult>((resolve) => this.waiting.set(key, resolve));
    try {
      this.connections.publish(deviceId, `${topic}?$rid=${rid}`, call.payload);
      const result = await this.within(call.responseTimeoutInSeconds, deviceId, answered);
      if (result === "disconnected") {
        // Text and meaning: azure-iot-sdk-csharp#317.
        throw this.fault(404103, "DeviceNotOnline", "Device unavailable", 0);
      }
      if (result === "late") {
        const text = "Timed out waiting for the response from device.";
        throw this.fault(504101, "GatewayTimeout", text, call.responseTimeoutInSeconds);
      }
      return result;
    } finally {
      this.waiting.delete(key);
    }
  }

  /** A device's answer. False when nobody waits for it (any more). */
  respond(deviceId: string, rid: string, result: MethodResult): boolean {
    const resolve = this.waiting.get(`${deviceId}/${rid}`);
    resolve?.(result);
    return resolve !== undefined;
  }

  /** Ends all waiting, as when the device went away. */
  close(): void {
    this.closing.abort();
  }

  private async isReady(deviceId: string, topic: string, limit: number): Promise<boolean> {
    if (limit > 0 && !this.connections.isSubscribed(deviceId, topic)) {
      let check = (_other: string): void => undefined;
      const subscribed = new Promise<true>((resolve) => {
        check = (other) => {
          if (other === deviceId && this.connections.isSubscribed(deviceId, topic)) {
            resolve(true);
          }
        };
      });
      this.connections.on("subscribed", check);
      await this.within(limit, undefined, subscribed);
      this.connections.off("subscribed", check);
    }
    return this.connections.isSubscribed(deviceId, topic);
  }

  /** `answer`, or why there was none. */
  private async within<T>(
    limit: number,
    deviceId: string | undefined,
    answer: Promise<T>,
  ): Promise<T | "late" | "disconnected"> {
    let stop = (): void => undefined;
    const stopped = new Promise<"late" | "disconnected">((resolve) => {
      const timer = setTimeout(() => resolve("late"), limit * 1000);
      const lost = (other: string): void => {
        if (other === deviceId) {
          resolve("disconnected");
        }
      };
      const closed = (): void => resolve("disconnected");
      this.connections.on("disconnected", lost);
      this.closing.signal.addEventListener("abort", closed);
      stop = () => {
        clearTimeout(timer);
        this.connections.off("disconnected", lost);
        this.closing.signal.removeEventListener("abort", closed);
      };
    });
    try {
      return await Promise.race([answer, stopped]);
    } finally {
      stop();
    }
  }

  private fault(code: number, name: string, text: string, limit: number): Error {
    const time = new Date(limit * 1000).toISOString().slice(11, 19);
    return nestedError(code, name, text, this.now(), { timeout: time });
  }
}
