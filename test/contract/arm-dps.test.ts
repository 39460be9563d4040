import assert from "node:assert/strict";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import type { IotDpsResource, Operations } from "@azure/arm-deviceprovisioningservices";
import { all, DPS_CLI, GROUP, groupOf, openArm, resource, type ArmStage } from "./arm";
import { pause } from "./aim";
import { ASSUMED, Contract, refused } from "./answers";

const PACKAGE = "@azure/arm-deviceprovisioningservices";
const SPEC = "azure-rest-api-specs: deviceprovisioningservices, 2022-02-05";
const SHAPE = new IotDpsClient({} as never, "none");

describe(PACKAGE, () => {
  const services = new Contract<IotDpsResource>(
    `${PACKAGE} iotDpsResource`,
    groupOf(SHAPE, "iotDpsResource"),
  );
  const operations = new Contract<Operations>(
    `${PACKAGE} operations`,
    groupOf(SHAPE, "operations"),
  );
  let stage: ArmStage;

  before(async () => {
    stage = await openArm();
  });
  after(() => stage.close());

  const named = (name: string) => stage.place.named(name);
  const group = () => stage.place.names.resourceGroup;
  const at = () => [named("dps"), group()] as const;
  const service = () => stage.dps.iotDpsResource;
  const make = (name: string, properties: object = {}) =>
    service().beginCreateOrUpdateAndWait(group(), named(name), resource(properties));
  // Services.
  services.answers(
    ["beginCreateOrUpdate", "beginCreateOrUpdateAndWait", "getOperationResult"],
    "201 Activating without scope and etag; the operation's address tells when it is there",
    DPS_CLI,
    async () => {
      const path = `/subscriptions/${stage.place.subscriptionId}/resourceGroups/${group()}/providers/Microsoft.Devices/provisioningServices/${named("begun")}`;
      const { status, body, headers } = await stage.place.arm("PUT", path, { body: resource() });
      assert.equal(status, 201);
      assert.deepEqual(
        [body.properties["state"], body.properties["idScope"], body.etag],
        ["Activating", null, undefined],
      );
      const address = new URL(String(headers["azure-asyncoperation"]));
      assert.equal(headers["location"], undefined);
      const id = address.pathname.split("/").at(-1)!;
      for (;;) {
        const result = await service().getOperationResult(id, group(), named("begun"), "");
        if (result.status === "Succeeded") break;
        assert.notEqual(result.status, "Failed");
        await pause();
      }
      const poller = await service().beginCreateOrUpdate(group(), named("begun"), resource());
      const { properties, etag } = await poller.pollUntilDone();
      assert.match(properties.idScope ?? "", /^0ne[0-9A-F]{8}$/);
      assert.equal(Buffer.from(etag ?? "", "base64").length, 8);
    },
  );
  services.answers(
    "beginCreateOrUpdateAndWait",
    "policies that are not sent stay, and a new one without keys gets keys",
    DPS_CLI,
    async () => {
      await make("policies");
      const owner = await service().listKeysForKeyName(
        named("policies"),
        "provisioningserviceowner",
        group(),
      );
      const authorizationPolicies = [owner, { keyName: "reader", rights: "EnrollmentRead" }];
      await make("policies", { authorizationPolicies });
      await make("policies");
      const keys = await all(service().listKeys(named("policies"), group()));
      assert.deepEqual(
        keys.map(({ keyName, primaryKey }) => [
          keyName,
          Buffer.from(primaryKey ?? "", "base64").length,
        ]),
        [
          ["provisioningserviceowner", 32],
          ["reader", 32],
        ],
      );
      assert.equal(keys[0]?.primaryKey, owner.primaryKey);
    },
  );
  services.answers(
    "beginCreateOrUpdateAndWait",
    "a linked hub's key is masked, and the masked entry may be sent back",
    "azure-iot-cli-extension#878",
    async () => {
      const { properties } = await service().get(...at());
      const [shown] = properties.iotHubs ?? [];
      assert.match(shown?.connectionString ?? "", /SharedAccessKey=\*{4}/);
      assert.equal(shown?.name, stage.place.hub);
      const sent = { iotHubs: properties.iotHubs, allocationPolicy: "Static" };
      const { properties: now } = await make("dps", sent);
      assert.equal(now.allocationPolicy, "Static");
      assert.equal(now.iotHubs?.length, 1);
    },
  );
  services.answers(
    ["get", "listByResourceGroup", "listBySubscription"],
    "the same of each service, without its policies",
    DPS_CLI,
    async () => {
      const one = await service().get(...at());
      assert.equal(one.properties.authorizationPolicies, undefined);
      assert.equal(one.properties.state, "Active");
      const lists = [
        await all(service().listByResourceGroup(group())),
        await all(service().listBySubscription()),
      ];
      for (const list of lists) {
        assert.deepEqual(
          list.find(({ name }) => name === named("dps"))?.properties.idScope,
          one.properties.idScope,
        );
      }
    },
  );
  services.answers(
    "get",
    "404 ResourceNotFound when there is none",
    "learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found",
    async () => refused(service().get(named("nobody"), group()), 404, "ResourceNotFound"),
  );
  services.answers(
    ["beginUpdate", "beginUpdateAndWait"],
    "tags, and nothing else",
    SPEC,
    async () => {
      await make("tagged");
      const { tags, properties } = await service().beginUpdateAndWait(group(), named("tagged"), {
        tags: { team: "a" },
      });
      assert.deepEqual(tags, { team: "a" });
      assert.equal(properties.state, "Active");
      const poller = await service().beginUpdate(group(), named("tagged"), { tags: {} });
      assert.deepEqual((await poller.pollUntilDone()).tags, {});
    },
  );
  services.answers(
    ["beginDelete", "beginDeleteAndWait"],
    "202 with an address, then 404, and 204 to who deletes again",
    DPS_CLI,
    async () => {
      await make("gone");
      await service().beginDeleteAndWait(named("gone"), group());
      await refused(service().get(named("gone"), group()), 404);
      await (await service().beginDelete(named("gone"), group())).pollUntilDone();
    },
  );
  services.answers("listValidSkus", "S1", SPEC, async () => {
    assert.deepEqual(await all(service().listValidSkus(...at())), [{ name: "S1" }]);
    await refused(all(service().listValidSkus(named("nobody"), group())), 404);
  });
  services.answers(
    ["listKeys", "listKeysForKeyName"],
    "the owner's policy of a new service; one policy by its name",
    DPS_CLI,
    async () => {
      const [owner, ...others] = await all(service().listKeys(...at()));
      assert.deepEqual(others, []);
      assert.equal(owner?.rights, "ServiceConfig, DeviceConnect, EnrollmentWrite");
      const one = await service().listKeysForKeyName(
        named("dps"),
        "provisioningserviceowner",
        group(),
      );
      assert.deepEqual(one, owner);
    },
  );
  services.answers("listKeysForKeyName", "404 when there is no such policy", ASSUMED, async () =>
    refused(service().listKeysForKeyName(named("dps"), "nobody", group()), 404),
  );
  services.answers(
    "checkProvisioningServiceNameAvailability",
    "whether a name is free, with the reason Invalid also when it is",
    DPS_CLI,
    async () => {
      const check = (name: string) =>
        service().checkProvisioningServiceNameAvailability({ name: named(name) });
      assert.deepEqual(
        { ...(await check("free")) },
        { nameAvailable: true, reason: "Invalid", message: null },
      );
      assert.equal((await check("dps")).nameAvailable, false);
    },
  );
  const connection = {} as never;
  services.notThere("listPrivateLinkResources", () =>
    service().listPrivateLinkResources(GROUP, "dps"),
  );
  services.notThere("getPrivateLinkResources", () =>
    service().getPrivateLinkResources(GROUP, "dps", "x"),
  );
  services.notThere("listPrivateEndpointConnections", () =>
    service().listPrivateEndpointConnections(GROUP, "dps"),
  );
  services.notThere("getPrivateEndpointConnection", () =>
    service().getPrivateEndpointConnection(GROUP, "dps", "x"),
  );
  for (const wait of ["", "AndWait"] as const) {
    services.notThere(`beginCreateOrUpdatePrivateEndpointConnection${wait}`, () =>
      service()[`beginCreateOrUpdatePrivateEndpointConnection${wait}`](
        GROUP,
        "dps",
        "x",
        connection,
      ),
    );
    services.notThere(`beginDeletePrivateEndpointConnection${wait}`, () =>
      service()[`beginDeletePrivateEndpointConnection${wait}`](GROUP, "dps", "x"),
    );
  }

  operations.answers("list", "the rights that the sandbox has something for", SPEC, async () => {
    const names = (await all(stage.dps.operations.list())).map(({ name }) => name);
    assert.ok(names.includes("Microsoft.Devices/provisioningServices/certificates/verify/Action"));
    assert.ok(names.every((name) => name?.startsWith("Microsoft.Devices/")));
  });
});
