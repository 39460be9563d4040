import assert from "node:assert/strict";
import { Registry } from "azure-iothub";
import { ProvisioningDeviceClient } from "azure-iot-provisioning-device";
import { Http } from "azure-iot-provisioning-device-http";
import { Mqtt, MqttWs } from "azure-iot-provisioning-device-mqtt";
import { SymmetricKeySecurityClient } from "azure-iot-security-symmetric-key";
import { X509Security } from "azure-iot-security-x509";
import { type Issued, TestCa } from "../support/test-ca";
import { ASSUMED, Contract, operationsOf } from "./answers";
import { openService, putCa, x509, type Json, type ServiceStage } from "./provisioning-service";
import { SymmetricKeyRegistration } from "azure-iot-provisioning-device/dist/symmetric_registration";
import { X509Registration } from "azure-iot-provisioning-device/dist/x509_registration";

type Registration = Pick<X509Registration, "register" | "cancel" | "setProvisioningPayload">;
type Security = Parameters<typeof ProvisioningDeviceClient.create>[3];

const PACKAGES = {
  Mqtt: { transport: Mqtt, name: "azure-iot-provisioning-device-mqtt Mqtt" },
  MqttWs: { transport: MqttWs, name: "azure-iot-provisioning-device-mqtt MqttWs" },
  Http: { transport: Http, name: "azure-iot-provisioning-device-http Http" },
};

const CHAINS = "learn.microsoft.com/azure/iot-dps/concepts-x509-attestation";

/** Of what `create` gives for a certificate and for a key: the same operations. */
const client = new Contract<typeof ProvisioningDeviceClient>(
  "azure-iot-provisioning-device ProvisioningDeviceClient",
  ["create"],
);

interface Outcome {
  result?: Json;
  error?: Error & { result?: Json; responseBody?: string };
}

for (const { transport, name } of Object.values(PACKAGES)) {
  describe(`${name}: registrations`, () => {
    const contract = new Contract<Registration>(name, [
      ...new Set([...operationsOf(X509Registration), ...operationsOf(SymmetricKeyRegistration)]),
    ]);
    let stage: ServiceStage;
    let ca: TestCa;
    const outcomes = new Map<string, Outcome>();

    // A registration takes the three seconds of Retry-After: all go on at once.
    before(async () => {
      stage = await openService();
      ca = await TestCa.root("Trucks");
      const line = await ca.intermediate("Line");
      const own = await TestCa.selfSigned("pump-1");
      const stranger = await TestCa.selfSigned("stranger");
      const closed = await TestCa.selfSigned("closed");
      await putCa(stage, "trucks", ca);
      await stage.putGroup("trucks", {
        attestation: x509({ caReferences: { primary: "trucks" } }),
      });
      await stage.put("pump-1", { attestation: leafOf(own), deviceId: "Pump-One" });
      await stage.put("closed", { attestation: leafOf(closed), provisioningStatus: "disabled" });
      const keyed = await stage.put("keyed", { attestation: { type: "symmetricKey" } });
      await stage.put("other", { attestation: { type: "symmetricKey" } });
      const { symmetricKey } = keyed["attestation"] as { symmetricKey: { primaryKey: string } };
      const leaf = await line.leaf("truck-7");
      const jobs: [string, Security, object?][] = [
        ["pump-1", certificate("pump-1", own)],
        ["truck-7", certificate("truck-7", leaf), { firmware: 3 }],
        ["stranger", certificate("stranger", stranger)],
        ["closed", certificate("closed", closed)],
        ["keyed", new SymmetricKeySecurityClient("keyed", symmetricKey.primaryKey) as never],
        ["wrong key", new SymmetricKeySecurityClient("other", symmetricKey.primaryKey) as never],
      ];
      await Promise.all(
        jobs.map(async ([title, security, payload]) =>
          outcomes.set(title, await register(security, payload)),
        ),
      );
    });
    after(() => stage.place.close());

    const assigned = (title: string): Json => {
      const outcome = outcomes.get(title);
      assert.ok(outcome?.result, outcome?.error?.stack);
      return outcome.result;
    };
    const refusal = (title: string): Json => {
      const { error } = outcomes.get(title)!;
      assert.ok(error, "it was registered");
      return error.result ?? (JSON.parse(error.responseBody ?? "{}") as Json);
    };

    client.answers(
      "create",
      `an individual enrollment's device comes in under the device ID of its entry (${transport.name})`,
      "learn.microsoft.com/azure/iot-dps/concepts-service",
      async () => {
        const { deviceId, registrationId, assignedHub, status } = assigned("pump-1");
        assert.deepEqual(
          { deviceId, registrationId, assignedHub, status },
          {
            deviceId: "Pump-One",
            registrationId: "pump-1",
            assignedHub: stage.place.hub,
            status: "assigned",
          },
        );
      },
    );
    contract.answers(
      "register",
      "a device of a group comes in with its leaf and intermediate, under its common name",
      CHAINS,
      async () => {
        const { deviceId, status, substatus } = assigned("truck-7");
        assert.deepEqual(
          [deviceId, status, substatus],
          ["truck-7", "assigned", "initialAssignment"],
        );
      },
    );
    contract.answers(
      "register",
      "the leaf's SHA-256 is what the hub then has of it",
      "live test: azure-iot-cli-extension, test_iot_device_registration_individual_int",
      async () => {
        const { x509Thumbprint } = (await deviceOf("Pump-One")).authentication as {
          x509Thumbprint: { primaryThumbprint: string };
        };
        assert.match(x509Thumbprint.primaryThumbprint, /^[0-9A-F]{64}$/);
      },
    );
    contract.answers(
      "register",
      "401 to a certificate that nothing is for",
      "azure-iot-sdk-c#1900",
      async () => {
        assert.equal(refusal("stranger")["errorCode"], 401002);
      },
    );
    contract.answers(
      "register",
      "401 to a disabled enrollment's certificate",
      ASSUMED,
      async () => {
        assert.equal(refusal("closed")["errorCode"], 401002);
      },
    );
    contract.answers(
      "register",
      "a device with the key of its enrollment comes in",
      "learn.microsoft.com/azure/iot-dps/concepts-symmetric-key-attestation",
      async () => {
        assert.equal(assigned("keyed")["status"], "assigned");
        assert.equal((await deviceOf("keyed")).authentication["type"], "sas");
      },
    );
    contract.answers("register", "401 to another key", ASSUMED, async () => {
      assert.equal(refusal("wrong key")["errorCode"], 401002);
    });
    contract.answers(
      "setProvisioningPayload",
      "a payload is taken, and plays no part without custom allocation",
      "learn.microsoft.com/azure/iot-dps/how-to-send-additional-data",
      async () => {
        assert.equal(assigned("truck-7")["payload"], undefined);
      },
    );
    contract.noCall("ends what is under way at the client", "cancel");

    const leafOf = ({ pem }: Issued) =>
      x509({ clientCertificates: { primary: { certificate: pem } } });

    async function deviceOf(deviceId: string): Promise<{ authentication: Json }> {
      const registry = Registry.fromConnectionString(stage.place.hubConnection("iothubowner"));
      return (await registry.get(deviceId)).responseBody as unknown as { authentication: Json };
    }

    async function register(security: Security, payload?: object): Promise<Outcome> {
      const device = ProvisioningDeviceClient.create(
        stage.place.deviceHostName,
        stage.place.idScope,
        new transport(),
        security,
      );
      if (payload !== undefined) device.setProvisioningPayload(payload);
      try {
        return { result: { ...(await device.register()) } };
      } catch (error) {
        return { error: error as NonNullable<Outcome["error"]> };
      }
    }
  });
}

/** The package has its own copy of azure-iot-common, whose classes are other types. */
function certificate(id: string, { chainPem, key }: Issued): Security {
  return new X509Security(id, { cert: chainPem, key });
}
