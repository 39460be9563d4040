/** An IoT hub that listens: HTTPS for the back end, MQTT for devices. */
import { setMaxListeners } from "node:events";
import { hubError, type HttpError } from "../common/errors";
import { createApp, listen, type Failure } from "../common/http";
import { acceptMqttOverWebSockets } from "../common/mqtt-websocket";
import type { ListenOptions, Sandbox, ServiceEndpoint } from "../common/model";
import { startDeviceHub } from "./device-mqtt";
import { HubFault } from "./faults";
import { Jobs } from "./jobs";
import { DirectMethods } from "./methods";
import { moduleRoutes } from "./module-routes";
import { DeviceRegistry } from "./registry";
import type { HubApi } from "./api";
import { hubRoutes } from "./routes";

/**
 * Starts the two listeners of the hub called `hubName`. Throws when there is no such hub, or a port is
 * taken.
 *
 * @param listenOn loopback address and ports; 0 takes any free one
 */
export async function startHubFront(
  sandbox: Sandbox,
  hubName: string,
  listenOn: ListenOptions,
): Promise<ServiceEndpoint> {
  const hub = sandbox.hubs.get(hubName);
  if (hub === undefined) {
    throw new Error(`there is no IoT hub "${hubName}"`);
  }
  const { address } = listenOn;
  const names = [...new Set(["localhost", "127.0.0.1", address])];
  const identity = await sandbox.serverIdentity([...new Set([hub.hostName, ...names])]);
  const registry = new DeviceRegistry(sandbox, hubName);
  const methods = new DirectMethods(registry.connections, () => sandbox.clock.now());
  const closing = new AbortController();
  // One for each request that waits in the hub's queue.
  setMaxListeners(0, closing.signal);
  const jobs = new Jobs({ sandbox, hubName, registry, methods });
  const app = createApp(sandbox, {
    service: "iot-hub",
    instance: hubName,
    identity,
    // Of devices that come over WebSockets. not known for Azure: Microsoft's .NET SDK cannot do it (azure-iot-sdk-csharp#534).
    clientCertificates: true,
    errorBody: (failure) => errorBody(failure, sandbox.clock.now()),
  });
  const api: HubApi = {
    sandbox,
    hubName,
    registry,
    methods,
    jobs,
    names,
    closing: closing.signal,
    notWritten: (operation) => notWritten(operation, sandbox.clock.now()),
  };
  hubRoutes(app, api);
  moduleRoutes(app, api);
  const httpsPort = await listen(app, address, listenOn.httpsPort);
  try {
    const mqtt = await startDeviceHub(
      { sandbox, hubName, identity, registry, methods, names, closing: closing.signal },
      { address, port: listenOn.mqttPort },
    );
    acceptMqttOverWebSockets(app.server, mqtt.accept, (path, status) =>
      sandbox.log.record({
        service: "iot-hub-device",
        instance: hubName,
        protocol: "https",
        method: "UPGRADE",
        path,
        status,
      }),
    );
    jobs.start();
    return {
      httpsPort,
      mqttPort: mqtt.port,
      close: async () => {
        closing.abort();
        jobs.close();
        methods.close();
        await Promise.all([app.close(), mqtt.close()]);
        registry.connections.attach(undefined);
      },
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}

function errorBody({ status, message, error }: Failure, now: Date): HttpError {
  if (error instanceof HubFault) {
    return error.toHttp(now);
  }
  if (status === 400) {
    return new HubFault("IotHubFormatError", message).toHttp(now);
  }
  if (status === 429) {
    // Recorded in Azure-Samples/Iot-Telemetry-Simulator#39.
    return hubError(
      429,
      "ThrottlingBacklogTimeout",
      `The request has been throttled. ${message}`,
      now,
    );
  }
  return hubError(status, status === 501 ? "NotImplemented" : "ServerError", message, now);
}

function notWritten(operation: string, now: Date): HttpError {
  const text = `The sandbox does not have this operation: ${operation}`;
  return hubError(501, "NotImplemented", text, now);
}
