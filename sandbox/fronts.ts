/** The services that a sandbox starts, as a table, so that a part of them can run alone. */
import type { LinkedHubOperations, ListenOptions, Sandbox, ServiceEndpoint } from "./common/model";
import type * as provisioningFront from "./dps-service/front";
import type * as hubFront from "./iot-hub/front";
import type * as hubOperations from "./iot-hub/linked-hub-operations";
import type * as azureNative from "./plugins/azure-native/server";

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
  /** Starts the stand-in azure-native plugin; undefined: none, because Pulumi is not installed here. */
  azureNative:
    | ((options: { endpointsFile: string }) => Promise<{ port: number; close(): Promise<void> }>)
    | undefined;
}

/** The real ones. Loaded when asked for: the plugin alone takes half a second. */
export function loadFronts(): Fronts {
  // CommonJS has no other way to load TypeScript late: import() would not find it.
  /* eslint-disable @typescript-eslint/no-require-imports */
  const provisioning = require("./dps-service/front") as typeof provisioningFront;
  const hub = require("./iot-hub/front") as typeof hubFront;
  const operations = require("./iot-hub/linked-hub-operations") as typeof hubOperations;
  const plugin = isPulumiInstalled()
    ? (require("./plugins/azure-native/server") as typeof azureNative)
    : undefined;
  /* eslint-enable @typescript-eslint/no-require-imports */
  return {
    provisioningService: provisioning.startProvisioningFront,
    iotHub: hub.startHubFront,
    linkedHubs: operations.createLinkedHubOperations,
    azureNative: plugin?.startAzureNative,
  };
}

/** What the stand-in plugin needs, and who wants a sandbox without Pulumi does not. */
function isPulumiInstalled(): boolean {
  const needed = ["@pulumi/pulumi/package.json", "@grpc/grpc-js", "google-protobuf"];
  return needed.every((name) => {
    try {
      return require.resolve(name) !== "";
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return false;
      throw error;
    }
  });
}
