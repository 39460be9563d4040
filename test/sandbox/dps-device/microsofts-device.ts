/** Registers devices with Microsoft's unmodified SDK, against a front on ports of its own. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { ServiceEndpoint } from "../../../sandbox/common/model";
import { ID_SCOPE, type SmallSandbox } from "../dps-service/small-sandbox";
import type { Json } from "./fixture";

const run = promisify(execFile);
const PRELOAD = resolve(__dirname, "../../../sandbox/preload.cjs");

/** A name that the preload leads to the front's ports. */
export const SANDBOX_HOST = "rollers.azure-devices-provisioning.sandbox.test";

export interface Job {
  transport: "mqtt" | "mqtt-ws" | "http";
  id: string;
  /** PEM of the chain and of its key. */
  x509?: { cert: string; key: string };
  /** base64 */
  symmetricKey?: string;
  payload?: Json;
}

export interface Outcome {
  result?: Json;
  /** What the SDK threw; `result` is the service's answer over MQTT, `responseBody` over HTTPS. */
  error?: { name: string; message: string; result: unknown; responseBody: unknown };
}

/** One process for all jobs, one after the other. The service's host name must be `SANDBOX_HOST`. */
export async function registerWithMicrosoft(
  small: SmallSandbox,
  front: ServiceEndpoint,
  jobs: Job[],
): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), "dps-device-"));
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  try {
    const service = {
      serviceHostName: SANDBOX_HOST,
      serviceEndpoint: `https://127.0.0.1:${front.httpsPort}`,
      device: { mqtt: `127.0.0.1:${front.mqttPort}` },
    };
    const { stdout } = await run(
      process.execPath,
      [
        ...["--require", PRELOAD, "--require", "tsx/cjs", join(__dirname, "register-device.ts")],
        ...[SANDBOX_HOST, ID_SCOPE, write("jobs.json", JSON.stringify(jobs))],
      ],
      {
        env: {
          ...process.env,
          NODE_EXTRA_CA_CERTS: write("root.pem", small.tlsRoot),
          DPS_SANDBOX_ENDPOINTS: write(
            "endpoints.json",
            JSON.stringify({ provisioningServices: [service], iotHubs: [] }),
          ),
        },
      },
    );
    return JSON.parse(stdout) as Outcome[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The service's answer to a device that it refused. */
export function refusalOf({ error }: Outcome): Json {
  return (error?.result ?? JSON.parse(String(error?.responseBody))) as Json;
}
