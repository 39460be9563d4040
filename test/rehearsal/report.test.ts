import assert from "node:assert/strict";
import { complaintOf } from "../../rehearsal/engine";
import { Findings } from "../../rehearsal/findings";
import { report } from "../../rehearsal/report";

describe("what a rehearsal says at its end", () => {
  const silent = (): Findings => new Findings(() => undefined);
  const verdict = (findings: Findings, procedures: number, seconds: number): string =>
    report(findings, procedures, seconds).split("┘\n").at(-1)!.trimEnd();

  it("is one line when everything held, with the time", () => {
    const findings = silent();
    findings.add("P4", "first things first", true, "seen");
    findings.add("P5", "last things last", true, "seen");
    assert.equal(verdict(findings, 2, 492.4), "All 2 rules of 2 procedures held, in 8 min 12 s.");
    assert.equal(verdict(findings, 1, 41), "All 2 rules of 1 procedure held, in 41 s.");
  });

  it("has a line for each rule, and what was seen of it for who wants that", () => {
    const findings = silent();
    findings.add("P4", "first things first", true, "seen with eyes");
    const rows = (evidence: boolean): string[] =>
      report(findings, 1, 1, { evidence })
        .split("\n")
        .filter((line) => line.includes("first things"));
    assert.equal(rows(false).length, 1);
    assert.doesNotMatch(rows(false)[0]!, /seen with eyes/);
    assert.match(rows(true)[0]!, /yes .* seen with eyes/);
  });

  it("names each rule that did not hold, and where to look", () => {
    const findings = silent();
    findings.add("P4", "first things first", true, "seen");
    findings.addEnd(
      "P5",
      new Error("pulumi up ended with 1:\n  service:\n    error: no\nmore\nmore"),
    );
    findings.kept.push("/tmp/dps-rehearsal-1");
    assert.equal(
      verdict(findings, 2, 60),
      [
        "Kept to be looked into: /tmp/dps-rehearsal-1",
        "  pulumi.log, devices.jsonl, sandbox/requests.jsonl: what the engine printed, what devices lived through, every request",
        "  npm run sandbox -- --keep --dir /tmp/dps-rehearsal-1/sandbox: the sandbox again, with the stack in it, as it was",
        "1 of 2 rules of 2 procedures did not hold, in 1 min 0 s:",
        "  P5: it is carried out to its end (pulumi up ended with 1: service: error: no …)",
      ].join("\n"),
    );
  });

  it("has what was found in several sandboxes in the order of the procedures", () => {
    const [first, second] = [silent(), silent()];
    second.add("P5", "b", true, "");
    second.add("always", "d", true, "");
    first.add("P4", "a", true, "");
    first.add("always", "c", true, "");
    second.kept.push("/tmp/kept");
    const merged = Findings.merged([second, first], ["P4", "P5"]);
    assert.deepEqual(
      merged.rules.map(({ rule }) => rule),
      ["a", "b", "d", "c"],
    );
    assert.deepEqual(merged.kept, ["/tmp/kept"]);
  });

  describe("of an engine that did not succeed", () => {
    it("names the errors, each below its resource, and nothing else", () => {
      const printed = [
        "Updating (dev):",
        " ~  pulumi:pulumi:Stack dps-certificates-dev running",
        "Diagnostics:",
        "  pulumi:pulumi:Stack (dps-certificates-dev):",
        "    Target: the sandbox.",
        "  dps:FleetJudgement (service):",
        "    warning: be careful",
        "    error: refused, 1 fault:",
        "      DPS-CERT-058 at enrollmentGroups.sensors",
        "",
        "Outputs:",
        '  - idScope: "0ne1"',
        "",
        "Duration: 4s",
      ].join("\n");
      assert.equal(
        complaintOf(printed),
        [
          "  dps:FleetJudgement (service):",
          "    error: refused, 1 fault:",
          "      DPS-CERT-058 at enrollmentGroups.sensors",
        ].join("\n"),
      );
    });

    it("is the end of what it printed when it named no error", () => {
      const lines = Array.from({ length: 50 }, (_, at) => `line ${at}`);
      assert.equal(complaintOf(lines.join("\n")), lines.slice(10).join("\n"));
    });
  });
});
