/**
 * P5 on the real engine, with one real device that tries its new certificate at the hub first. What
 * it does not prove: the other procedures, and that a device that registers first is never refused;
 * `npm start` shows those.
 */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import type { Findings } from "../../rehearsal/findings";
import { individualExpiration } from "../../rehearsal/procedures/p05-individual-expiration";
import { rehearse } from "../../rehearsal/run";
import { devStack } from "../../rehearsal/setting";

describe("P5, expiration of an individual enrollment's leaf", function () {
  this.timeout(400_000);

  const said: string[] = [];
  let findings: Findings;

  before(async () => {
    findings = await rehearse({
      program: resolve(__dirname, "../.."),
      procedures: [individualExpiration],
      setting: {
        ...devStack,
        members: [{ registrationId: "device-2", enrollment: "individual", rollFirst: "connect" }],
      },
      say: (line) => said.push(line),
    });
  });

  it("holds every rule of its order", () => {
    assert.deepEqual(findings.failures, []);
    const judged = findings.rules.filter(({ procedure }) => procedure === "P5");
    assert.deepEqual(
      judged.map(({ rule }) => rule),
      [
        "the preview names it in words, and shows certificates by subject, thumbprint and dates",
        "Pulumi calls it by its name: expiration roll, prepare",
        "Pulumi calls it by its name: expiration roll, retire",
        "no device that worked is ever without a certificate that DPS accepts",
        "device-2 goes to its hub first: it is refused there once, and recovers",
        "the old certificate is refused by DPS (tried)",
      ],
    );
  });

  it("leaves the device with another certificate, after one refusal", () => {
    const [row, ...others] = findings.devices;
    assert.deepEqual(others, []);
    assert.ok(row);
    assert.notEqual(row.after.thumbprint, row.before.thumbprint);
    assert.deepEqual(row.refused, { hub: 1, dps: 0 });
    assert.match(row.hub, /^hub-dev-[12]\./);
  });

  it("says what changes in the configuration before the engine does it", () => {
    const at = (part: string): number => said.findIndex((line) => line.includes(part));
    assert.ok(at("+ individualEnrollments.device-2.secondary") > 0);
    assert.ok(
      at("+ individualEnrollments.device-2.secondary") < at("pulumi ~ IndividualEnrollment"),
    );
  });
});
