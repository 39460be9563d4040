/** The services that a sandbox starts, as a table, so that a part of them can run alone. */
import type { LinkedHubOperations, ListenOptions, Sandbox, ServiceEndpoint } from "./common/model";

type StartFront = (
  sandbox: Sandbox,
  name: string,
  listen: ListenOptions,
) => Promise<ServiceEndpoint>;

export interface Fronts {
  /** Starts the listeners of one DPS instance. */
  provisioningService: StartFront;
  /** Starts the listeners of one IoT hub. */
  iotHub: StartFront;
  /** What hubs do for the DPS instances that link them. */
  linkedHubs(sandbox: Sandbox): LinkedHubOperations;
  /** Starts the stand-in azure-native plugin; undefined: none. */
  azureNative:
    | ((options: { endpointsFile: string }) => Promise<{ port: number; close(): Promise<void> }>)
    | undefined;
}

/** The real ones. Loaded when asked for: the plugin alone takes half a second. */
export async function loadFronts(): Promise<Fronts> {
  const [provisioning, hub, operations, plugin] = await Promise.all([
    import("./dps-service/front.js"),
    import("./iot-hub/front.js"),
    import("./iot-hub/linked-hub-operations.js"),
    import("./plugins/azure-native/server.js"),
  ]);
  return {
    provisioningService: provisioning.startProvisioningFront,
    iotHub: hub.startHubFront,
    linkedHubs: operations.createLinkedHubOperations,
    azureNative: plugin.startAzureNative,
  };
}
