/**
 * P4 on the real engine, killed while the first device is being removed, then `pulumi cancel` and
 * `up`: the longest way back. The other breaches and kill points are `npm run rehearse -- kills`.
 */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import type { Findings } from "../../rehearsal/findings";
import { killedIndividualBreach } from "../../rehearsal/procedures/killed";
import { rehearse } from "../../rehearsal/run";

describe("P4, breach of an individual enrollment's leaf, killed half way", function () {
  this.timeout(400_000);

  let findings: Findings;

  before(async () => {
    const procedure: typeof killedIndividualBreach = {
      ...killedIndividualBreach,
      points: ["the first removal"],
    };
    findings = await rehearse({
      program: resolve(__dirname, "../.."),
      procedures: [procedure],
      say: () => undefined,
    });
  });

  it("holds every rule of its order, and a third run changes nothing", () => {
    assert.deepEqual(findings.failures, []);
    const judged = findings.rules.filter(({ procedure }) => procedure === "P4-killed");
    assert.deepEqual(
      judged.map(({ rule }) => rule),
      [
        "every device that came in with the compromised key is removed",
        "contain first: the first writes close what admits the compromised key",
        "replace after that",
        "remove devices last",
        "nothing admits the compromised key from the cut-off on",
        "DPS answers canaries as its records say",
        "DPS refuses canaries with the compromised key from the cut-off on (tried)",
        "devices that are not concerned keep their connection",
        "no device that worked is ever without a certificate that DPS accepts",
        "the old certificate is refused by DPS and every hub (tried)",
        "the device comes back with its tags and desired properties as before",
        "killed after the first removal: the second run finished the work, a third would change nothing",
      ],
    );
  });

  it("brings the device back with another certificate", () => {
    const row = findings.devices.find(({ device }) => device === "device-2");
    assert.ok(row);
    assert.notEqual(row.after.thumbprint, row.before.thumbprint);
  });
});
