/** A resource group with an IoT hub and a DPS instance that is linked to it, made by Microsoft's clients. */
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { IotHubClient } from "@azure/arm-iothub";
import type { TokenCredential } from "@azure/identity";
import type { HttpAnswer, TestSandbox } from "./sandbox";

/** The resource manager, of Azure or of a sandbox. */
export interface ResourceManager {
  subscriptionId: string;
  credential: TokenCredential;
  clientOptions: { endpoint: string };
  arm: TestSandbox["arm"];
}

export interface PairNames {
  location: string;
  resourceGroup: string;
  hub: string;
  service: string;
}

export interface LinkedPair {
  /** Host names and scope, as the resource manager answers them. */
  hub: string;
  idScope: string;
  serviceHostName: string;
  /** Where devices register. */
  deviceHostName: string;
}

export async function makeLinkedPair(
  { subscriptionId, credential, clientOptions, arm }: ResourceManager,
  names: PairNames,
): Promise<LinkedPair> {
  const { location, resourceGroup } = names;
  const group = `/subscriptions/${subscriptionId}/resourcegroups/${resourceGroup}`;
  expectSuccess(await arm("PUT", group, { apiVersion: "2021-04-01", body: { location } }));
  const sku = { name: "S1", capacity: 1 };
  const hubs = new IotHubClient(credential, subscriptionId, clientOptions);
  const hub = await hubs.iotHubResource.beginCreateOrUpdateAndWait(resourceGroup, names.hub, {
    location,
    sku,
  });
  const hostName = hub.properties?.hostName ?? "";
  const owner = await hubs.iotHubResource.getKeysForKeyName(
    resourceGroup,
    names.hub,
    "iothubowner",
  );
  const connectionString = `HostName=${hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=${owner.primaryKey}`;
  const services = new IotDpsClient(credential, subscriptionId, clientOptions);
  const { properties } = await services.iotDpsResource.beginCreateOrUpdateAndWait(
    resourceGroup,
    names.service,
    { location, sku, properties: { iotHubs: [{ location, connectionString }] } },
  );
  return {
    hub: hostName,
    idScope: properties.idScope ?? "",
    serviceHostName: properties.serviceOperationsHostName ?? "",
    deviceHostName: properties.deviceProvisioningHostName ?? "",
  };
}

export function expectSuccess({ status, body }: HttpAnswer): void {
  if (status >= 300) {
    throw new Error(`the resource manager answered ${status}: ${JSON.stringify(body)}`);
  }
}
