import assert from "node:assert/strict";
import { expirationsOf } from "../../certificates/expirations";
import { cast, device, group } from "./cast";

describe("when what is declared ends", () => {
  it("is said of CA certificates, and of the slots of enabled entries", async () => {
    const all = await cast();
    const both = {
      ...group(all, "ca", "root-a"),
      individualEnrollments: device(all, "one").individualEnrollments,
    };
    assert.deepEqual(expirationsOf(both), {
      "caCertificates.root-a.certificate": "2035-01-01T00:00:00Z",
      "caCertificates.root-b.certificate": "2035-01-01T00:00:00Z",
      "enrollmentGroups.sensors.primary.ca": "2035-01-01T00:00:00Z",
      "individualEnrollments.device-1.primary.certificate": "2026-12-31T00:00:00Z",
    });
    both.enrollmentGroups["sensors"]!.status = "disabled";
    both.certificates["one"] = { known: false };
    assert.deepEqual(Object.keys(expirationsOf(both)), [
      "caCertificates.root-a.certificate",
      "caCertificates.root-b.certificate",
    ]);
  });
});
