/**
 * `endpoints.json`: where everything of a running sandbox is. A client in any language that has an
 * MQTT, an HTTP and a TLS library can work from this file alone.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

export interface ProvisioningServiceEndpoints {
  name: string;
  resourceGroup: string;
  idScope: string;
  /** URL of the service API. */
  serviceEndpoint: string;
  /** The name by which SDKs know the service. */
  serviceHostName: string;
  /** Of the policy with all rights. */
  connectionString: string;
  device: {
    /** host:port of MQTT over TLS. */
    mqtt: string;
    /** URL of the device API. */
    https: string;
  };
}

export interface IotHubEndpoints {
  name: string;
  resourceGroup: string;
  /** URL of the service API. */
  endpoint: string;
  /** The name by which SDKs know the hub. */
  hostName: string;
  /** Of the policy with all rights. */
  connectionString: string;
  /** host:port of MQTT over TLS. */
  mqtt: string;
}

export interface EndpointsFile {
  version: 1;
  /** Process of the sandbox. */
  pid: number;
  /** Absolute path of the root certificate that all of its servers chain to, PEM. */
  caFile: string;
  arm: {
    endpoint: string;
    authorityHost: string;
    tenantId: string;
    clientId: string;
    clientSecret: string;
    subscriptionId: string;
  };
  provisioningServices: ProvisioningServiceEndpoints[];
  iotHubs: IotHubEndpoints[];
}

/** Writes a file that only its owner may read, whole: a reader sees the old or the new one. */
export function writePrivateFile(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, content, { mode: 0o600, flag: "wx" });
  renameSync(temporary, file);
}

export function writeJson(file: string, value: object): void {
  writePrivateFile(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** The file's content; undefined when it is not there. Throws when it is not JSON. */
export function readJson<T>(file: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
  return JSON.parse(text) as T;
}
