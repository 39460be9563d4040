/**
 * Devices in a process of their own, because Microsoft's provisioning transports trust only what is
 * in NODE_EXTRA_CA_CERTS. Unmodified SDK; prints the outcomes as JSON.
 *
 * Arguments: provisioning host, ID scope, file with a list of `Job`.
 */
import { readFileSync } from "node:fs";
import { ProvisioningDeviceClient } from "azure-iot-provisioning-device";
import { Http } from "azure-iot-provisioning-device-http";
import { Mqtt, MqttWs } from "azure-iot-provisioning-device-mqtt";
import { SymmetricKeySecurityClient } from "azure-iot-security-symmetric-key";
import { X509Security } from "azure-iot-security-x509";
import type { Job, Outcome } from "./microsofts-device";

type Security = Parameters<typeof ProvisioningDeviceClient.create>[3];

const TRANSPORTS = { mqtt: Mqtt, "mqtt-ws": MqttWs, http: Http };
const [host = "", idScope = "", file = ""] = process.argv.slice(2);

async function register({ transport, id, x509, symmetricKey, payload }: Job): Promise<Outcome> {
  const client = ProvisioningDeviceClient.create(
    host,
    idScope,
    new TRANSPORTS[transport](),
    // The package has its own copy of azure-iot-common, whose classes are other types.
    (x509 === undefined
      ? new SymmetricKeySecurityClient(id, symmetricKey ?? "")
      : new X509Security(id, x509)) as Security,
  );
  if (payload !== undefined) {
    client.setProvisioningPayload(payload);
  }
  try {
    return { result: { ...(await client.register()) } };
  } catch (error) {
    const { name, message, result, responseBody } = error as Error & Record<string, unknown>;
    return { error: { name, message, result, responseBody } };
  }
}

async function main(): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const job of JSON.parse(readFileSync(file, "utf8")) as Job[]) {
    outcomes.push(await register(job));
  }
  console.log(JSON.stringify(outcomes));
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
