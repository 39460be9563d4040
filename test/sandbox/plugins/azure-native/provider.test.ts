import assert from "node:assert/strict";
import type { ServiceError } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { armError } from "../../../../sandbox/common/errors";
import { SHAPES } from "../../../../sandbox/plugins/azure-native/table";
import { decode, UNKNOWN, type Values } from "../../../../sandbox/plugins/azure-native/values";
import { DPS, GROUP, makeGroup, service, startTestArm, type TestArm, TestEngine } from "./harness";

const HUB = "azure-native:iothub:IotHubResource";

describe("the stand-in azure-native plugin, against the sandbox's ARM", () => {
  let arm: TestArm;
  let engine: TestEngine;

  beforeEach(async () => {
    arm = await startTestArm();
    engine = await TestEngine.start(arm.endpointsFile);
    await engine.configure();
  });
  afterEach(async () => {
    await engine.close();
    await arm.close();
  });

  it("says that it takes secrets, previews and names, and which version it stands for", async () => {
    const handshake = await engine.handshake();
    assert.equal(handshake.getAcceptSecrets(), true);
    const configured = await engine.configure();
    assert.equal(configured.getSupportspreview(), true);
    assert.equal(configured.getAcceptsecrets(), true);
    assert.equal(configured.getSupportsAutonamingConfiguration(), true);
    assert.equal(await engine.version(), SHAPES.version);
  });

  describe("check", () => {
    it("makes a name up, keeps the old one, and takes the engine's proposal", async () => {
      const news = { location: "westeurope" };
      const { inputs } = await engine.check(GROUP, news);
      assert.match(inputs["resourceGroupName"] as string, /^thing[0-9a-f]{8}$/);
      assert.equal(inputs["__createBeforeDelete"], true);
      assert.equal(inputs["azureApiVersion"], "2024-03-01");

      const again = await engine.check(GROUP, news, { olds: inputs });
      assert.deepEqual(again.inputs, inputs);

      const proposed = await engine.check(GROUP, news, {
        autonaming: { proposedName: "wished", mode: 0 },
      });
      assert.equal(proposed.inputs["resourceGroupName"], "wished");

      const off = await engine.check(GROUP, news, { autonaming: { proposedName: "", mode: 2 } });
      assert.deepEqual(off.failures, ["missing required property 'resourceGroupName'"]);
    });

    it("takes the location of the resource group, and says when there is none", async () => {
      await makeGroup(engine);
      const news = { ...service, location: undefined };
      assert.equal((await engine.check(DPS, news)).inputs["location"], "westeurope");

      const unknown = await engine.check(DPS, { ...news, resourceGroupName: UNKNOWN });
      assert.equal(unknown.inputs["location"], UNKNOWN);
      assert.deepEqual(unknown.failures, []);

      const { failures } = await engine.check(DPS, { ...news, resourceGroupName: "nowhere" });
      assert.deepEqual(failures, [
        "missing required property 'location'. Either set it explicitly or configure it with " +
          "'pulumi config set azure-native:location <value>'.",
      ]);
    });

    it("takes the location of the provider's configuration", async () => {
      await engine.configure({ location: "northeurope" });
      assert.equal((await engine.check(GROUP, {})).inputs["location"], "northeurope");
    });
  });

  describe("create", () => {
    it("previews inputs and leaves unknown what only the service knows", async () => {
      const { id, outputs } = await engine.create(DPS, service, true);
      assert.equal(id, "");
      assert.equal(outputs["location"], "westeurope");
      assert.equal(outputs["name"], UNKNOWN);
      assert.equal((outputs["properties"] as Values)["idScope"], UNKNOWN);
      assert.deepEqual(
        arm.requests.filter(({ service }) => service === "arm"),
        [],
      );
    });

    it("creates a service to its end and returns what is declared", async () => {
      await makeGroup(engine);
      const { id, outputs } = await engine.create(DPS, service);
      assert.equal(
        id,
        `/subscriptions/${arm.subscriptionId}/resourceGroups/g/providers/Microsoft.Devices/provisioningServices/dps-1`,
      );
      const properties = outputs["properties"] as Values;
      assert.match(properties["idScope"] as string, /^0ne[0-9A-F]{8}$/i);
      assert.equal(properties["state"], "Active");
      assert.equal(outputs["azureApiVersion"], "2023-03-01-preview");
      assert.equal(outputs["id"], undefined);
      const writes = arm.requests.filter(({ path }) => path.endsWith("/dps-1"));
      assert.deepEqual(
        writes.map(({ method, status }) => `${method} ${status}`),
        ["GET 404", "PUT 201", "GET 200", "GET 200"],
      );
    });

    it("creates a hub", async () => {
      await makeGroup(engine);
      const { outputs } = await engine.create(HUB, {
        resourceGroupName: "g",
        resourceName: "hub-1",
        location: "westeurope",
        sku: { name: "S1", capacity: 1 },
      });
      assert.equal(outputs["name"], "hub-1");
      assert.equal((outputs["properties"] as Values)["hostName"], "hub-1.iot-hub.sandbox.test");
    });

    it("never takes over what is there already", async () => {
      const id = await makeGroup(engine);
      await assert.rejects(
        engine.create(GROUP, { resourceGroupName: "g", location: "northeurope" }),
        { details: `cannot create already existing resource '${id}'` },
      );
    });

    it("shows ARM's error as azure-native words it", async () => {
      await assert.rejects(engine.create(DPS, service), (error: ServiceError) => {
        assert.match(
          error.details,
          /^Status=404 Code="ResourceGroupNotFound" Message="Resource group 'g'/,
        );
        return true;
      });
    });

    it("keeps the state of a service whose creation was accepted and then failed", async () => {
      await makeGroup(engine);
      const error = { code: "Broken", message: "it broke half way" };
      const url = /operationresults/i;
      arm.faults.push({ method: "GET", url, status: 200, body: { status: "Failed", error } });
      await assert.rejects(engine.create(DPS, service), (failure: ServiceError) => {
        assert.equal(failure.details, 'Status=200 Code="Broken" Message="it broke half way"');
        const [packed] = failure.metadata.get("grpc-status-details-bin");
        const details = Status.deserializeBinary(packed as Buffer).getDetailsList()[0];
        const state = ErrorResourceInitFailed.deserializeBinary(details!.getValue_asU8());
        assert.match(state.getId(), /provisioningServices\/dps-1$/);
        assert.deepEqual(state.getReasonsList(), [failure.details]);
        assert.deepEqual(decode(state.getInputs()), service);
        assert.equal(decode(state.getProperties())["name"], "dps-1");
        return true;
      });
    });

    it("keeps nothing when a failed creation left nothing behind", async () => {
      await makeGroup(engine);
      arm.openFront = async () => {
        throw armError(500, "NoPorts", "no more ports");
      };
      await assert.rejects(engine.create(DPS, service), (failure: ServiceError) => {
        assert.match(failure.details, /^Status=200 Code="InternalServerError" Message=".*no more/);
        assert.deepEqual(failure.metadata.get("grpc-status-details-bin"), []);
        return true;
      });
    });
  });

  describe("update and delete", () => {
    it("writes the whole resource and keeps its identity", async () => {
      await makeGroup(engine);
      const made = await engine.create(DPS, service);
      const news = { ...service, tags: { c: "d" } };
      const outputs = await engine.update(DPS, made.id, { olds: made.outputs, news });
      assert.deepEqual(outputs["tags"], { c: "d" });
      const idScope = (of: Values): unknown => (of["properties"] as Values)["idScope"];
      assert.equal(idScope(outputs), idScope(made.outputs));
      assert.notEqual(outputs["etag"], made.outputs["etag"]);
    });

    it("previews an update with name and location, and no more, taken over", async () => {
      await makeGroup(engine);
      const made = await engine.create(DPS, service);
      const news = { ...service, tags: { c: "d" } };
      const preview = await engine.update(DPS, made.id, { olds: made.outputs, news }, true);
      assert.equal(preview["name"], "dps-1");
      assert.deepEqual(preview["tags"], { c: "d" });
      assert.equal((preview["properties"] as Values)["idScope"], UNKNOWN);
    });

    it("deletes to the end, and what is gone already without an error", async () => {
      await makeGroup(engine);
      const { id } = await engine.create(DPS, service);
      await engine.delete(DPS, id);
      assert.equal((await engine.read(DPS, id)).id, "");
      await engine.delete(DPS, id);
    });

    it("waits for a resource group that is deleted with what is in it", async () => {
      const group = await makeGroup(engine);
      const { id } = await engine.create(DPS, service);
      await engine.delete(GROUP, group);
      assert.equal((await engine.read(DPS, id)).id, "");
      assert.equal((await engine.read(GROUP, group)).id, "");
    });
  });

  describe("read", () => {
    it("brings a change made elsewhere into inputs and outputs, and nothing else", async () => {
      await makeGroup(engine);
      const made = await engine.create(DPS, service);
      const unchanged = await engine.read(DPS, made.id, { inputs: service, outputs: made.outputs });
      assert.deepEqual(unchanged.inputs, service);
      assert.deepEqual(unchanged.outputs, made.outputs);

      const other = { ...service, tags: { somebody: "else" } };
      await engine.update(DPS, made.id, { olds: made.outputs, news: other });
      const drifted = await engine.read(DPS, made.id, { inputs: service, outputs: made.outputs });
      assert.deepEqual(drifted.inputs, other);
      assert.deepEqual(drifted.outputs["tags"], { somebody: "else" });
    });

    it("imports by the ID alone", async () => {
      await makeGroup(engine);
      const made = await engine.create(DPS, service);
      const imported = await engine.read(DPS, made.id);
      assert.deepEqual(imported.outputs, made.outputs);
      const { properties, sku, ...inputs } = imported.inputs;
      assert.deepEqual(inputs, {
        azureApiVersion: "2023-03-01-preview",
        resourceGroupName: "g",
        provisioningServiceName: "dps-1",
        resourcegroup: "g",
        subscriptionid: arm.subscriptionId,
        location: "westeurope",
        tags: { a: "b" },
      });
      assert.deepEqual(sku, { name: "S1", capacity: 1 });
      assert.equal("idScope" in (properties as Values), false);
    });
  });
});
