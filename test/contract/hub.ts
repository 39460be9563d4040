/** What the cases about an IoT hub share: one place a file, clients of the service, identities. */
import { Client, JobClient, Registry } from "azure-iothub";
import type { Device } from "azure-iothub";
import { TestCa, type Issued } from "../support/test-ca";
import { openPlace, type Place } from "./place";

export type Json = Record<string, unknown>;

export const REST = "learn.microsoft.com/rest/api/iothub/service";
export const CODES = "learn.microsoft.com/azure/iot-hub/troubleshoot-error-codes";
export const TWINS = "learn.microsoft.com/azure/iot-hub/iot-hub-devguide-device-twins";

export interface HubStage {
  place: Place;
  registry: Registry;
  service: Client;
  jobs: JobClient;
  connectionString: string;
  leaf: Issued;
  /** Makes an identity with the thumbprint of `leaf`. */
  create(deviceId: string, more?: Json): Promise<Json>;
  get(deviceId: string): Promise<Json>;
}

export async function openHub(): Promise<HubStage> {
  const place = await openPlace();
  const connectionString = place.hubConnection("iothubowner");
  const registry = Registry.fromConnectionString(connectionString);
  const leaf = await TestCa.selfSigned("d-1");
  const body = ({ responseBody }: { responseBody: Device }) => responseBody as unknown as Json;
  return {
    place,
    registry,
    service: Client.fromConnectionString(connectionString),
    jobs: JobClient.fromConnectionString(connectionString),
    connectionString,
    leaf,
    create: async (deviceId, more = {}) =>
      body(await registry.create({ deviceId, authentication: selfSigned(leaf), ...more })),
    get: async (deviceId) => body(await registry.get(deviceId)),
  };
}

export function selfSigned({ thumbprint }: Issued): object {
  const x509Thumbprint = { primaryThumbprint: thumbprint, secondaryThumbprint: thumbprint };
  return { type: "selfSigned", x509Thumbprint };
}

/** The value of a callback form whose promise form does not work. */
export function called<T>(
  call: (done: (error?: Error | null, value?: T) => void) => void,
): Promise<T> {
  return new Promise((done, failed) => {
    call((error, value) => (error ? failed(error) : done(value as T)));
  });
}
