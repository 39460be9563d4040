import assert from "node:assert/strict";
import type { ServiceError } from "@grpc/grpc-js";
import type { Values } from "../../../../sandbox/plugins/azure-native/values";
import { DPS, GROUP, makeGroup, service, startTestArm, type TestArm, TestEngine } from "./harness";

describe("the stand-in azure-native plugin's functions, and when ARM does not do as asked", () => {
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

  describe("functions", () => {
    it("get a resource, list keys and one key", async () => {
      await makeGroup(engine);
      await engine.create(DPS, service);
      const args = { resourceGroupName: "g", provisioningServiceName: "dps-1" };
      const module = "azure-native:deviceprovisioningservices";
      const got = await engine.invoke(`${module}:getIotDpsResource`, args);
      assert.match(got["id"] as string, /\/dps-1$/);
      assert.equal(got["azureApiVersion"], "2023-03-01-preview");

      const { value } = await engine.invoke(`${module}:listIotDpsResourceKeys`, args);
      const [owner] = value as Values[];
      const keyName = owner!["keyName"]!;
      const one = await engine.invoke(`${module}:listIotDpsResourceKeysForKeyName`, {
        ...args,
        keyName,
      });
      assert.deepEqual(one, owner);
    });

    it("say which request failed", async () => {
      const path = `/subscriptions/${arm.subscriptionId}/resourceGroups/nowhere`;
      await assert.rejects(
        engine.invoke("azure-native:resources:getResourceGroup", { resourceGroupName: "nowhere" }),
        (error: ServiceError) => {
          assert.ok(error.details.startsWith(`request failed ${path}: Status=404 Code="`));
          return true;
        },
      );
      await assert.rejects(engine.invoke("azure-native:resources:getResourceGroup"), {
        details: "missing required property 'resourceGroupName'",
      });
    });

    it("say who the provider is", async () => {
      const config = await engine.invoke("azure-native:authorization:getClientConfig");
      const { clientId, tenantId, subscriptionId } = arm;
      assert.match(config["objectId"] as string, /^[0-9a-f-]{36}$/);
      assert.deepEqual(
        { ...config, objectId: "" },
        { clientId, tenantId, subscriptionId, objectId: "" },
      );
    });

    it("are refused by name when the sandbox does not have them", async () => {
      await assert.rejects(engine.invoke("azure-native:storage:listStorageAccountKeys"), {
        details: /does not know the function 'azure-native:storage:listStorageAccountKeys'/,
      });
    });
  });

  describe("trouble", () => {
    it("repeats what ARM throttles or fails to do, as long as Retry-After says", async () => {
      arm.faults.push({ method: "PUT", status: 503 });
      arm.faults.push({ method: "GET", status: 429, headers: { "retry-after": "1" } });
      const started = Date.now();
      await makeGroup(engine);
      assert.ok(Date.now() - started >= 1000);
    });

    it("gives up after three repetitions, in ARM's words", async () => {
      const body = { error: { code: "ServiceUnavailable", message: "not now" } };
      for (let count = 0; count < 4; count += 1) {
        arm.faults.push({ method: "PUT", status: 503, body });
      }
      await assert.rejects(makeGroup(engine), {
        details: 'Status=503 Code="ServiceUnavailable" Message="not now"',
      });
    });

    it("shows a flat error of Microsoft.Devices whole", async () => {
      const body = { code: 412001, httpStatusCode: "PreconditionFailed", message: "Invalid ETag." };
      arm.faults.push({ method: "PUT", status: 412, body });
      await assert.rejects(makeGroup(engine), {
        details: `Status=412 Message="${JSON.stringify(body)}"`,
      });
    });

    it("refuses a stack that was configured for another subscription", async () => {
      await assert.rejects(engine.configure({ subscriptionId: "somewhere-real" }), {
        details: /azure-native:subscriptionId is 'somewhere-real', but this is the sandbox/,
      });
      await engine.configure({ subscriptionId: arm.subscriptionId });
    });

    it("says that the sandbox is not running when its endpoints are gone", async () => {
      const other = await TestEngine.start(`${arm.endpointsFile}.gone`);
      try {
        await assert.rejects(other.configure(), { details: /^the sandbox is not running: / });
        await assert.rejects(other.read(GROUP, "/x"), {
          details: "the provider has not been configured",
        });
      } finally {
        await other.close();
      }
    });

    it("ends what is under way when the engine cancels", async () => {
      await makeGroup(engine);
      let opening = (): void => undefined;
      const reached = new Promise<void>((resolve) => (opening = resolve));
      let finish = (): void => undefined;
      arm.openFront = async () => {
        opening();
        await new Promise<void>((resolve) => (finish = resolve));
      };
      const creation = assert.rejects(engine.create(DPS, service), {
        details: "the operation was cancelled",
      });
      await reached;
      await engine.cancel();
      await creation;
      finish();
    });
  });
});
