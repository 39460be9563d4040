/** What the cases about the resource manager share: one place a file. */
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { IotHubClient } from "@azure/arm-iothub";
import { TestCa } from "../support/test-ca";
import { aim } from "./aim";
import { openPlace, type Place } from "./place";

export const DPS_CLI = "recorded: azure-cli, test_dps_lifecycle, 2021-10-15";
export const DPS_CERTIFICATE_CLI =
  "recorded: azure-cli, test_dps_certificate_lifecycle, 2021-10-15";
export const HUB_CLI = "recorded: azure-cli, test_certificate_lifecycle, 2021-03-31";

/** Of the operations that a sandbox alone is asked for, because it does not have them. */
export const GROUP = "rg";

export interface ArmStage {
  place: Place;
  dps: IotDpsClient;
  hubs: IotHubClient;
  ca: TestCa;
  /** base64 of the CA's PEM, as both clients send it. */
  certificate: string;
  close(): Promise<void>;
}

export async function openArm(): Promise<ArmStage> {
  const place = await openPlace();
  const { credential, subscriptionId, clientOptions } = place;
  const ca = await TestCa.root("Contoso root");
  return {
    place,
    dps: new IotDpsClient(credential, subscriptionId, clientOptions),
    hubs: new IotHubClient(credential, subscriptionId, clientOptions),
    ca,
    certificate: Buffer.from(ca.pem).toString("base64"),
    close: () => place.close(),
  };
}

export function resource(properties: object = {}) {
  return { location: aim?.location ?? "westus", sku: { name: "S1", capacity: 1 }, properties };
}

export async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of pages) found.push(one);
  return found;
}

/** A client's operations, without the ones that page through a list behind another. */
export function groupOf(client: object, name: string): string[] {
  const group = (client as Record<string, object>)[name]!;
  return Object.getOwnPropertyNames(Object.getPrototypeOf(group)).filter(
    (one) => one !== "constructor" && !/^_|Paging(Page|All)$/.test(one),
  );
}
