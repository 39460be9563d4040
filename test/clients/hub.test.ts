import assert from "node:assert/strict";
import { Registry } from "azure-iothub";
import { HubRegistry, linkedHubs } from "../../clients/hub-registry";
import { isServiceError } from "../../clients/service-error";
import { type AttachedSandbox, openAttached } from "./attached-sandbox";

const THUMBPRINT = "AB".repeat(32);

describe("clients of a linked hub", () => {
  let sandbox: AttachedSandbox;
  let sdk: Registry;

  before(async () => {
    sandbox = await openAttached();
    const hub = sandbox.endpoints().iotHubs[0];
    sdk = Registry.fromConnectionString(hub?.connectionString ?? "");
  });

  after(() => sandbox.close());

  it("tells the linked hubs by host name", async () => {
    assert.deepEqual(await linkedHubs(sandbox.connection), [sandbox.hub]);
  });

  for (const auth of ["entra", "keys"] as const) {
    describe(`with auth: ${auth}`, () => {
      let registry: HubRegistry;

      beforeEach(async () => {
        registry = new HubRegistry({ ...sandbox.connection, auth }, sandbox.hub);
        await sdk.create({
          deviceId: "truck-7",
          authentication: {
            type: "selfSigned",
            x509Thumbprint: { primaryThumbprint: THUMBPRINT, secondaryThumbprint: THUMBPRINT },
          },
        });
      });

      afterEach(async () => {
        const left = await registry.getIdentity("truck-7");
        if (left !== undefined) {
          await registry.remove(left);
        }
      });

      it("reads an identity, and undefined when there is none", async () => {
        const identity = await registry.getIdentity("truck-7");
        assert.equal(identity?.status, "enabled");
        assert.equal(identity.authenticationType, "selfSigned");
        assert.deepEqual(identity.thumbprints, [THUMBPRINT, THUMBPRINT]);
        assert.equal(await registry.getIdentity("nobody"), undefined);
        assert.equal(await registry.getTwin("nobody"), undefined);
      });

      it("disables and keeps everything else, then deletes, with the etags that were read", async () => {
        const read = await registry.getIdentity("truck-7");
        assert(read !== undefined);
        const disabled = await registry.disable(read);
        assert.equal(disabled.status, "disabled");
        assert.notEqual(disabled.etag, read.etag);
        assert.deepEqual(disabled.thumbprints, read.thumbprints);
        await assert.rejects(registry.remove(read), (error) =>
          isServiceError(error, "PreconditionFailed"),
        );
        await assert.rejects(registry.disable(read), { code: "PreconditionFailed" });
        await registry.remove(disabled);
        assert.equal(await registry.getIdentity("truck-7"), undefined);
        await assert.rejects(registry.remove(disabled), { code: "NotFound" });
      });

      it("restores tags and desired properties beside what is there, once", async () => {
        const saved = { tags: { site: "north" }, desired: { interval: 60, mode: { night: true } } };
        const twin = await registry.getTwin("truck-7");
        assert(twin !== undefined);
        assert.deepEqual([twin.tags, twin.desired], [{}, {}]);
        await sdk.updateTwin("truck-7", { tags: { floor: 2 } }, twin.etag);
        const nobody = () => Promise.reject(new Error("no initial twin matters"));
        const restore = (initials = nobody as () => Promise<object[]>) =>
          registry.restoreTwin("truck-7", saved, initials);
        assert.deepEqual(await restore(), []);
        const restored = await registry.getTwin("truck-7");
        assert.deepEqual(restored?.tags, { site: "north", floor: 2 });
        assert.deepEqual(restored.desired, saved.desired);
        assert.deepEqual(await restore(), []);
        assert.equal((await registry.getTwin("truck-7"))?.etag, restored.etag);
        await assert.rejects(registry.restoreTwin("nobody", saved, nobody), { code: "NotFound" });

        const changed = { tags: { site: "south" }, properties: { desired: { interval: 30 } } };
        await sdk.updateTwin("truck-7", changed, "*");
        const initial = { tags: { site: "east" }, desired: { interval: 30 } };
        assert.deepEqual(await restore(async () => [initial]), ["tags.site"]);
        const after = await registry.getTwin("truck-7");
        assert.deepEqual(after?.tags, { site: "south", floor: 2 });
        assert.deepEqual(after.desired, saved.desired);
      });
    });
  }
});
