/**
 * `/providers/Microsoft.Devices/operations`: what roles can be given the right to. Only what the
 * sandbox has is listed; names as learn.microsoft.com/azure/role-based-access-control/permissions
 * ("Microsoft.Devices") spells them, words as azure-rest-api-specs' example DPSOperations has them.
 */
import type { FastifyInstance } from "fastify";

const HUB = "IotHubs";
const SERVICE = "ProvisioningServices";

const OPERATIONS: [name: string, resource: string, operation: string][] = [
  ["register/action", HUB, "Register Resource Provider"],
  ["operations/Read", HUB, "Get All ResourceProvider Operations"],
  ["operationresults/Read", HUB, "Get Operation Result"],
  ["checkNameAvailability/Action", HUB, "Check If IotHub name is available"],
  ["iotHubs/Read", HUB, "Get IotHub(s)"],
  ["iotHubs/Write", HUB, "Create or update IotHub Resource"],
  ["iotHubs/Delete", HUB, "Delete IotHub Resource"],
  ["iotHubs/skus/Read", HUB, "Get valid IotHub Skus"],
  ["iotHubs/iotHubStats/Read", HUB, "Get IotHub Statistics"],
  ["iotHubs/listkeys/Action", HUB, "Get all IotHub Keys"],
  ["iotHubs/iotHubKeys/listkeys/Action", HUB, "Get IotHub Key for the given name"],
  ["iotHubs/certificates/Read", HUB, "Gets the Certificate"],
  ["iotHubs/certificates/Write", HUB, "Create or Update Certificate"],
  ["iotHubs/certificates/Delete", HUB, "Deletes Certificate"],
  ["iotHubs/certificates/generateVerificationCode/Action", HUB, "Generate Verification code"],
  ["iotHubs/certificates/verify/Action", HUB, "Verify Certificate resource"],
  [
    "checkProvisioningServiceNameAvailability/Action",
    SERVICE,
    "Check If Provisioning Service name is available",
  ],
  ["provisioningServices/Read", SERVICE, "Get Provisioning Service resource"],
  ["provisioningServices/Write", SERVICE, "Create Provisioning Service resource"],
  ["provisioningServices/Delete", SERVICE, "Delete Provisioning Service resource"],
  ["provisioningServices/skus/Read", SERVICE, "Get valid IotDps Skus"],
  ["provisioningServices/listkeys/Action", SERVICE, "Get all IotDps keys"],
  ["provisioningServices/keys/listkeys/Action", SERVICE, "Get IotDps Key for key name"],
  ["provisioningServices/certificates/Read", SERVICE, "Gets the Certificate"],
  ["provisioningServices/certificates/Write", SERVICE, "Create or Update Certificate"],
  ["provisioningServices/certificates/Delete", SERVICE, "Deletes Certificate"],
  [
    "provisioningServices/certificates/generateVerificationCode/Action",
    SERVICE,
    "Generate Verification code",
  ],
  ["provisioningServices/certificates/verify/Action", SERVICE, "Verify Certificate resource"],
];

export function registerOperationsList(app: FastifyInstance): void {
  app.get("/providers/Microsoft.Devices/operations", async () => ({
    value: OPERATIONS.map(([name, resource, operation]) => ({
      name: `Microsoft.Devices/${name}`,
      display: { provider: "Microsoft Devices", resource, operation },
    })),
  }));
}
