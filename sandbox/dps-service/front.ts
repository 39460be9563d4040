/** A provisioning service that listens: HTTPS for people and devices, MQTT for devices. */
import { listen } from "../common/http";
import { acceptMqttOverWebSockets } from "../common/mqtt-websocket";
import type { ListenOptions, Sandbox, ServiceEndpoint } from "../common/model";
import { startDeviceMqtt } from "../dps-device/mqtt";
import { createProvisioningApp } from "./app";

/** All services of Azure share this name for devices; the ID scope says which one is meant. */
const GLOBAL_HOST = "global.azure-devices-provisioning.net";

/**
 * Starts the two listeners of the service called `serviceName`. Throws when there is no such
 * service, or a port is taken.
 *
 * @param listenOn loopback address and ports; 0 takes any free one
 */
export async function startProvisioningFront(
  sandbox: Sandbox,
  serviceName: string,
  listenOn: ListenOptions,
): Promise<ServiceEndpoint> {
  const service = sandbox.services.get(serviceName);
  if (service === undefined) {
    throw new Error(`there is no provisioning service "${serviceName}"`);
  }
  const names = [...new Set([GLOBAL_HOST, "localhost", "127.0.0.1", listenOn.address])];
  const identity = await sandbox.serverIdentity([service.serviceHostName, ...names]);
  const { app, registrar } = createProvisioningApp(sandbox, serviceName, identity, names);
  const { address } = listenOn;
  const httpsPort = await listen(app, address, listenOn.httpsPort);
  try {
    const mqtt = await startDeviceMqtt(
      { sandbox, service: "dps-device", instance: serviceName, identity },
      { address, port: listenOn.mqttPort },
      registrar,
    );
    acceptMqttOverWebSockets(app.server, mqtt.accept, (path, status) =>
      sandbox.log.record({
        service: "dps-device",
        instance: serviceName,
        protocol: "https",
        method: "UPGRADE",
        path,
        status,
      }),
    );
    return {
      httpsPort,
      mqttPort: mqtt.port,
      close: async () => {
        await Promise.all([app.close(), mqtt.close()]);
      },
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}
