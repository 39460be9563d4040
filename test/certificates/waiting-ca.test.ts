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

describe("a CA certificate that was adopted", () => {
  async function adopted() {
    const all = await cast();
    const before = {
      ...all.base,
      caCertificates: {
        ...all.base.caCertificates,
        "root-b": { certificate: "root-b", retained: true },
      },
    };
    const caCertificates = { ...all.base.caCertificates };
    delete (caCertificates as Partial<typeof before.caCertificates>)["root-b"];
    return { all, before, caCertificates };
  }

  const wordsOf = (before: Declared, after: Declared): string[] =>
    judge(before, after, NOW).rolls.flatMap(({ words, steps }) => [
      words,
      ...steps.map((each) => each.words),
    ]);

  it("is deleted when it leaves the configuration in the change that says it is compromised", async () => {
    const { all, before, caCertificates } = await adopted();
    const after = { ...before, ...breach("root-b"), caCertificates };
    assert.deepEqual(judge(before, after, NOW).faults.map(formatFault), []);
    assert.deepEqual(wordsOf(before, after), [
      `removal of CA \`root-b\`: ${shown(all.rootB)}`,
      "delete CA certificate `root-b` from the service, after all groups have let go",
    ]);
  });

  it("is let go of when it leaves the configuration otherwise", async () => {
    const { all, before, caCertificates } = await adopted();
    assert.deepEqual(wordsOf(before, { ...before, caCertificates }), [
      `letting go of CA \`root-b\`: ${shown(all.rootB)}`,
      "it stays in DPS as it is",
    ]);
  });

  it("is said to stay in DPS when it is let go of, and so is the word that it is compromised", async () => {
    const { all, before, caCertificates } = await adopted();
    const warnings = judge({ ...before, ...breach("root-b") }, { ...before, caCertificates }, NOW)
      .faults.map(formatFault)
      .filter((line) => line.includes("DPS-CERT-119"));
    assert.deepEqual(warnings, [
      `DPS-CERT-119 at caCertificates.root-b: found a CA that has a key that was declared compromised before (leaked), and that is let go of: ${shown(all.rootB)}; fix: keep it in compromised, and it is deleted from DPS; or delete it there`,
    ]);
  });
});
