import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { SharedAccessSignature } from "azure-iot-common";
import { Client, Message, X509AuthenticationProvider } from "azure-iot-device";
import { Mqtt, MqttWs } from "azure-iot-device-mqtt";
import { telemetryOf } from "../../sandbox/iot-hub/telemetry";
import { TestCa } from "../support/test-ca";
import { pause } from "./aim";
import { ASSUMED, Contract, operationsOf } from "./answers";
import { called, openHub, selfSigned, type HubStage, type Json } from "./hub";

const MQTT = "learn.microsoft.com/azure/iot/iot-mqtt-connect-to-iot-hub";

interface Properties {
  desired: Json;
  reported: { update(patch: object, done: (error?: Error | null) => void): void };
}

const contract = new Contract<Client & typeof Client>("azure-iot-device-mqtt Client", [
  ...operationsOf(Client),
  ...["fromConnectionString", "fromSharedAccessSignature", "fromAuthenticationProvider"],
]);

for (const [transport, Transport] of Object.entries({ Mqtt, MqttWs })) {
  describe(`azure-iot-device-mqtt: a device over ${transport}`, () => {
    let stage: HubStage;
    let device: Client;

    before(async () => {
      stage = await openHub();
      await stage.create("d-1");
      device = Client.fromConnectionString(
        `HostName=${stage.place.hub};DeviceId=d-1;x509=true`,
        Transport,
      );
      await device.setOptions({ cert: stage.leaf.pem, key: stage.leaf.key });
      await device.open();
    });
    after(async () => {
      try {
        await device.close();
      } finally {
        await stage.place.close();
      }
    });

    const state = async (id: string) => (await stage.get(id))["connectionState"];

    contract.answers(
      ["open", "setOptions", "close"],
      "the hub shows a device with the right certificate as connected, until it leaves",
      "learn.microsoft.com/azure/iot-hub/iot-hub-devguide-identity-registry",
      async () => {
        assert.equal(await state("d-1"), "Connected");
        await stage.create("d-2");
        const other = await connected("d-2", stage.leaf);
        assert.equal(await state("d-2"), "Connected");
        await other.close();
        while ((await state("d-2")) === "Connected") await pause();
      },
    );
    contract.answers(
      "open",
      "CONNACK 5 to another certificate, which the client calls not authorized",
      "azure-iot-sdk-python#324",
      async () => {
        await stage.create("d-3");
        const wrong = await TestCa.selfSigned("d-3");
        await assert.rejects(connected("d-3", wrong), /Not authorized/i);
      },
    );
    contract.answers("open", "a disabled device is refused", ASSUMED, async () => {
      await stage.create("d-4", { status: "disabled" });
      await assert.rejects(connected("d-4", stage.leaf), /Not authorized/i);
    });
    contract.answers(
      ["fromConnectionString", "fromSharedAccessSignature"],
      "a device's own key, and a signature by it",
      "learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas",
      async () => {
        const { responseBody } = await stage.registry.create({ deviceId: "keyed" });
        const key = responseBody.authentication?.symmetricKey?.primaryKey ?? "";
        const host = stage.place.hub;
        const byKey = Client.fromConnectionString(
          `HostName=${host};DeviceId=keyed;SharedAccessKey=${key}`,
          Transport,
        );
        await byKey.open();
        await byKey.close();
        const expiry = Math.floor(Date.now() / 1000) + 600;
        const uri = `${host}/devices/keyed`;
        const signature = SharedAccessSignature.create(uri, "", key, expiry).toString();
        const bySignature = Client.fromSharedAccessSignature(signature, Transport);
        await bySignature.open();
        await bySignature.close();
      },
    );
    contract.answers(
      "fromAuthenticationProvider",
      "a certificate by a provider",
      "client: it takes X509AuthenticationProvider",
      async () => {
        const leaf = await TestCa.selfSigned("provided");
        await stage.create("provided", { authentication: selfSigned(leaf) });
        const provider = X509AuthenticationProvider.fromX509Options("provided", stage.place.hub, {
          cert: leaf.pem,
          key: leaf.key,
        });
        const provided = Client.fromAuthenticationProvider(provider, Transport);
        await provided.open();
        assert.equal(await state("provided"), "Connected");
        await provided.close();
      },
    );
    contract.answers("sendEvent", "telemetry is acknowledged", MQTT, async () => {
      await device.sendEvent(new Message("one"));
      const { own } = stage.place;
      // Azure hands it on to Event Hubs, which is none of this client's.
      if (own !== undefined) assert.equal(telemetryOf(own.sandbox, "hub", "d-1").count, 1);
    });
    contract.answers(
      "getTwin",
      "desired properties now and as they change, reported ones to the back end",
      MQTT,
      async () => {
        const desired = { rate: 7 };
        await stage.registry.updateTwin("d-1", { properties: { desired } }, "*");
        const twin = await device.getTwin();
        // The package declares less than it has.
        const { desired: read, reported } = twin.properties as unknown as Properties;
        assert.equal(read["rate"], 7);
        await called((done) => reported.update({ rate: 7 }, done));
        const { responseBody } = await stage.registry.getTwin("d-1");
        assert.equal(responseBody.properties.reported["rate"], 7);
        const changed = new Promise<number>((done) => {
          // The first event is what there was.
          twin.on("properties.desired.rate", (rate: number) => rate > 7 && done(rate));
        });
        // The subscription is there once a change gets through.
        for (let rate = 8; (await Promise.race([changed, delay(50)])) === undefined; rate++) {
          await stage.registry.updateTwin("d-1", { properties: { desired: { rate } } }, "*");
        }
      },
    );
    contract.answers("onDeviceMethod", "a call, and its answer to the caller", MQTT, async () => {
      device.onDeviceMethod("ping", ({ payload }, response) => void response.send(201, payload));
      const call = { methodName: "ping", payload: "x", connectTimeoutInSeconds: 5 };
      for (;;) {
        const result = await stage.service.invokeDeviceMethod("d-1", call).then(
          (answer) => answer.result as Json,
          () => undefined,
        );
        if (result !== undefined) {
          assert.deepEqual(result, { status: 201, payload: "x" });
          return;
        }
      }
    });
    contract.notThere("getBlobSharedAccessSignature", () =>
      device.getBlobSharedAccessSignature("report"),
    );
    async function connected(id: string, leaf: { pem: string; key: string }): Promise<Client> {
      const client = Client.fromConnectionString(
        `HostName=${stage.place.hub};DeviceId=${id};x509=true`,
        Transport,
      );
      await client.setOptions({ cert: leaf.pem, key: leaf.key });
      await client.open();
      return client;
    }
  });
}

contract.noCall(
  "set something at the client",
  ...(["setRetryPolicy", "setTransportOptions", "updateSharedAccessSignature"] as const),
);
contract.noCall(
  "cloud-to-device messages, which the sandbox does not have",
  ...(["complete", "reject", "abandon"] as const),
);
contract.noCall("not there over MQTT, as the client says", "sendEventBatch");
contract.noCall(
  "come after getBlobSharedAccessSignature, which is not there",
  ...(["uploadToBlob", "notifyBlobUploadStatus"] as const),
);
