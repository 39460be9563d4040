import assert from "node:assert/strict";
import { isIP } from "node:net";
import { IotHubClient } from "@azure/arm-iothub";
import type {
  Certificates,
  IotHub,
  IotHubResource,
  Operations,
  PrivateEndpointConnections,
  PrivateLinkResourcesOperations,
  ResourceProviderCommon,
} from "@azure/arm-iothub";
import { aim } from "./aim";
import { all, GROUP, groupOf, HUB_CLI, openArm, resource, type ArmStage } from "./arm";
import { ASSUMED, Contract, refused } from "./answers";

const PACKAGE = "@azure/arm-iothub";
const SPEC = "azure-rest-api-specs: iothub, 2023-06-30";
const SHAPE = new IotHubClient({} as never, "none");
const contractOf = <T extends object>(name: string) =>
  new Contract<T>(`${PACKAGE} ${name}`, groupOf(SHAPE, name));

describe(PACKAGE, () => {
  const hubs = contractOf<IotHubResource>("iotHubResource");
  const certificates = contractOf<Certificates>("certificates");
  const operations = contractOf<Operations>("operations");
  const failover = contractOf<IotHub>("iotHub");
  const usages = contractOf<ResourceProviderCommon>("resourceProviderCommon");
  const links = contractOf<PrivateLinkResourcesOperations>("privateLinkResourcesOperations");
  const endpoints = contractOf<PrivateEndpointConnections>("privateEndpointConnections");
  let stage: ArmStage;

  before(async () => {
    stage = await openArm();
  });
  after(() => stage.close());

  const named = (name: string) => stage.place.named(name);
  const group = () => stage.place.names.resourceGroup;
  const at = () => [group(), named("hub")] as const;
  const hub = () => stage.hubs.iotHubResource;
  const make = (name: string, options: object = {}, properties: object = {}) =>
    hub().beginCreateOrUpdateAndWait(group(), named(name), resource(properties), options);
  const upload = (name: string, ifMatch?: string) =>
    stage.hubs.certificates.createOrUpdate(
      ...at(),
      name,
      { properties: { certificate: stage.certificate } },
      ifMatch === undefined ? {} : { ifMatch },
    );

  hubs.answers(
    ["beginCreateOrUpdate", "beginCreateOrUpdateAndWait"],
    "201 with an operation; then the host name, an 8-byte etag and the endpoint for events",
    HUB_CLI,
    async () => {
      const made = await make("made");
      assert.equal(made.properties?.state, "Active");
      const host = made.properties?.hostName ?? "";
      // A sandbox with standard ports gives a hub an address in place of a name.
      if (aim?.isSandbox !== true || isIP(host) === 0)
        assert.ok(host.startsWith(`${named("made")}.`));
      assert.equal(Buffer.from(made.etag ?? "", "base64").length, 8);
      assert.equal(made.properties?.eventHubEndpoints?.["events"]?.path, named("made"));
      const poller = await hub().beginCreateOrUpdate(group(), named("made"), resource());
      assert.equal((await poller.pollUntilDone()).name, named("made"));
    },
  );
  hubs.answers("beginCreateOrUpdateAndWait", "412 with an old etag", SPEC, async () => {
    const { etag } = await make("etag");
    await make("etag", { ifMatch: etag });
    await refused(make("etag", { ifMatch: etag }), 412);
  });
  hubs.answers(
    ["get", "listByResourceGroup", "listBySubscription"],
    "the same of each hub, without its policies",
    HUB_CLI,
    async () => {
      const one = await hub().get(...at());
      assert.equal(one.properties?.authorizationPolicies, undefined);
      for (const list of [hub().listByResourceGroup(group()), hub().listBySubscription()]) {
        assert.deepEqual(
          (await all(list)).find(({ name }) => name === named("hub")),
          {
            ...one,
          },
        );
      }
    },
  );
  hubs.answers(
    "get",
    "404 ResourceNotFound when there is none",
    "learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found",
    async () => refused(hub().get(group(), named("nobody")), 404, "ResourceNotFound"),
  );
  hubs.answers(["beginUpdate", "beginUpdateAndWait"], "tags", SPEC, async () => {
    await make("tagged");
    const { tags } = await hub().beginUpdateAndWait(group(), named("tagged"), {
      tags: { team: "a" },
    });
    assert.deepEqual(tags, { team: "a" });
    const poller = await hub().beginUpdate(group(), named("tagged"), { tags: {} });
    assert.deepEqual((await poller.pollUntilDone()).tags, {});
  });
  hubs.answers(["beginDelete", "beginDeleteAndWait"], "then 404", SPEC, async () => {
    await make("gone");
    await hub().beginDeleteAndWait(group(), named("gone"));
    await refused(hub().get(group(), named("gone")), 404);
    await (await hub().beginDelete(group(), named("gone"))).pollUntilDone();
  });
  hubs.answers("listValidSkus", "S1, S2, S3 with their bounds", SPEC, async () => {
    const skus = await all(hub().listValidSkus(...at()));
    assert.deepEqual(
      skus.map(({ sku, capacity }) => [sku.name, capacity.maximum]),
      [
        ["S1", 200],
        ["S2", 200],
        ["S3", 10],
      ],
    );
  });
  hubs.answers(
    ["listKeys", "getKeysForKeyName"],
    "the five policies of a new hub; one by its name",
    "learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas",
    async () => {
      const keys = await all(hub().listKeys(...at()));
      assert.deepEqual(
        keys.map(({ keyName }) => keyName),
        ["iothubowner", "service", "device", "registryRead", "registryReadWrite"],
      );
      assert.deepEqual(await hub().getKeysForKeyName(...at(), "service"), keys[1]);
    },
  );
  hubs.answers("getKeysForKeyName", "404 when there is no such policy", ASSUMED, async () =>
    refused(hub().getKeysForKeyName(...at(), "nobody"), 404),
  );
  hubs.answers("getStats", "how many devices there are", SPEC, async () => {
    const none = { totalDeviceCount: 0, enabledDeviceCount: 0, disabledDeviceCount: 0 };
    assert.deepEqual(await hub().getStats(...at()), none);
    await refused(hub().getStats(group(), named("nobody")), 404);
  });
  hubs.answers("checkNameAvailability", "whether a name is free", SPEC, async () => {
    const check = (name: string) => hub().checkNameAvailability({ name: named(name) });
    assert.equal((await check("free")).nameAvailable, true);
    assert.equal((await check("hub")).nameAvailable, false);
  });
  const events = [GROUP, "hub", "events"] as const;
  const blob = { exportBlobContainerUri: "https://x", excludeKeys: true };
  const route = { name: "x", source: "DeviceMessages", endpointNames: ["events"], isEnabled: true };
  hubs.notThere("listEventHubConsumerGroups", () =>
    all(hub().listEventHubConsumerGroups(...events)),
  );
  hubs.notThere("getEventHubConsumerGroup", () => hub().getEventHubConsumerGroup(...events, "x"));
  hubs.notThere("createEventHubConsumerGroup", () =>
    hub().createEventHubConsumerGroup(...events, "x", { properties: { name: "x" } }),
  );
  hubs.notThere("deleteEventHubConsumerGroup", () =>
    hub().deleteEventHubConsumerGroup(...events, "x"),
  );
  hubs.notThere("listJobs", () => all(hub().listJobs(GROUP, "hub")));
  hubs.notThere("getJob", () => hub().getJob(GROUP, "hub", "x"));
  hubs.notThere("listQuotaMetrics", () => all(hub().listQuotaMetrics(GROUP, "hub")));
  hubs.notThere("listEndpointHealth", () => all(hub().listEndpointHealth(GROUP, "hub")));
  hubs.notThere("testAllRoutes", () => hub().testAllRoutes("hub", GROUP, {}));
  hubs.notThere("testRoute", () => hub().testRoute("hub", GROUP, { route }));
  hubs.notThere("exportDevices", () => hub().exportDevices(GROUP, "hub", blob));
  hubs.notThere("importDevices", () =>
    hub().importDevices(...at(), {
      inputBlobContainerUri: "https://x",
      outputBlobContainerUri: "https://x",
    }),
  );

  certificates.answers(
    "createOrUpdate",
    "200, the PEM's certificate, not verified; an update needs the newest etag",
    HUB_CLI,
    async () => {
      const { type, etag, properties } = await upload("made");
      assert.equal(type, "Microsoft.Devices/IotHubs/Certificates");
      assert.equal(properties?.isVerified, false);
      assert.equal(Buffer.from(etag ?? "", "base64").length, 8);
      await refused(upload("made"), 412);
      await upload("made", etag);
    },
  );
  certificates.answers(
    ["get", "listByIotHub"],
    "what was uploaded, and 404 when there is none",
    HUB_CLI,
    async () => {
      await upload("read");
      const one = await stage.hubs.certificates.get(...at(), "read");
      const { value } = await stage.hubs.certificates.listByIotHub(...at());
      assert.deepEqual(
        value?.find(({ name }) => name === "read"),
        one,
      );
      await refused(stage.hubs.certificates.get(...at(), "nobody"), 404);
    },
  );
  certificates.answers(
    ["generateVerificationCode", "verify", "delete"],
    "a code, its proof, and the end, each with the etag of the step before",
    HUB_CLI,
    async () => {
      const client = stage.hubs.certificates;
      const { etag } = await upload("proved");
      const coded = await client.generateVerificationCode(...at(), "proved", etag!);
      const { verificationCode = "" } = coded.properties ?? {};
      const certificate = Buffer.from((await stage.ca.leaf(verificationCode)).pem).toString(
        "base64",
      );
      await refused(client.verify(...at(), "proved", etag!, { certificate }), 412);
      const proved = await client.verify(...at(), "proved", coded.etag!, { certificate });
      assert.equal(proved.properties?.isVerified, true);
      await refused(client.delete(...at(), "proved", coded.etag!), 412);
      await client.delete(...at(), "proved", proved.etag!);
      await refused(client.get(...at(), "proved"), 404);
    },
  );

  operations.answers("list", "the rights that the sandbox has something for", SPEC, async () => {
    const names = (await all(stage.hubs.operations.list())).map(({ name }) => name);
    assert.ok(names.includes("Microsoft.Devices/iotHubs/certificates/verify/Action"));
  });

  const west = { failoverRegion: "westeurope" };
  failover.notThere("beginManualFailover", () =>
    stage.hubs.iotHub.beginManualFailover("hub", GROUP, west),
  );
  failover.notThere("beginManualFailoverAndWait", () =>
    stage.hubs.iotHub.beginManualFailoverAndWait("hub", GROUP, west),
  );
  usages.notThere("getSubscriptionQuota", () =>
    stage.hubs.resourceProviderCommon.getSubscriptionQuota(),
  );
  links.notThere("list", () => stage.hubs.privateLinkResourcesOperations.list(GROUP, "hub"));
  links.notThere("get", () => stage.hubs.privateLinkResourcesOperations.get(GROUP, "hub", "x"));
  endpoints.notThere("list", () => stage.hubs.privateEndpointConnections.list(GROUP, "hub"));
  endpoints.notThere("get", () => stage.hubs.privateEndpointConnections.get(GROUP, "hub", "x"));
  const connection = {
    properties: {
      privateLinkServiceConnectionState: { status: "Approved", description: "x" },
    },
  };
  for (const wait of ["", "AndWait"] as const) {
    endpoints.notThere(`beginUpdate${wait}`, () =>
      stage.hubs.privateEndpointConnections[`beginUpdate${wait}`](...at(), "x", connection),
    );
    endpoints.notThere(`beginDelete${wait}`, () =>
      stage.hubs.privateEndpointConnections[`beginDelete${wait}`](...at(), "x"),
    );
  }
});
