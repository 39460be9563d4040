import assert from "node:assert/strict";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { IotHubClient } from "@azure/arm-iothub";
import { Registry } from "azure-iothub";
import { HubRegistry } from "../../clients/hub-registry";
import type { ReprovisionPolicy } from "../../dynamic-providers/enrollment/live";
import { individualEnrollment } from "../../dynamic-providers/individual-enrollment/provider";
import { type Issued, TestCa } from "../support/test-ca";
import { slot, Stage } from "./stage";

/**
 * What the provider declares, and what DPS does with a device that registers again when another hub is
 * allocated to it. Sources: learn.microsoft.com/azure/iot-dps/concepts-device-reprovision; substatus:
 * rest/api/iot-dps, "DeviceRegistrationState"; the thumbprint with `never`: azure-docs#24358.
 */
describe("the reprovision policy of an enrollment", () => {
  let stage: Stage;
  let first: string;
  let second: string;

  before(async () => {
    stage = await Stage.open();
    first = stage.sandbox.hub;
    second = await linkAnotherHub();
  });

  after(() => stage.close());

  /** A second hub, linked to the DPS instance beside the first one. */
  async function linkAnotherHub(): Promise<string> {
    const { credential, subscriptionId, clientOptions } = stage.sandbox;
    const { resourceGroup, service } = stage.connection;
    const hubs = new IotHubClient(credential, subscriptionId, clientOptions).iotHubResource;
    await hubs.beginCreateOrUpdateAndWait(resourceGroup, "other", {
      location: "westus",
      sku: { name: "S1", capacity: 1 },
    });
    const services = new IotDpsClient(credential, subscriptionId, clientOptions).iotDpsResource;
    const dps = await services.get(service, resourceGroup);
    const linked = stage.sandbox.endpoints().iotHubs.map(({ connectionString }) => ({
      connectionString,
      location: "westus",
    }));
    await services.beginCreateOrUpdateAndWait(resourceGroup, service, {
      ...dps,
      properties: { ...dps.properties, iotHubs: linked },
    });
    const other = stage.sandbox.endpoints().iotHubs.find(({ hostName }) => hostName !== first);
    return other!.hostName;
  }

  async function register(id: string, { pem: cert, key }: Issued): Promise<void> {
    const [service] = stage.sandbox.endpoints().provisioningServices;
    const url = `${service?.device.https}/${stage.sandbox.idScope}/registrations/${id}`;
    const ask = (method: string, path: string, body?: object) =>
      stage.sandbox.http(method, `${url}/${path}?api-version=2019-03-31`, { cert, key, body });
    const begun = (await ask("PUT", "register", { registrationId: id })).body;
    const { operationId } = begun as unknown as { operationId: string };
    assert.equal((await ask("GET", `operations/${operationId}`)).body.status, "assigned");
  }

  /** Where the device is after it was in `first`, with its own tags, and DPS allocates `second`. */
  async function moved(id: string, reprovisionPolicy: ReprovisionPolicy) {
    const [old, renewed] = [await TestCa.selfSigned(id), await TestCa.selfSigned(id)];
    const { outs } = await individualEnrollment.create({
      connection: stage.connection,
      enrollmentId: id,
      provisioningStatus: "enabled",
      reprovisionPolicy,
      compromised: [],
      primary: slot(old),
      secondary: slot(renewed),
    });
    assert.equal(outs.live.reprovisionPolicy, reprovisionPolicy);
    const initialTwin = { tags: { from: "initial" }, properties: { desired: { rate: 1 } } };
    await stage.byHand("individual", id, { iotHubs: [first], initialTwin });
    await register(id, old);
    const at = stage.sandbox.endpoints().iotHubs.find(({ hostName }) => hostName === first);
    const patch = { tags: { site: "north" }, properties: { desired: { rate: 7 } } };
    await Registry.fromConnectionString(at!.connectionString).updateTwin(id, patch, "*");
    await stage.byHand("individual", id, { iotHubs: [second] });
    await register(id, renewed);
    const record = await stage.enrollments.getRegistration(id);
    const places = await Promise.all(
      [first, second].map(async (hub) => {
        const registry = new HubRegistry(stage.connection, hub);
        const identity = await registry.getIdentity(id);
        const twin = identity && (await registry.getTwin(id));
        return (
          twin && {
            tags: twin.tags,
            desired: twin.desired,
            newest: identity.thumbprints.includes(renewed.thumbprint),
          }
        );
      }),
    );
    return { hub: record?.assignedHub, substatus: record?.substatus, places };
  }

  const own = { tags: { from: "initial", site: "north" }, desired: { rate: 7 }, newest: true };

  it("migrate: the device goes to the other hub, and its twin with it", async () => {
    assert.deepEqual(await moved("truck-m", "migrate"), {
      hub: second,
      substatus: "deviceDataMigrated",
      places: [undefined, own],
    });
  });

  it("reset: the device goes to the other hub, and its twin begins anew", async () => {
    assert.deepEqual(await moved("truck-r", "reset"), {
      hub: second,
      substatus: "deviceDataReset",
      places: [undefined, { tags: { from: "initial" }, desired: { rate: 1 }, newest: true }],
    });
  });

  it("never: the device stays, and its hub is given the new leaf all the same", async () => {
    assert.deepEqual(await moved("truck-n", "never"), {
      hub: first,
      substatus: "reprovisionedToInitialAssignment",
      places: [own, undefined],
    });
  });
});
