import assert from "node:assert/strict";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { IotHubClient } from "@azure/arm-iothub";
import { ResourceManagementClient } from "@azure/arm-resources";
import { type Deletion, pendingKey } from "../../../sandbox/arm/context";
import { ARM_ONLY, openSandbox, type TestSandbox } from "../../support/sandbox";

describe("ARM through Microsoft's own clients", () => {
  let sandbox: TestSandbox;
  let groups: ResourceManagementClient;
  let dps: IotDpsClient;
  let hubs: IotHubClient;

  before(async () => {
    sandbox = await openSandbox({ fronts: ARM_ONLY });
    const { credential, subscriptionId, clientOptions } = sandbox;
    groups = new ResourceManagementClient(credential, subscriptionId, clientOptions);
    dps = new IotDpsClient(credential, subscriptionId, clientOptions);
    hubs = new IotHubClient(credential, subscriptionId, clientOptions);
    await groups.resourceGroups.createOrUpdate("factory", { location: "westeurope" });
  });

  after(() => sandbox.close());

  it("creates, changes, lists and deletes a resource group with everything in it", async () => {
    const created = await groups.resourceGroups.createOrUpdate("Line-1", {
      location: "westeurope",
      tags: { team: "a" },
    });
    assert.equal(created.properties?.provisioningState, "Succeeded");
    assert.equal((await groups.resourceGroups.checkExistence("LINE-1")).body, true);
    assert.equal((await groups.resourceGroups.checkExistence("line-2")).body, false);
    const patched = await groups.resourceGroups.update("line-1", { tags: { team: "b" } });
    assert.deepEqual(patched.tags, { team: "b" });
    assert.equal(patched.name, "Line-1");
    await dps.iotDpsResource.beginCreateOrUpdateAndWait("line-1", "dps-in-line-1", service());
    await hubs.iotHubResource.beginCreateOrUpdateAndWait("line-1", "hub-in-line-1", hub());

    await groups.resourceGroups.beginDeleteAndWait("line-1");

    await assert.rejects(groups.resourceGroups.get("line-1"), { code: "ResourceGroupNotFound" });
    assert.equal(sandbox.sandbox.services.has("dps-in-line-1"), false);
    assert.equal(sandbox.sandbox.hubs.has("hub-in-line-1"), false);
  });

  it("takes no write into a resource group that is being deleted", async () => {
    await groups.resourceGroups.createOrUpdate("going", { location: "westeurope" });
    await dps.iotDpsResource.beginCreateOrUpdateAndWait("going", "dps-in-going", service());
    const deletions = sandbox.sandbox.collection<Deletion>("arm-deletions");
    const key = pendingKey("resource-group", "going");
    // Accepted, and under way.
    deletions.put(key, { kind: "resource-group", name: "going" });
    const refused = { statusCode: 409, code: "ResourceGroupBeingDeleted" };
    await assert.rejects(
      groups.resourceGroups.createOrUpdate("going", { location: "westeurope" }),
      refused,
    );
    await assert.rejects(groups.resourceGroups.update("going", { tags: {} }), refused);
    await assert.rejects(
      hubs.iotHubResource.beginCreateOrUpdateAndWait("going", "late", hub()),
      refused,
    );
    await assert.rejects(
      dps.iotDpsResource.beginUpdateAndWait("going", "dps-in-going", { tags: {} }),
      refused,
    );
    const { properties } = await groups.resourceGroups.get("going");
    assert.equal(properties?.provisioningState, "Deleting");
    deletions.delete(key);
    await groups.resourceGroups.beginDeleteAndWait("going");
  });

  it("refuses to move a resource group", async () => {
    await assert.rejects(groups.resourceGroups.createOrUpdate("factory", { location: "westus" }), {
      statusCode: 409,
      code: "InvalidResourceGroupLocation",
    });
  });

  it("creates a DPS instance whose scope and host name appear when it is done", async () => {
    const answer = await sandbox.arm("PUT", path("provisioningServices/first"), {
      body: service(),
    });
    assert.equal(answer.status, 201);
    assert.equal(answer.body.properties.idScope, null);
    assert.equal(answer.body.properties.state, "Activating");
    assert.equal(answer.headers["retry-after"], "1");
    // The address of an operation works without an api-version, which Python does not add.
    const poll = String(answer.headers["azure-asyncoperation"]);
    assert.match(poll, /operationResults\/[\w-]+\?api-version=2022-02-05&asyncinfo$/);
    const status = await sandbox.arm("GET", poll.replace("api-version=2022-02-05&", ""));
    assert.equal(status.body.status, "Succeeded");

    const found = await dps.iotDpsResource.get("first", "FACTORY");
    assert.match(found.properties.idScope ?? "", /^0ne[0-9A-F]{8}$/);
    assert.equal(
      found.properties.serviceOperationsHostName,
      "first.azure-devices-provisioning.sandbox.test",
    );
    assert.equal(found.sku.tier, "Standard");
    assert.match(found.etag ?? "", /^[A-Za-z0-9+/]{11}=$/);
    assert.equal("authorizationPolicies" in found.properties, false);
  });

  it("keeps scope, host name and keys when a DPS instance is changed", async () => {
    const before = await dps.iotDpsResource.beginCreateOrUpdateAndWait(
      "factory",
      "kept",
      service(),
    );
    const keys = await keysOf("kept");
    const after = await dps.iotDpsResource.beginCreateOrUpdateAndWait("factory", "kept", {
      ...service(),
      tags: { changed: "yes" },
    });
    assert.equal(after.properties.idScope, before.properties.idScope);
    assert.deepEqual(await keysOf("kept"), keys);
    assert.notEqual(after.etag, before.etag);
    const patched = await dps.iotDpsResource.beginUpdateAndWait("factory", "kept", {
      tags: { patched: "yes" },
    });
    assert.deepEqual(patched.tags, { patched: "yes" });
  });

  it("lists all keys and one key of a DPS instance and of a hub", async () => {
    await dps.iotDpsResource.beginCreateOrUpdateAndWait("factory", "keys", service());
    await hubs.iotHubResource.beginCreateOrUpdateAndWait("factory", "keys", hub());
    const [owner] = await keysOf("keys");
    assert.equal(owner?.keyName, "provisioningserviceowner");
    assert.equal(owner?.rights, "ServiceConfig, DeviceConnect, EnrollmentWrite");
    const one = await dps.iotDpsResource.listKeysForKeyName(
      "keys",
      "ProvisioningServiceOwner",
      "factory",
    );
    assert.equal(one.primaryKey, owner?.primaryKey);
    const names: string[] = [];
    for await (const key of hubs.iotHubResource.listKeys("factory", "keys")) {
      names.push(key.keyName);
    }
    assert.deepEqual(names, [
      "iothubowner",
      "service",
      "device",
      "registryRead",
      "registryReadWrite",
    ]);
    const hubOwner = await hubs.iotHubResource.getKeysForKeyName("factory", "keys", "iothubowner");
    assert.equal(Buffer.from(hubOwner.primaryKey ?? "", "base64").length, 32);
  });

  it("masks the keys of linked hubs, and takes the masked entries back unchanged", async () => {
    const connectionString = await newHub("linked");
    const wanted = { iotHubs: [{ connectionString, location: "westeurope" }] };
    const created = await dps.iotDpsResource.beginCreateOrUpdateAndWait(
      "factory",
      "links",
      service(wanted),
    );
    const [shown] = created.properties.iotHubs ?? [];
    assert.equal(shown?.name, "linked.azure-devices.sandbox.test");
    assert.match(shown?.connectionString ?? "", /;SharedAccessKey=\*\*\*\*$/);

    await dps.iotDpsResource.beginCreateOrUpdateAndWait("factory", "links", {
      ...created,
      properties: { ...created.properties, allocationPolicy: "Static" },
    });
    const record = sandbox.sandbox.services.get("links");
    assert.equal(record?.linkedHubs[0]?.connectionString, connectionString);
    assert.equal(record?.allocationPolicy, "Static");
  });

  it("refuses a linked hub that does not exist, that is masked and unknown, or lacks rights", async () => {
    const connectionString = await newHub("weak", "service");
    const rows = [
      [
        "HostName=none.azure-devices.sandbox.test;SharedAccessKeyName=a;SharedAccessKey=YQ==",
        /none/,
      ],
      [
        "HostName=weak.azure-devices.sandbox.test;SharedAccessKeyName=a;SharedAccessKey=****",
        /masked/,
      ],
      [connectionString, /'service' of 'weak\S+' lacks RegistryWrite/],
      ["", /hostName is required when connectionString is not provided/],
    ] as const;
    for (const [text, message] of rows) {
      const answer = await sandbox.arm("PUT", path("provisioningServices/refused"), {
        body: service({ iotHubs: [{ connectionString: text, location: "westeurope" }] }),
      });
      assert.equal(answer.status, 400);
      assert.equal(answer.body.code, 400309);
      assert.match(answer.body.message, message);
    }
    assert.equal(sandbox.sandbox.services.has("refused"), false);
  });

  it("deletes a DPS instance, and 204 says that there is none", async () => {
    await dps.iotDpsResource.beginCreateOrUpdateAndWait("factory", "gone", service());
    const answer = await sandbox.arm("DELETE", path("provisioningServices/gone"));
    assert.equal(answer.status, 202);
    assert.equal(answer.body, null);
    assert.ok(answer.headers["location"]);
    await dps.iotDpsResource.beginDeleteAndWait("gone", "factory");
    await assert.rejects(dps.iotDpsResource.get("gone", "factory"), {
      statusCode: 404,
      code: "ResourceNotFound",
    });
    assert.equal((await sandbox.arm("DELETE", path("provisioningServices/gone"))).status, 204);
  });

  it("says whether a name is free", async () => {
    await dps.iotDpsResource.beginCreateOrUpdateAndWait("factory", "taken", service());
    const check = async (name: string): Promise<boolean | undefined> =>
      (await dps.iotDpsResource.checkProvisioningServiceNameAvailability({ name })).nameAvailable;
    assert.equal(await check("taken"), false);
    assert.equal(await check("free"), true);
    assert.equal(await check("not a name"), false);
    const hub = await hubs.iotHubResource.checkNameAvailability({ name: "free" });
    assert.equal(hub.nameAvailable, true);
  });

  it("refuses a stale etag of a hub and of a DPS instance, and a new location", async () => {
    await hubs.iotHubResource.beginCreateOrUpdateAndWait("factory", "etags", hub());
    const stale = { statusCode: 412 };
    await assert.rejects(
      hubs.iotHubResource.beginCreateOrUpdateAndWait("factory", "etags", hub(), {
        ifMatch: "AAAAAAAAAAA=",
      }),
      stale,
    );
    const current = await hubs.iotHubResource.get("factory", "etags");
    await hubs.iotHubResource.beginCreateOrUpdateAndWait("factory", "etags", hub(), {
      ifMatch: current.etag!,
    });
    const moved = { ...hub(), location: "westus" };
    await assert.rejects(
      hubs.iotHubResource.beginCreateOrUpdateAndWait("factory", "etags", moved),
      { statusCode: 409, code: "InvalidResourceLocation" },
    );
  });

  it("keeps polling while an operation takes its time", async () => {
    const slow = await openSandbox({ fronts: ARM_ONLY, operationMs: 300 });
    try {
      const group = `/subscriptions/${slow.subscriptionId}/resourcegroups/slow`;
      await slow.arm("PUT", group, { body: { location: "westeurope" } });
      const one = `${group}/providers/Microsoft.Devices/iothubs/hub`;
      const answer = await slow.arm("PUT", one, { body: hub() });
      const poll = String(answer.headers["azure-asyncoperation"]);
      assert.equal((await slow.arm("GET", poll)).body.status, "Running");
      const client = new IotHubClient(slow.credential, slow.subscriptionId, slow.clientOptions);
      const done = await client.iotHubResource.beginCreateOrUpdateAndWait("slow", "hub", hub());
      assert.equal(done.properties?.state, "Active");
    } finally {
      await slow.close();
    }
  });

  function path(rest: string): string {
    return `/subscriptions/${sandbox.subscriptionId}/resourceGroups/factory/providers/Microsoft.Devices/${rest}`;
  }

  async function keysOf(name: string) {
    const keys = [];
    for await (const key of dps.iotDpsResource.listKeys(name, "factory")) {
      keys.push(key);
    }
    return keys;
  }

  async function newHub(name: string, policy = "iothubowner"): Promise<string> {
    const created = await hubs.iotHubResource.beginCreateOrUpdateAndWait("factory", name, hub());
    const key = await hubs.iotHubResource.getKeysForKeyName("factory", name, policy);
    return `HostName=${created.properties?.hostName};SharedAccessKeyName=${policy};SharedAccessKey=${key.primaryKey}`;
  }
});

function service(properties: object = {}) {
  return { location: "westeurope", sku: { name: "S1", capacity: 1 }, properties };
}

function hub() {
  return { location: "westeurope", sku: { name: "S1", capacity: 1 } };
}
