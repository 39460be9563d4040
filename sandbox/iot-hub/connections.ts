/** The live connections of a hub's devices, for whoever changes identities and twins. */
import { EventEmitter } from "node:events";
import type { MqttFront } from "../common/mqtt-front";

/** Without a front (before it listens, after it has closed) no device is connected. */
export class HubConnections extends EventEmitter<{ subscribed: [string]; disconnected: [string] }> {
  private front: MqttFront | undefined;

  constructor() {
    super();
    // One listener for each direct method that is waiting.
    this.setMaxListeners(0);
  }

  attach(front: MqttFront | undefined): void {
    this.front = front;
  }

  isConnected(deviceId: string): boolean {
    return this.front?.isConnected(deviceId) ?? false;
  }

  count(deviceIds: string[]): number {
    return deviceIds.filter((deviceId) => this.isConnected(deviceId)).length;
  }

  isSubscribed(deviceId: string, topic: string): boolean {
    return this.front?.isSubscribed(deviceId, topic) ?? false;
  }

  /** False when the device is not connected or has not subscribed to the topic. */
  publish(deviceId: string, topic: string, body: unknown): boolean {
    const payload = Buffer.from(body === undefined ? "" : JSON.stringify(body));
    return this.front?.publishTo(deviceId, topic, payload) ?? false;
  }

  /** Ends the device's connection. `forget`: also its stored subscriptions. */
  end(deviceId: string, forget: boolean): void {
    this.front?.disconnect(deviceId, forget);
  }
}

const all = new WeakMap<object, Map<string, HubConnections>>();

/** The connections of that hub of that sandbox: always the same object. */
export function connectionsOf(sandbox: object, hubName: string): HubConnections {
  const hubs = all.get(sandbox) ?? new Map<string, HubConnections>();
  all.set(sandbox, hubs);
  const name = hubName.toLowerCase();
  const connections = hubs.get(name) ?? new HubConnections();
  hubs.set(name, connections);
  return connections;
}
