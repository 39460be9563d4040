import assert from "node:assert/strict";
import { TestCa } from "../support/test-ca";
import { Mocks, valueOf } from "./mocks";
import { serviceArgs } from "./service";

describe("the reprovisioning component", () => {
  it("tells devices after their entry is written, with what stands in its slots, and is waited for by nobody", async () => {
    const root = await TestCa.root("Root A");
    const mocks = await Mocks.set(root.pem);
    const {
      BreachRemoval,
      CaCertificate,
      certificateFromPem,
      EnrollmentGroup,
      IndividualEnrollment,
      ProvisioningService,
      Reprovisioning,
    } = mocks.modules;
    const service = new ProvisioningService("service", serviceArgs());
    const certificate = certificateFromPem("leaf", root.pem);
    const proof = { selfAttested: true as const };
    const primary = new CaCertificate("first", { service, certificate, proof });
    const secondary = new CaCertificate("second", { service, certificate, proof });
    const group = new EnrollmentGroup("plant", { service, primary, secondary });
    const denied = new IndividualEnrollment("truck-8", {
      service,
      primary: certificate,
      denied: "sold",
    });
    const told = new Reprovisioning("group-plant", { service, entry: group, how: "job" });
    const nobody = new Reprovisioning("individual-truck-8", {
      service,
      entry: denied,
      how: "directMethod",
      waitSeconds: 60,
    });
    const removal = new BreachRemoval("breaches", {
      service,
      compromised: [
        {
          name: "old-leaf",
          key: "AA",
          subject: "CN=truck-8",
          reason: "stolen",
          registrationIds: ["truck-8"],
          thumbprints: ["BB"],
        },
      ],
      remove: { how: "now", keep: "delete" },
      goodIssuers: [],
      declaredCas: [],
      replaced: [group, denied],
    });
    await mocks.settled(service, primary, secondary, group, denied, told, nobody, removal);

    const { inputs } = mocks.one("DeviceReprovisioning", "group-plant");
    assert.deepEqual(inputs["admits"], ["CA certificate first", "CA certificate second"]);
    assert.deepEqual(
      [inputs["kind"], inputs["enrollmentId"], inputs["how"], inputs["waitSeconds"]],
      ["group", "plant", "job", 300],
    );
    assert.deepEqual([inputs["since"], inputs["open"]], ["2026-11-24T10:00:00Z", true]);
    assert.ok(
      mocks.waitsFor("DeviceReprovisioning", "group-plant").includes("EnrollmentGroup plant"),
    );
    const closed = mocks.one("DeviceReprovisioning", "individual-truck-8").inputs;
    assert.deepEqual(
      [closed["kind"], closed["admits"], closed["waitSeconds"]],
      ["individual", [], 60],
    );
    assert.equal(await valueOf(told.left), 0);
    for (const type of ["DeviceTwinJournal", "DeviceRegistrationRemoval"]) {
      const waits = mocks.waitsFor(type, "breaches");
      assert.ok(!waits.some((each) => each.startsWith("DeviceReprovisioning")), waits.join());
    }
  });
});
