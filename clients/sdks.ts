/**
 * Microsoft's SDKs, each loaded when it is first used: a preview needs none of them, and together they
 * take the better part of a second to load.
 */
import type * as DeviceProvisioning from "@azure/arm-deviceprovisioningservices";
import type * as IotHub from "@azure/arm-iothub";
import type * as Identity from "@azure/identity";
import type * as ProvisioningService from "azure-iot-provisioning-service";
import type * as Hub from "azure-iothub";

/* eslint-disable @typescript-eslint/no-require-imports -- `import()` would make callers asynchronous */
export const sdks = {
  deviceProvisioning: () =>
    require("@azure/arm-deviceprovisioningservices") as typeof DeviceProvisioning,
  iotHub: () => require("@azure/arm-iothub") as typeof IotHub,
  identity: () => require("@azure/identity") as typeof Identity,
  provisioningService: () =>
    require("azure-iot-provisioning-service") as typeof ProvisioningService,
  hub: () => require("azure-iothub") as typeof Hub,
};
