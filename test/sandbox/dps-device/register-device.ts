/**
 * A device of its own process, because Microsoft's provisioning transports trust only what is in
 * NODE_EXTRA_CA_CERTS. Unmodified SDK; prints one line of JSON.
 *
 * Arguments: transport (mqtt|http), port, ID scope, registration ID, certificate file, key file.
 */
import { readFileSync } from "node:fs";
import https from "node:https";
import { ProvisioningDeviceClient } from "azure-iot-provisioning-device";
import { Http } from "azure-iot-provisioning-device-http";
import { Mqtt } from "azure-iot-provisioning-device-mqtt";
import { X509Security } from "azure-iot-security-x509";

const [transport, port, idScope, id, certFile, keyFile] = process.argv.slice(2);

async function main(): Promise<void> {
  // The HTTP transport cannot be told a port.
  Object.assign(https.globalAgent, { defaultPort: Number(port) });
  const client = ProvisioningDeviceClient.create(
    transport === "mqtt" ? `localhost:${port}` : "localhost",
    idScope!,
    transport === "mqtt" ? new Mqtt() : new Http(),
    new X509Security(id!, {
      cert: readFileSync(certFile!, "utf8"),
      key: readFileSync(keyFile!, "utf8"),
    }),
  );
  try {
    const result = await client.register();
    console.log(JSON.stringify({ result }));
  } catch (error) {
    const { name, result, responseBody } = error as Error & Record<string, unknown>;
    console.log(JSON.stringify({ error: { name, result, responseBody } }));
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
