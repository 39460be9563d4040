import assert from "node:assert/strict";
import { SharedAccessSignature } from "azure-iot-common";
import { Registry } from "azure-iothub";
import { ASSUMED, patiently, refused } from "./answers";
import { CODES, openHub, REST, selfSigned, type HubStage, type Json } from "./hub";
import { registryContract as contract } from "./registry-contract";

const BULK = "learn.microsoft.com/rest/api/iothub/service/bulk-registry/update-registry";

describe("azure-iothub Registry: identities", () => {
  let stage: HubStage;

  before(async () => {
    stage = await openHub();
  });
  after(() => stage.place.close());

  contract.answers(
    "create",
    "200, an identity that is enabled, with an etag and both thumbprints",
    REST,
    async () => {
      const made = await stage.create("made");
      assert.equal(made["status"], "enabled");
      assert.equal(made["connectionState"], "Disconnected");
      assert.match(String(made["etag"]), /^[A-Za-z0-9+/]+=*$/);
      const { x509Thumbprint } = made["authentication"] as Json;
      assert.deepEqual(x509Thumbprint, {
        primaryThumbprint: stage.leaf.thumbprint,
        secondaryThumbprint: stage.leaf.thumbprint,
      });
    },
  );
  contract.answers(
    "create",
    "keys are made for an identity whose authentication is not sent",
    "client: it sends type sas with empty keys then",
    async () => {
      const { responseBody } = await stage.registry.create({ deviceId: "keyed" });
      const { symmetricKey } = responseBody.authentication as unknown as { symmetricKey: Json };
      assert.notEqual(symmetricKey["primaryKey"], symmetricKey["secondaryKey"]);
      assert.ok(Buffer.from(String(symmetricKey["primaryKey"]), "base64").length >= 32);
    },
  );
  contract.answers("create", "409 DeviceAlreadyExists when there is one", CODES, async () => {
    await stage.create("twice");
    await refused(stage.create("twice"), 409, "DeviceAlreadyExists");
  });
  contract.answers(
    "create",
    "a SHA-1 thumbprint is taken, one of another length is 400",
    "learn.microsoft.com/azure/iot-hub/reference-x509-certificates",
    async () => {
      const auth = (primaryThumbprint: string) => ({
        authentication: { type: "selfSigned", x509Thumbprint: { primaryThumbprint } },
      });
      await stage.create("sha-1", auth("A".repeat(40)));
      await refused(stage.create("sha-0", auth("A".repeat(39))), 400);
    },
  );
  contract.answers("get", "404 DeviceNotFound when there is none", CODES, async () =>
    refused(stage.registry.get("nobody"), 404, "DeviceNotFound"),
  );
  contract.answers("update", "another etag, and what is not sent falls back", ASSUMED, async () => {
    const made = await stage.create("changed", { status: "disabled", statusReason: "lost" });
    const authentication = selfSigned(stage.leaf);
    await stage.registry.update({ deviceId: "changed", authentication });
    const now = await stage.get("changed");
    assert.notEqual(now["etag"], made["etag"]);
    assert.deepEqual([now["status"], now["statusReason"]], ["enabled", null]);
    assert.equal(now["generationId"], made["generationId"]);
  });
  contract.answers("update", "404 when there is none", CODES, async () =>
    refused(stage.registry.update({ deviceId: "nobody" }), 404, "DeviceNotFound"),
  );
  contract.answers("delete", "204, also of what has changed since: it sends *", REST, async () => {
    await stage.create("deleted");
    await stage.registry.delete("deleted");
    await refused(stage.registry.get("deleted"), 404);
    await refused(stage.registry.delete("deleted"), 404, "DeviceNotFound");
  });
  contract.answers("list", "identities, up to 1,000", REST, async () => {
    await stage.create("listed");
    const { responseBody } = await stage.registry.list();
    assert.ok(responseBody.some(({ deviceId }) => deviceId === "listed"));
  });

  // Bulk.
  contract.answers(
    ["addDevices", "updateDevices", "removeDevices"],
    "each as many as are sent, and all succeed",
    BULK,
    async () => {
      const { registry } = stage;
      const devices = ["b-1", "b-2"].map((deviceId) => ({
        deviceId,
        authentication: selfSigned(stage.leaf),
      }));
      const added = await registry.addDevices(devices);
      assert.equal(added.responseBody.isSuccessful, true);
      const disabled = devices.map((device) => ({ ...device, status: "disabled" }));
      const updated = await registry.updateDevices(disabled, true);
      assert.equal(updated.responseBody.isSuccessful, true);
      assert.equal((await stage.get("b-2"))["status"], "disabled");
      const removed = await registry.removeDevices(devices, true);
      assert.equal(removed.responseBody.isSuccessful, true);
      await refused(registry.get("b-1"), 404);
    },
  );
  contract.answers(
    "addDevices",
    "the failure of one is told with its ID, and the others are made",
    BULK,
    async () => {
      await stage.create("there");
      const error = await stage.registry
        .addDevices([{ deviceId: "there" }, { deviceId: "new" }])
        .then(
          ({ responseBody }) => ({ responseBody: JSON.stringify(responseBody) }),
          (reason: unknown) => reason as { responseBody: string },
        );
      const { isSuccessful, errors } = JSON.parse(error.responseBody) as {
        isSuccessful: boolean;
        errors: Json[];
      };
      assert.equal(isSuccessful, false);
      assert.deepEqual(
        errors.map(({ deviceId, errorStatus }) => [deviceId, errorStatus !== undefined]),
        [["there", true]],
      );
      assert.ok(await stage.get("new"));
    },
  );
  contract.answers(
    ["updateDevices", "removeDevices"],
    "an old etag is a failure of that device alone when nothing is forced",
    BULK,
    async () => {
      const { etag } = await stage.create("etag");
      const device = { deviceId: "etag", etag, authentication: selfSigned(stage.leaf) };
      const first = await stage.registry.updateDevices([device] as never, false);
      assert.equal(first.responseBody.isSuccessful, true);
      await refused(stage.registry.updateDevices([device] as never, false), 400);
      await refused(stage.registry.removeDevices([device] as never, false), 400);
      assert.ok(await stage.get("etag"));
    },
  );

  // Statistics.
  contract.answers("getRegistryStatistics", "all, enabled, disabled", REST, async () => {
    await stage.create("counted", { status: "disabled" });
    const { responseBody } = await stage.registry.getRegistryStatistics();
    const { totalDeviceCount, enabledDeviceCount, disabledDeviceCount } = responseBody;
    assert.equal(totalDeviceCount, enabledDeviceCount + disabledDeviceCount);
    assert.ok(disabledDeviceCount >= 1);
  });

  // Rights.
  contract.answers(
    "fromConnectionString",
    "the policy device may not read the registry",
    "learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas",
    async () => {
      const stranger = Registry.fromConnectionString(stage.place.hubConnection("device"));
      await refused(stranger.get("made"), 401);
    },
  );
  contract.answers(
    "fromSharedAccessSignature",
    "a signature that has not run out opens the registry, one that has does not",
    "learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas",
    async () => {
      const signed = (seconds: number) =>
        Registry.fromSharedAccessSignature(
          SharedAccessSignature.create(
            stage.place.hub,
            "iothubowner",
            stage.place.hubKey("iothubowner"),
            Math.floor(Date.now() / 1000) + seconds,
          ).toString(),
        );
      await stage.create("signed");
      assert.equal((await signed(600).get("signed")).responseBody.deviceId, "signed");
      await refused(signed(-600).get("signed"), 401);
    },
  );
  contract.answers(
    "fromTokenCredential",
    "a token for https://iothubs.azure.net opens the registry",
    "client: it asks for the scope https://iothubs.azure.net/.default",
    async () => {
      const { place } = stage;
      const byToken = Registry.fromTokenCredential(place.hub, place.credential);
      await stage.create("by-token");
      assert.equal((await byToken.get("by-token")).responseBody.deviceId, "by-token");
    },
  );

  // The last: of an S1 hub it is what may be written in a minute.
  contract.answers(
    "addDevices",
    "a hundred are taken, and more are refused before they are sent",
    BULK,
    async () => {
      const many = (count: number) =>
        Array.from({ length: count }, (_, at) => ({ deviceId: `many-${at}` }));
      const { responseBody } = await patiently(() => stage.registry.addDevices(many(100)));
      assert.equal(responseBody.isSuccessful, true);
      await assert.rejects(stage.registry.addDevices(many(101)), { name: "ArgumentError" });
    },
  );
});
