/** Another hub of the DPS, to which nobody is assigned. */
import {
  type IotHubDefinitionDescription,
  IotDpsClient,
} from "@azure/arm-deviceprovisioningservices";
import { IotHubClient } from "@azure/arm-iothub";
import type { Stage } from "./stage";

export class SecondHub {
  private constructor(
    private readonly stage: Stage,
    readonly connectionString: string,
  ) {}

  static async linked(stage: Stage): Promise<SecondHub> {
    const { subscriptionId, credential, clientOptions } = stage.sandbox;
    const hubs = new IotHubClient(credential, subscriptionId, clientOptions).iotHubResource;
    const hub = await hubs.beginCreateOrUpdateAndWait("rg", "hub-2", {
      location: "westus",
      sku: { name: "S1", capacity: 1 },
    });
    const { primaryKey } = await hubs.getKeysForKeyName("rg", "hub-2", "iothubowner");
    const connectionString = `HostName=${hub.properties?.hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=${primaryKey}`;
    const second = new SecondHub(stage, connectionString);
    await second.link();
    return second;
  }

  get host(): string {
    return /HostName=([^;]+)/.exec(this.connectionString)![1]!;
  }

  async link(): Promise<void> {
    await this.write([
      { location: "westus", connectionString: this.connectionString, applyAllocationPolicy: false },
    ]);
  }

  async unlink(): Promise<void> {
    await this.write([]);
  }

  private async write(own: IotHubDefinitionDescription[]): Promise<void> {
    const { subscriptionId, credential, clientOptions } = this.stage.sandbox;
    const services = new IotDpsClient(credential, subscriptionId, clientOptions).iotDpsResource;
    const service = await services.get("dps", "rg");
    const others = (service.properties.iotHubs ?? []).filter(({ name }) => name !== this.host);
    await services.beginCreateOrUpdateAndWait("rg", "dps", {
      ...service,
      properties: { ...service.properties, iotHubs: [...others, ...own] },
    });
  }
}
