import assert from "node:assert/strict";
import type { Client, DeviceMethodRequest, DeviceMethodResponse } from "azure-iot-device";
import { connectionsOf } from "../../../sandbox/iot-hub/connections";
import { DirectMethods, readMethodCall } from "../../../sandbox/iot-hub/methods";
import { TestCa, type Issued } from "../../support/test-ca";
import { HOST, HUB, smallHub, VERSION, type SmallHub } from "./small-hub";

type Json = Record<string, unknown>;

describe("twins and direct methods of the sandbox's IoT hub", () => {
  let hub: SmallHub;
  let leaf: Issued;

  before(async () => {
    leaf = await (await TestCa.root("Root")).leaf("d-1");
  });
  beforeEach(async () => {
    hub = await smallHub();
    hub.linkedHubs.assign(
      {
        hubHostName: HOST,
        deviceId: "d-1",
        authentication: { type: "selfSigned", thumbprint: leaf.thumbprint },
      },
      false,
    );
  });
  afterEach(async () => {
    await hub.close();
  });

  const twin = async (): Promise<Json> =>
    (await hub.registry.getTwin("d-1")).responseBody as unknown as Json;
  const collection = async (name: string): Promise<Json> =>
    ((await twin())["properties"] as Record<string, Json>)[name] ?? {};
  async function open(): Promise<Client> {
    const device = await hub.device("d-1", leaf);
    await device.open();
    return device;
  }

  describe("the back end's side of a twin", () => {
    it("shows the identity's state beside two empty collections of version 1", async () => {
      const found = await twin();
      assert.equal(found["etag"], "AAAAAAAAAAE=");
      assert.equal(found["version"], 1);
      assert.equal(found["authenticationType"], "selfSigned");
      assert.deepEqual(found["x509Thumbprint"], {
        primaryThumbprint: leaf.thumbprint,
        secondaryThumbprint: leaf.thumbprint,
      });
      const { responseBody: identity } = await hub.registry.get("d-1");
      assert.equal(found["deviceEtag"], (identity as unknown as Json)["etag"]);
      assert.equal((await collection("desired"))["$version"], 1);
      const { body } = await hub.http("GET", `/twins/d-1?${VERSION}`);
      assert.equal("tags" in body, false);
    });

    it("merges a patch, removes with null, and notes what changed when", async () => {
      const desired = { rate: 5, led: { on: true, colour: "red" } };
      await hub.registry.updateTwin(
        "d-1",
        { tags: { site: "north" }, properties: { desired } },
        "*",
      );
      await hub.registry.updateTwin(
        "d-1",
        { tags: { floor: 2 }, properties: { desired: { rate: null, led: { colour: "blue" } } } },
        "*",
      );
      assert.deepEqual((await twin())["tags"], { site: "north", floor: 2 });
      const { $metadata, $version, ...values } = await collection("desired");
      assert.deepEqual(values, { led: { on: true, colour: "blue" } });
      assert.equal($version, 3);
      const { led, $lastUpdatedVersion } = $metadata as Record<string, Json>;
      assert.equal($lastUpdatedVersion, 3);
      assert.equal((led?.["on"] as Json)["$lastUpdatedVersion"], 2);
      assert.equal((led?.["colour"] as Json)["$lastUpdatedVersion"], 3);
      assert.match(String((led?.["on"] as Json)["$lastUpdated"]), /^\d{4}-.*\.\d{7}Z$/);
    });

    it("refuses a write with an old etag with 412", async () => {
      const etag = String((await twin())["etag"]);
      await hub.registry.updateTwin("d-1", { tags: { a: 1 } }, etag);
      await assert.rejects(
        hub.registry.updateTwin("d-1", { tags: { a: 2 } }, etag),
        (error: Json) => {
          assert.equal((error["response"] as Json)["statusCode"], 412);
          return true;
        },
      );
      assert.deepEqual((await twin())["tags"], { a: 1 });
    });

    it("replaces tags and desired properties with PUT, not what the hub computes", async () => {
      const desired = { keep: 1, drop: 2 };
      await hub.registry.updateTwin("d-1", { tags: { a: 1 }, properties: { desired } }, "*");
      const document = await twin();
      const answer = await hub.http("PUT", `/twins/d-1?${VERSION}`, {
        body: { ...document, tags: { b: 2 }, properties: { desired: { keep: 1, add: 3 } } },
        headers: { "if-match": `"${String(document["etag"])}"` },
      });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body["tags"], { b: 2 });
      const { keep, drop, add, $version } = await collection("desired");
      assert.deepEqual([keep, drop, add, $version], [1, undefined, 3, 3]);
    });

    it("refuses names and sizes that a twin cannot have, and a device that is not there", async () => {
      for (const tags of [
        { "a.b": 1 },
        { "a b": 1 },
        { big: "x".repeat(9000) },
        "text",
        nested(11),
      ]) {
        const answer = await hub.http("PATCH", `/twins/d-1?${VERSION}`, { body: { tags } });
        assert.equal(answer.status, 400, JSON.stringify(tags).slice(0, 40));
      }
      assert.equal((await hub.http("GET", `/twins/d-2?${VERSION}`)).status, 404);
    });
  });

  describe("the device's side of a twin", () => {
    it("reads both collections and is told of desired changes", async () => {
      await hub.registry.updateTwin("d-1", { properties: { desired: { rate: 5 } } }, "*");
      const device = await open();
      const own = await device.getTwin();
      const properties = own.properties as unknown as Record<string, Json>;
      assert.equal(properties["desired"]?.["rate"], 5);
      assert.equal(properties["desired"]?.["$version"], 2);
      const subscribed = hub.logged(({ path }) =>
        path.startsWith("$iothub/twin/PATCH/properties/desired"),
      );
      const changed = new Promise<void>((resolve) => {
        own.on("properties.desired.rate", (rate: number) => rate === 6 && resolve());
      });
      await subscribed;
      await hub.registry.updateTwin("d-1", { properties: { desired: { rate: 6 } } }, "*");
      await changed;
      assert.equal((own.properties as unknown as Record<string, Json>)["desired"]?.["$version"], 3);
    });

    it("reports properties, which count up the twin's version but not its etag", async () => {
      const device = await open();
      const own = await device.getTwin();
      const before = await twin();
      const update = own.properties.reported as unknown as {
        update(patch: object, done: (error?: Error) => void): void;
      };
      await new Promise<void>((resolve, reject) =>
        update.update({ firmware: "1.2", old: null }, (error) =>
          error ? reject(error) : resolve(),
        ),
      );
      const after = await twin();
      assert.equal((await collection("reported"))["firmware"], "1.2");
      assert.equal((await collection("reported"))["$version"], 2);
      assert.equal(after["version"], Number(before["version"]) + 1);
      assert.equal(after["etag"], before["etag"]);
    });
  });

  describe("direct methods", () => {
    const answering = async (
      device: Client,
      name: string,
      answer: (request: DeviceMethodRequest, response: DeviceMethodResponse) => void,
    ): Promise<void> => {
      const subscribed = hub.logged(({ path }) => path === "$iothub/methods/POST/#");
      device.onDeviceMethod(name, answer);
      await subscribed;
    };
    const invoke = async (call: Json): Promise<Json> =>
      (await hub.service.invokeDeviceMethod("d-1", call as never)).result as Json;
    const nested404 = (code: number, text: string) => (error: Json) => {
      const { Message } = JSON.parse(String(error["responseBody"])) as { Message: string };
      const inner = JSON.parse(Message) as Json;
      assert.equal(inner["errorCode"], code);
      assert.equal(inner["message"], text);
      return true;
    };

    it("carry a payload to the device and its status and payload back", async () => {
      const device = await open();
      await answering(device, "reboot", (request, response) => {
        void response.send(207, { got: request.payload as unknown });
      });
      const result = await invoke({ methodName: "reboot", payload: { in: 5 } });
      assert.deepEqual(result, { status: 207, payload: { got: { in: 5 } } });
    });

    it("wait for the device to connect when asked to", async () => {
      const waiting = invoke({ methodName: "ping", connectTimeoutInSeconds: 30 });
      const device = await open();
      await answering(device, "ping", (_request, response) => void response.send(200));
      assert.equal((await waiting)["status"], 200);
    });

    it("answer 404103 for a device that is not connected, or listens to no methods", async () => {
      const offline = nested404(404103, "Timed out waiting for device to connect.");
      await assert.rejects(invoke({ methodName: "ping" }), offline);
      await open();
      await assert.rejects(invoke({ methodName: "ping" }), offline);
    });

    it("answer DeviceNotFound for a device that the hub does not have", async () => {
      const answer = await hub.http("POST", `/twins/d-9/methods?${VERSION}`, {
        body: { methodName: "ping" },
      });
      assert.equal(answer.status, 404);
      assert.equal(answer.headers["iothub-errorcode"], "DeviceNotFound");
    });

    it("end when the device goes away before it has answered", async () => {
      const device = await open();
      await answering(device, "ping", () => hub.linkedHubs.remove(HOST, "d-1"));
      await assert.rejects(invoke({ methodName: "ping" }), nested404(404103, "Device unavailable"));
    });

    it("end with 504101 when no answer comes in time", async () => {
      const device = await open();
      await answering(device, "ping", () => undefined);
      const methods = new DirectMethods(connectionsOf(hub.sandbox, HUB), () => hub.clock.now());
      // Shorter than the service API allows: nobody wants to wait 5 seconds for it.
      const call = { methodName: "ping", payload: null, responseTimeoutInSeconds: 0.05 };
      await assert.rejects(methods.invoke("d-1", { ...call, connectTimeoutInSeconds: 0 }), {
        name: "HttpError",
        status: 504,
        message: "504101: Timed out waiting for the response from device.",
      });
    });

    it("have the time limits of the service", () => {
      const read = (call: Json) => () =>
        readMethodCall({ methodName: "ping", ...call }, new Date());
      assert.deepEqual(read({})(), {
        methodName: "ping",
        payload: null,
        responseTimeoutInSeconds: 30,
        connectTimeoutInSeconds: 0,
      });
      for (const call of [
        { responseTimeoutInSeconds: 4 },
        { responseTimeoutInSeconds: 301 },
        { connectTimeoutInSeconds: -1 },
        { connectTimeoutInSeconds: "5" },
        { methodName: "" },
      ]) {
        assert.throws(read(call), { name: "HttpError", status: 400 });
      }
    });
  });
});

function nested(depth: number): Json {
  return depth === 0 ? {} : { level: nested(depth - 1) };
}
