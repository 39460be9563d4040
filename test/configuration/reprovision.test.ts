import assert from "node:assert/strict";
import { readConfiguration } from "../../configuration/configuration";

const service = { resourceGroup: "rg", location: "westeurope" };

describe("telling devices to register again, in the configuration", () => {
  it("has limits with defaults", () => {
    const raw = { service, reprovisioning: { waitSeconds: 3600 } };
    assert.deepEqual(readConfiguration(raw).reprovisioning, {
      waitSeconds: 3600,
      responseSeconds: 30,
      connectSeconds: 0,
      methodName: "reprovision",
    });
  });

  it("is refused for a hub of the basic tier, which has no direct methods and no jobs", () => {
    const raw = {
      service,
      hubs: [{ name: "hub-a" }, { name: "hub-b", sku: "B1" }],
      enrollmentGroups: { sensors: { reprovision: "job" } },
      individualEnrollments: { "device-1": { reprovision: "directMethod" }, "device-2": {} },
    };
    assert.throws(() => readConfiguration(raw), {
      name: "RefusedError",
      message: [
        "refused, 2 faults:",
        "  DPS-CERT-130 at enrollmentGroups.sensors.reprovision: found hubs[1] of the basic tier (B1), which has no direct methods and no jobs; fix: use a hub of the standard tier, or leave reprovision out",
        "  DPS-CERT-130 at individualEnrollments.device-1.reprovision: found hubs[1] of the basic tier (B1), which has no direct methods and no jobs; fix: use a hub of the standard tier, or leave reprovision out",
      ].join("\n"),
    });
  });
});
