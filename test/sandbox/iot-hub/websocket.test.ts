import assert from "node:assert/strict";
import https from "node:https";
import tls from "node:tls";
import { Client, Message } from "azure-iot-device";
import { MqttWs } from "azure-iot-device-mqtt";
import { telemetryOf } from "../../../sandbox/iot-hub/telemetry";
import { TestCa, type Issued } from "../../support/test-ca";
import { HOST, HUB, smallHub, type SmallHub } from "./small-hub";

describe("devices at the sandbox's IoT hub, over MQTT in WebSockets", () => {
  let hub: SmallHub;
  let leaf: Issued;

  before(async () => {
    hub = await smallHub();
    leaf = await (await TestCa.root("Root")).leaf("device-1");
  });
  after(() => hub.close());

  /** Microsoft's client, led to the hub's HTTPS port: it asks for port 443 of the host. */
  async function client(credential: string, identity: { cert?: string; key?: string }) {
    const agent = new https.Agent();
    const createConnection = () =>
      tls.connect({
        host: "127.0.0.1",
        port: hub.front.httpsPort,
        ca: hub.tlsRoot,
        servername: HOST,
        ...identity,
      });
    Object.assign(agent, { createConnection });
    const device = Client.fromConnectionString(`HostName=${HOST};${credential}`, MqttWs);
    await device.setOptions({ ...identity, mqtt: { webSocketAgent: agent } });
    return device;
  }

  it("come in with a key, and get a direct method", async () => {
    const { responseBody } = await hub.registry.create({ deviceId: "device-2" });
    const key = responseBody.authentication?.symmetricKey?.primaryKey;
    const device = await client(`DeviceId=device-2;SharedAccessKey=${key}`, {});
    try {
      await device.open();
      const subscribed = hub.logged(({ path }) => path === "$iothub/methods/POST/#");
      device.onDeviceMethod("ping", (_request, response) => void response.send(200, "pong"));
      await subscribed;
      const answer: { result: unknown } = await hub.service.invokeDeviceMethod("device-2", {
        methodName: "ping",
      });
      assert.deepEqual(answer.result, { status: 200, payload: "pong" });
    } finally {
      await device.close();
    }
  });

  it("come in with the certificate that DPS has written, and with no other", async () => {
    const authentication = { type: "selfSigned", thumbprint: leaf.thumbprint } as const;
    hub.linkedHubs.assign({ hubHostName: HOST, deviceId: "device-1", authentication }, false);
    const own = await client("DeviceId=device-1;x509=true", {
      cert: leaf.chainPem,
      key: leaf.key,
    });
    const other = await (await TestCa.root("Root")).leaf("device-1");
    const stranger = await client("DeviceId=device-1;x509=true", {
      cert: other.chainPem,
      key: other.key,
    });
    try {
      await own.open();
      await own.sendEvent(new Message("hello"));
      assert.equal(telemetryOf(hub.sandbox, HUB, "device-1").count, 1);
      await assert.rejects(stranger.open(), /Not authorized/);
    } finally {
      await Promise.all([own.close(), stranger.close().catch(() => undefined)]);
    }
  });
});
