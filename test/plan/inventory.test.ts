import assert from "node:assert/strict";
import { CaCertificatesClient } from "../../clients/ca-certificates";
import { type Inventory, readInventory } from "../../plan/inventory";
import { readingTime } from "../../plan/reading-time";
import { Stage } from "../dynamic-providers/stage";
import { type Issued, TestCa } from "../support/test-ca";

describe("the inventory of a service", () => {
  let stage: Stage;
  let root: TestCa, low: TestCa;
  let sensor: Issued, truck: Issued, truckNext: Issued;
  let inventory: Inventory;

  before(async () => {
    stage = await Stage.open();
    root = await TestCa.root("Root");
    low = await root.intermediate("Low");
    await new CaCertificatesClient(stage.connection).upload("root", root.pem, {
      selfAttested: true,
    });
    await stage.putGroup("plant", { primary: "root" });
    await stage.enrollments.putGroup({
      enrollmentGroupId: "closed",
      provisioningStatus: "disabled",
      attestation: {
        type: "x509",
        x509: { signingCertificates: { primary: { certificate: low.pem } } },
      },
    });
    truck = await TestCa.selfSigned("truck-7");
    truckNext = await TestCa.selfSigned("truck-7");
    await stage.putIndividual("truck-7", truck.pem, truckNext.pem);
    await stage.putIndividual("never-seen", (await TestCa.selfSigned("never-seen")).pem);
    sensor = await root.leaf("sensor-1");
    await stage.register("sensor-1", sensor);
    await stage.register("truck-7", truck);
    inventory = await readInventory(stage.connection);
  });

  after(() => stage.close());

  it("has every entry with the slots that are filled", () => {
    const slots = Object.fromEntries(
      inventory.entries.map(({ key, enabled, slots: filled }) => [
        key,
        [
          enabled,
          ...filled.map((slot) =>
            "ca" in slot
              ? `${slot.name} ${slot.ca}`
              : `${slot.name} ${slot.certificate.sha256Thumbprint}`,
          ),
        ],
      ]),
    );
    delete slots["individual:never-seen"];
    assert.deepEqual(slots, {
      "group:closed": [false, `primary ${low.certificate.thumbprint}`],
      "group:plant": [true, "primary root"],
      "individual:truck-7": [
        true,
        `primary ${truck.thumbprint}`,
        `secondary ${truckNext.thumbprint}`,
      ],
    });
    assert.deepEqual(
      inventory.caCertificates.map(({ name, isVerified }) => [name, isVerified]),
      [["root", true]],
    );
  });

  it("has the devices on record, under their entry, with their identities and what is proven", () => {
    const seen = inventory.devices.map(
      ({ registrationId, entry, status, assignedHub, identities }) => [
        registrationId,
        entry,
        status,
        assignedHub,
        identities.map(({ hub, thumbprints }) => [hub, thumbprints[0]]),
      ],
    );
    const { hub } = stage.sandbox;
    assert.deepEqual(seen, [
      ["sensor-1", "group:plant", "assigned", hub, [[hub, sensor.thumbprint]]],
      ["truck-7", "individual:truck-7", "assigned", hub, [[hub, truck.thumbprint]]],
    ]);
    const { devices = [] } = inventory.facts.entries["individual:truck-7"] ?? {};
    assert.deepEqual(devices, [{ deviceId: "truck-7", hub, leaf: truck.thumbprint }]);
    assert.deepEqual(inventory.leftOut, []);
  });

  it("has the tiers of the hubs as they are now, or says that they could not be read", async () => {
    const { hubs, faults } = stage.sandbox.sandbox;
    const { hub } = stage.sandbox;
    hubs.put("hub", { ...hubs.get("hub")!, sku: { name: "S2", tier: "Standard", capacity: 3 } });
    const { tiers } = await readInventory(stage.connection);
    assert.deepEqual(tiers, { [hub]: { sku: "S2", units: 3 } });
    faults.add({ on: "GET IotHubs", kind: "throttle", wait: 600, times: 9, service: "arm" });
    const refused = await readInventory(stage.connection);
    faults.clear();
    assert.deepEqual(refused.tiers, {});
    assert.match(
      refused.leftOut.join("\n"),
      /^the tiers of the linked hubs, because: Could not list the IoT hubs of the subscription/,
    );
  });

  it("says what a service does not answer, and goes on", async () => {
    const { hubs } = stage.sandbox.sandbox;
    const hub = hubs.get("hub")!;
    hubs.delete("hub");
    try {
      const { leftOut, devices } = await readInventory(stage.connection);
      assert.match(
        leftOut.join("\n"),
        new RegExp(`the devices of hub ${stage.sandbox.hub}, because: Could not query`),
      );
      assert.deepEqual(
        devices.map(({ identities }) => identities),
        [[], []],
      );
    } finally {
      hubs.put("hub", hub);
    }
  });

  it("expects a reading to take as long as the published rates allow, and is silent about a short one", () => {
    const hub = (devices: number, tier?: { sku: string; units: number }, name = "hub-a") => ({
      hub: name,
      devices,
      tier,
    });
    const S1 = { sku: "S1", units: 1 };
    assert.equal(readingTime(50, [hub(1000, S1)]), undefined);
    assert.equal(
      readingTime(0, [hub(10_000, S1)]),
      "Reading 10000 devices in 1 hub and 0 individual enrollments: about 100 calls to DPS and 10 queries to a hub. At their published rates they are answered at once, and within 30 seconds where what these rates allow in a minute was used up just before.",
    );
    assert.equal(
      readingTime(10_000, [hub(60_000, S1), hub(40_000, S1)]),
      "Reading 100000 devices in 2 hubs and 10000 individual enrollments: about 11000 calls to DPS and 60 queries to a hub. At their published rates they are answered within 10 minutes, and within 11 minutes where what these rates allow in a minute was used up just before.",
    );
    // 200 queries: 20 a minute for each unit of S1, and 1,000 for one of S3.
    const of = (tier?: { sku: string; units: number }) =>
      /answered .* just before\..*/.exec(readingTime(0, [hub(200_000, tier)]) ?? "")?.[0];
    const before = "where what these rates allow in a minute was used up just before.";
    assert.equal(of(S1), `answered within 9 minutes, and within 10 minutes ${before}`);
    assert.equal(
      of({ sku: "S2", units: 5 }),
      `answered within 60 seconds, and within 2 minutes ${before}`,
    );
    assert.equal(
      of({ sku: "S3", units: 1 }),
      `answered within 60 seconds, and within 2 minutes ${before}`,
    );
    assert.equal(
      of(),
      `answered within 9 minutes, and within 10 minutes ${before} The tier of hub-a could not be read, and is taken for S1, 1 unit.`,
    );
  });
});
