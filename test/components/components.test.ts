import assert from "node:assert/strict";
import type { CompromisedKey } from "../../certificates/compromised-keys";
import { declared } from "../certificates/fixtures";
import { TestCa } from "../support/test-ca";
import { Mocks, shown, valueOf } from "./mocks";
import { serviceArgs } from "./service";

const HUB = { sku: "S1", units: 1, adopt: false };

describe("components", () => {
  let root: TestCa;
  let mocks: Mocks;

  before(async () => {
    root = await TestCa.root("Root A");
  });

  beforeEach(async () => {
    mocks = await Mocks.set(root.pem);
  });

  type Args = ConstructorParameters<Mocks["modules"]["ProvisioningService"]>[1];

  function serviceOf(args: Partial<Args> = {}) {
    return new mocks.modules.ProvisioningService(
      "service",
      serviceArgs({ hubs: [{ ...HUB, name: "hub-a" }], ...args }),
    );
  }

  describe("ProvisioningService", () => {
    it("makes the group, the hubs and the service below itself, named from its own name", async () => {
      const service = serviceOf({
        hubs: [
          { ...HUB, name: "hub-a" },
          { ...HUB, name: "hub-b" },
        ],
      });
      await mocks.settled(service);
      assert.deepEqual(mocks.names, [
        "BreachContainment service",
        "FleetJudgement service",
        "IotDpsResource service",
        "IotHubResource service-hub-a",
        "IotHubResource service-hub-b",
        "ResourceGroup service",
        "RotationManifest service",
      ]);
      const urn = await valueOf(service.urn);
      for (const { type, parent } of mocks.registered.filter(({ type }) => !/index:/.test(type))) {
        assert.equal(parent, urn, type);
      }
      assert.equal(await valueOf(service.idScope), "0ne00000001");
    });

    it("writes nothing before the manifest is judged; containment waits for no hub by order", async () => {
      await mocks.settled(serviceOf());
      assert.deepEqual(mocks.waitsFor("RotationManifest", "service"), []);
      for (const [type, name] of [
        ["ResourceGroup", "service"],
        ["IotHubResource", "service-hub-a"],
        ["IotDpsResource", "service"],
        ["BreachContainment", "service"],
        ["FleetJudgement", "service"],
      ] as const) {
        assert.ok(mocks.waitsFor(type, name).includes("RotationManifest service"), type);
      }
      const contained = mocks.waitsFor("BreachContainment", "service");
      assert.ok(!contained.includes("FleetJudgement service"), contained.join());
    });

    it("links hubs with a connection string that is a secret", async () => {
      await mocks.settled(serviceOf());
      const { inputs } = mocks.one("IotDpsResource", "service");
      assert.doesNotMatch(JSON.stringify(shown(inputs, "hidden")), /SharedAccessKey/);
      const { properties } = shown(inputs, "in clear") as {
        properties: { iotHubs: { connectionString: string }[] };
      };
      assert.equal(
        properties.iotHubs[0]?.connectionString,
        "HostName=hub-a.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey=key of hub-a",
      );
      const connection = mocks.one("BreachContainment", "service").inputs["connection"];
      assert.deepEqual(connection, {
        target: "sandbox",
        auth: "entra",
        subscriptionId: "sub",
        resourceGroup: "group-a",
        service: "dps-a",
        serviceHostName: "dps-a.azure-devices-provisioning.net",
      });
    });

    it("protects what devices hang on for the target azure, and only there", async () => {
      for (const target of ["azure", "sandbox"] as const) {
        mocks = await Mocks.set(root.pem);
        await mocks.settled(serviceOf({ target }));
        const kept = mocks.registered.filter(({ type }) => /ResourceGroup|Iot/.test(type));
        assert.equal(kept.length, 3);
        assert.ok(kept.every(({ protect }) => protect === (target === "azure")));
      }
    });

    it("looks an adopted service and hub up, and manages neither them nor the group", async () => {
      const service = serviceOf({ adopt: true, hubs: [{ ...HUB, name: "hub-a", adopt: true }] });
      await mocks.settled(service);
      assert.deepEqual(mocks.names, [
        "BreachContainment service",
        "FleetJudgement service",
        "RotationManifest service",
      ]);
      assert.equal(await valueOf(service.idScope), "0ne00000002");
      assert.ok(mocks.calls.includes("azure-native:deviceprovisioningservices:getIotDpsResource"));
    });

    it("makes names that nobody else in Azure has when none are given", async () => {
      const { modules } = mocks;
      const service = new modules.ProvisioningService("service", {
        target: "sandbox",
        auth: "entra",
        resourceGroup: "group-a",
        location: "westeurope",
        allocationPolicy: "Hashed",
        adopt: false,
        hubs: [HUB],
        declared: declared({}),
        made: {},
        compromised: [],
        caKeys: {},
      });
      await mocks.settled(service);
      for (const name of ["service", "service-hub-1"]) {
        assert.deepEqual(mocks.one("RandomString", name).inputs, {
          length: 8,
          special: false,
          upper: false,
        });
      }
      const { provisioningServiceName } = mocks.one("IotDpsResource", "service").inputs;
      assert.equal(provisioningServiceName, "fleet-test-abcd1234");
    });
  });

  describe("certificates and enrollments", () => {
    it("makes a dev chain: the issuer's key signs, and every key is a secret", async () => {
      const { DevCertificate } = mocks.modules;
      const key = "ecdsa-p256" as const;
      const issuer = new DevCertificate("root", {
        commonName: "Root",
        days: 2,
        key: "rsa-2048",
        ca: true,
      });
      const leaf = new DevCertificate("leaf", {
        commonName: "truck-7",
        days: 1,
        key,
        ca: false,
        issuer,
      });
      await mocks.settled(issuer, leaf);
      assert.deepEqual(mocks.names, [
        "CertRequest leaf",
        "LocallySignedCert leaf",
        "PrivateKey leaf",
        "PrivateKey root",
        "SelfSignedCert root",
      ]);
      assert.deepEqual(mocks.one("PrivateKey", "root").inputs, { algorithm: "RSA", rsaBits: 2048 });
      const signed = mocks.one("LocallySignedCert", "leaf").inputs;
      assert.equal(shown(signed["caPrivateKeyPem"], "hidden"), "[secret]");
      assert.equal(shown(signed["caPrivateKeyPem"], "in clear"), "key of root, PKCS#8");
      assert.deepEqual(
        [signed["caCertPem"], signed["isCaCertificate"], signed["validityPeriodHours"]],
        [root.pem, false, 24],
      );
      assert.equal(mocks.one("SelfSignedCert", "root").inputs["isCaCertificate"], true);
      for (const [type, name] of [
        ["SelfSignedCert", "root"],
        ["CertRequest", "leaf"],
      ] as const) {
        const { privateKeyPem } = mocks.one(type, name).inputs;
        assert.equal(shown(privateKeyPem, "hidden"), "[secret]", type);
      }
      assert.equal(leaf.name, "leaf");
    });

    it("writes a CA after containment, and a group after the CAs that it names", async () => {
      const { CaCertificate, certificateFromPem, EnrollmentGroup } = mocks.modules;
      const service = serviceOf();
      const certificate = certificateFromPem("root", root.pem);
      const proof = { selfAttested: true as const };
      const first = new CaCertificate("first", { service, certificate, proof });
      const second = new CaCertificate("second", {
        service,
        certificate,
        proof,
        name: "second-ca",
      });
      const group = new EnrollmentGroup("plant", { service, primary: first, secondary: second });
      await mocks.settled(service, first, second, group);
      assert.ok(mocks.waitsFor("CaCertificate", "first").includes("BreachContainment service"));
      const waits = mocks.waitsFor("EnrollmentGroup", "plant");
      for (const one of [
        "BreachContainment service",
        "CaCertificate first",
        "CaCertificate second",
      ]) {
        assert.ok(waits.includes(one), `${one}: ${waits.join()}`);
      }
      const { inputs } = mocks.one("EnrollmentGroup", "plant");
      const { primary, secondary } = inputs as Record<string, { ca: string }>;
      assert.deepEqual([primary?.ca, secondary?.ca], ["first", "second-ca"]);
      assert.equal(inputs["enrollmentId"], "plant");
      assert.equal(inputs["provisioningStatus"], "enabled");
      assert.equal(inputs["reprovisionPolicy"], "migrate");
    });

    it("holds the leaf itself in an individual enrollment, and disables a denied one", async () => {
      const { certificateFromPem, IndividualEnrollment } = mocks.modules;
      const service = serviceOf();
      const primary = certificateFromPem("leaf", root.pem);
      const live = new IndividualEnrollment("truck-7", { service, primary, deviceId: "lorry" });
      const denied = new IndividualEnrollment("truck-8", {
        service,
        primary,
        status: "enabled",
        denied: "sold",
      });
      await mocks.settled(service, live, denied);
      const inputsOf = (name: string) => mocks.one("IndividualEnrollment", name).inputs;
      const enrolled = inputsOf("truck-7");
      assert.deepEqual([enrolled["deviceId"], enrolled["secondary"]], ["lorry", undefined]);
      const slot = enrolled["primary"] as { pem: string; certificate: { subject: string } };
      assert.equal(slot.pem, root.pem);
      assert.equal(slot.certificate.subject, "CN=Root A");
      assert.deepEqual(
        [inputsOf("truck-8")["provisioningStatus"], inputsOf("truck-8")["denied"]],
        ["disabled", "sold"],
      );
      const waits = mocks.waitsFor("IndividualEnrollment", "truck-7");
      assert.ok(waits.includes("BreachContainment service"), waits.join());
    });

    it("removes devices last: after everything is replaced, and after the journal", async () => {
      const { BreachRemoval, certificateFromPem, IndividualEnrollment } = mocks.modules;
      const service = serviceOf();
      const primary = certificateFromPem("leaf", root.pem);
      const enrollment = new IndividualEnrollment("truck-7", { service, primary });
      const compromised: CompromisedKey = {
        name: "old-leaf",
        key: "AA",
        subject: "CN=truck-7",
        reason: "stolen",
        registrationIds: ["truck-7"],
        thumbprints: ["BB"],
      };
      const replaced = [enrollment];
      const removal = new BreachRemoval("breaches", {
        service,
        compromised: [compromised],
        replaced,
        remove: { how: "now", keep: "delete" },
        goodIssuers: [],
        declaredCas: ["root-b"],
      });
      await mocks.settled(service, enrollment, removal);
      const order = ["BreachContainment service", "IndividualEnrollment truck-7"];
      for (const type of ["DeviceTwinJournal", "DeviceRegistrationRemoval"]) {
        const waits = mocks.waitsFor(type, "breaches");
        for (const before of order) assert.ok(waits.includes(before), `${type}: ${waits.join()}`);
      }
      assert.ok(
        mocks
          .waitsFor("DeviceRegistrationRemoval", "breaches")
          .includes("DeviceTwinJournal breaches"),
      );
      const { journal, contained, waiting, restoreWaitSeconds } = mocks.one(
        "DeviceRegistrationRemoval",
        "breaches",
      ).inputs;
      assert.deepEqual(contained, {});
      assert.equal(waiting, 1);
      assert.deepEqual(journal, [{ deviceId: "device-1" }]);
      assert.equal(restoreWaitSeconds, 30);
      assert.deepEqual(await valueOf(removal.removed), ["device-1"]);
      const deletion = mocks.waitsFor("CompromisedCaDeletion", "breaches");
      for (const before of [...order, "DeviceRegistrationRemoval breaches"]) {
        assert.ok(deletion.includes(before), deletion.join());
      }
      assert.deepEqual(mocks.one("CompromisedCaDeletion", "breaches").inputs["declared"], [
        "root-b",
      ]);
    });

    it("meets a type that nobody expected with an error", () => {
      const one = mocks as unknown as {
        stateOf(type: string, name: string, inputs: object): object;
      };
      assert.throws(() => one.stateOf("aws:s3:Bucket", "b", {}), /Nobody expected a resource/);
    });
  });
});
