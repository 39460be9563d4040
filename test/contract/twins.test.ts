import assert from "node:assert/strict";
import { Registry, Twin } from "azure-iothub";
import { aim, pause } from "./aim";
import { Contract, ASSUMED, operationsOf, refused } from "./answers";
import { called, CODES, openHub, REST, TWINS, type HubStage, type Json } from "./hub";
import { registryContract as registry } from "./registry-contract";

const twins = new Contract<Twin>("azure-iothub Twin", operationsOf(Twin));

describe("azure-iothub Registry: twins, queries, modules, and what is not there", () => {
  let stage: HubStage;

  before(async () => {
    stage = await openHub();
  });
  after(() => stage.place.close());

  const twinOf = async (id: string) =>
    (await stage.registry.getTwin(id)).responseBody as unknown as Json & Twin;

  registry.answers(
    "getTwin",
    "two empty collections of version 1 for a new device, and 404 for none",
    TWINS,
    async () => {
      await stage.create("new");
      const { properties, version } = (await twinOf("new")) as unknown as {
        properties: Record<string, Json>;
        version: number;
      };
      assert.equal(version, 1);
      assert.deepEqual(
        ["desired", "reported"].map((name) => properties[name]?.["$version"]),
        [1, 1],
      );
      await refused(stage.registry.getTwin("nobody"), 404, "DeviceNotFound");
    },
  );
  registry.answers(
    "updateTwin",
    "a patch is merged, null removes, and another etag is 412",
    TWINS,
    async () => {
      await stage.create("patched");
      const { etag } = await twinOf("patched");
      const first = { tags: { line: 1, site: "a" }, properties: { desired: { rate: 5 } } };
      await stage.registry.updateTwin("patched", first, etag);
      await refused(
        stage.registry.updateTwin("patched", { tags: { line: 2 } }, etag),
        412,
        "PreconditionFailed",
      );
      await stage.registry.updateTwin("patched", { tags: { line: null } }, "*");
      const { tags, properties } = await twinOf("patched");
      assert.deepEqual(tags, { site: "a" });
      assert.equal(properties.desired["rate"], 5);
    },
  );
  twins.answers(
    ["get", "update"],
    "reads and patches with the etag that it holds",
    TWINS,
    async () => {
      await stage.create("object");
      const twin = await twinOf("object");
      await called((done) => twin.update({ tags: { by: "object" } }, done));
      await called((done) => twin.get(done));
      assert.deepEqual(twin.tags, { by: "object" });
      assert.equal(twin.deviceId, "object");
    },
  );
  twins.noCall("makes text of what it holds", "toJSON");

  registry.answers(
    "createQuery",
    "twins that fit, in pages, and 400 to what is no query",
    "learn.microsoft.com/azure/iot-hub/iot-hub-devguide-query-language",
    async () => {
      const ids = ["query-1", "query-2", "query-3"];
      await Promise.all(ids.map((id) => stage.create(id)));
      await Promise.all(
        ids.map((id) => stage.registry.updateTwin(id, { tags: { site: "q" } }, "*")),
      );
      const all = async () => {
        const query = stage.registry.createQuery("SELECT * FROM devices WHERE tags.site = 'q'", 2);
        const pages: Json[][] = [];
        do pages.push(await called<Json[]>((done) => query.next(done as never)));
        while (query.hasMoreResults);
        return pages;
      };
      let pages = await all();
      // Azure's queries come to know of a change a little later.
      while (aim !== undefined && pages.flat().length < ids.length) {
        await pause();
        pages = await all();
      }
      assert.deepEqual(
        pages.map(({ length }) => length),
        [2, 1],
      );
      assert.deepEqual(
        pages.flat().map((one) => one["deviceId"]),
        ids,
      );
      await refused(stage.registry.createQuery("SELECT WHERE").next(), 400);
    },
  );

  registry.answers(
    ["addModule", "getModule", "getModulesOnDevice"],
    "a module of a device, with its keys, and 404 when there is none",
    REST,
    async () => {
      await stage.create("with-modules");
      await stage.registry.addModule({ deviceId: "with-modules", moduleId: "m" });
      const module = (await stage.registry.getModule("with-modules", "m"))
        .responseBody as unknown as Json;
      assert.equal(module["moduleId"], "m");
      const { responseBody } = await stage.registry.getModulesOnDevice("with-modules");
      assert.deepEqual(
        responseBody.map(({ moduleId }) => moduleId),
        ["m"],
      );
      await refused(stage.registry.getModule("with-modules", "none"), 404);
    },
  );
  registry.answers(
    ["updateModule", "removeModule"],
    "with its etag, and with *",
    REST,
    async () => {
      await stage.create("moved");
      await stage.registry.addModule({ deviceId: "moved", moduleId: "m" });
      const module = (await stage.registry.getModule("moved", "m")).responseBody;
      await stage.registry.updateModule({ ...module, managedBy: "me" }, true);
      const now = (await stage.registry.getModule("moved", "m")).responseBody as unknown as Json;
      assert.equal(now["managedBy"], "me");
      // Its promise form fails whatever is answered.
      await called((done) => stage.registry.removeModule("moved", "m", done as never));
      await refused(stage.registry.getModule("moved", "m"), 404);
    },
  );
  registry.answers(
    ["getModuleTwin", "updateModuleTwin"],
    "a twin of its own, apart from the device's",
    "learn.microsoft.com/azure/iot-hub/iot-hub-devguide-module-twins",
    async () => {
      await stage.create("twinned");
      await stage.registry.addModule({ deviceId: "twinned", moduleId: "m" });
      const { etag } = (await stage.registry.getModuleTwin("twinned", "m")).responseBody;
      await stage.registry.updateModuleTwin("twinned", "m", { tags: { of: "module" } }, etag);
      const { responseBody } = await stage.registry.getModuleTwin("twinned", "m");
      assert.deepEqual(responseBody.tags, { of: "module" });
      assert.deepEqual((await twinOf("twinned"))["tags"] ?? {}, {});
    },
  );
  registry.answers(
    "addModule",
    "404 to a module of a device that is not there",
    ASSUMED,
    async () =>
      refused(
        stage.registry.addModule({ deviceId: "nobody", moduleId: "m" }),
        404,
        "DeviceNotFound",
      ),
  );
  registry.answers("createQuery", "401 with a key that the hub does not have", CODES, async () => {
    const stranger = Registry.fromConnectionString(
      stage.connectionString.replace(
        /(SharedAccessKey=).*/,
        `$1${Buffer.alloc(32).toString("base64")}`,
      ),
    );
    await refused(stranger.createQuery("SELECT * FROM devices").next(), 401);
  });

  // Blobs and configurations.
  const id = "x";
  const configuration = { id, content: {}, schemaVersion: "1.0" } as never;
  registry.notThere("importDevicesFromBlob", () =>
    stage.registry.importDevicesFromBlob("https://in.example", "https://out.example"),
  );
  registry.notThere("importDevicesFromBlobByIdentity", () =>
    stage.registry.importDevicesFromBlobByIdentity("https://in.example", "https://out.example"),
  );
  registry.notThere("exportDevicesToBlob", () =>
    stage.registry.exportDevicesToBlob("https://out.example", true),
  );
  registry.notThere("exportDevicesToBlobByIdentity", () =>
    stage.registry.exportDevicesToBlobByIdentity("https://out.example", true),
  );
  registry.notThere("listJobs", () => stage.registry.listJobs());
  registry.notThere("getJob", () => stage.registry.getJob(id));
  registry.notThere("cancelJob", () => stage.registry.cancelJob(id));
  registry.notThere("addConfiguration", () => stage.registry.addConfiguration(configuration));
  registry.notThere("getConfiguration", () => stage.registry.getConfiguration(id));
  registry.notThere("getConfigurations", () => stage.registry.getConfigurations());
  registry.notThere("updateConfiguration", () =>
    stage.registry.updateConfiguration(configuration, true),
  );
  registry.notThere("removeConfiguration", () => stage.registry.removeConfiguration(id));
  registry.notThere("applyConfigurationContentOnDevice", () =>
    stage.registry.applyConfigurationContentOnDevice(id, {}),
  );
});
