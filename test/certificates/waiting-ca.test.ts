import assert from "node:assert/strict";
import { formatFault, refusals } from "../../certificates/faults";
import type { Declared } from "../../certificates/declared";
import { judge } from "../../certificates/rules";
import { breach, type Cast, cast, group } from "./cast";
import { NOW, shown } from "./fixtures";

const FIX =
  "run `pulumi up` without this slot, have the code of the output pendingProofs signed, and give caCertificates.root-a.proof.offline.signedFile in the change that fills the slot";

describe("a CA that waits for its proof of possession", () => {
  let all: Cast;

  before(async () => {
    all = await cast();
  });

  const waiting = (declared: Declared): Declared => ({
    ...declared,
    caCertificates: {
      ...declared.caCertificates,
      "root-a": { certificate: "root-a", waits: true },
    },
  });
  const refused = (declared: Declared): string[] =>
    refusals(judge(all.base, declared, NOW).faults).map(formatFault);

  it("is not referred to by a group", () => {
    assert.deepEqual(refused(waiting(group(all, "ca", "root-b", "root-a"))), [
      `DPS-CERT-110 at enrollmentGroups.sensors.secondary.ca: found CA \`root-a\`: ${shown(all.rootA)}, while CA \`root-a\` waits for its proof of possession; fix: ${FIX}`,
    ]);
    assert.deepEqual(refused(group(all, "ca", "root-b", "root-a")), []);
  });

  it("is nothing that a signing certificate can chain to", () => {
    assert.deepEqual(refused(waiting(group(all, "certificate", "low"))), [
      `DPS-CERT-110 at enrollmentGroups.sensors.primary.certificate: found a signing certificate that chains to nothing else: ${shown(all.lowA)}, while CA \`root-a\` waits for its proof of possession; fix: ${FIX}`,
    ]);
    assert.deepEqual(refused(group(all, "certificate", "low")), []);
  });

  it("may stand in a group that is disabled", () => {
    const declared = waiting(group(all, "ca", "root-a"));
    declared.enrollmentGroups["sensors"]!.status = "disabled";
    assert.deepEqual(refused(declared), []);
  });
});

describe("a compromised CA that was adopted", () => {
  it("is said to stay in DPS when it leaves the configuration in the same change", async () => {
    const all = await cast();
    const before = {
      ...all.base,
      caCertificates: {
        ...all.base.caCertificates,
        "root-b": { certificate: "root-b", retained: true },
      },
    };
    const { "root-b": gone, ...caCertificates } = before.caCertificates;
    const warnings = (declared: Declared): string[] =>
      judge(before, declared, NOW).faults.map(formatFault);
    assert.deepEqual(warnings({ ...before, ...breach("root-b"), caCertificates }), [
      `DPS-CERT-119 at caCertificates.root-b: found a CA that has a key that compromised[0] names (leaked), and that is let go of: ${shown(all.rootB)}; fix: keep it in caCertificates in this change and remove it in the next one, which deletes it; or delete it in DPS`,
    ]);
    assert.deepEqual(warnings({ ...before, caCertificates }), []);
    const kept = warnings({ ...before, ...breach("root-b") });
    assert.ok(gone.retained && kept.every((line) => !line.includes("DPS-CERT-119")), kept.join());
  });
});
