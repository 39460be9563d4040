import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { faultTableMarkdown } from "../../certificates/fault-table-markdown";
import { fault, FAULTS, RefusedError, refusals } from "../../certificates/faults";
import { nearest, pathOf } from "../../certificates/text";

describe("the table of faults", () => {
  it("agrees with docs/reference/fault-codes.md", () => {
    const page = readFileSync(join(__dirname, "../../docs/reference/fault-codes.md"), "utf8");
    assert.equal(page, faultTableMarkdown(), "run: npx tsx docs/reference/write-fault-codes.ts");
  });

  it("has well-formed codes in order, each with its own title", () => {
    const codes = Object.keys(FAULTS);
    assert.deepEqual(codes, codes.toSorted());
    for (const code of codes) assert.match(code, /^DPS-CERT-\d{3}$/);
    const titles = Object.values(FAULTS).map(({ title }) => title);
    assert.equal(new Set(titles).size, titles.length);
  });

  it("gives each fault its severity, and a refusal prints all faults", () => {
    const faults = [
      fault("DPS-CERT-040", "enrollmentGroups.a", "nothing", "fill a slot"),
      fault("DPS-CERT-048", "enrollmentGroups.b", "no overlap", "wait"),
      fault("DPS-CERT-044", "individualEnrollments.c", "a CA", "issue a leaf"),
    ];
    assert.deepEqual(
      refusals(faults).map(({ code }) => code),
      ["DPS-CERT-040", "DPS-CERT-048"],
    );
    assert.equal(
      new RefusedError(refusals(faults)).message,
      [
        "refused, 2 faults:",
        "  DPS-CERT-040 at enrollmentGroups.a: found nothing; fix: fill a slot",
        "  DPS-CERT-048 at enrollmentGroups.b: found no overlap; fix: wait",
      ].join("\n"),
    );
  });
});

describe("places and names in messages", () => {
  it("put unusual names in brackets", () => {
    assert.equal(
      pathOf("individualEnrollments", "device-1", "primary"),
      "individualEnrollments.device-1.primary",
    );
    assert.equal(pathOf("individualEnrollments", "a.b:c"), 'individualEnrollments["a.b:c"]');
    assert.equal(pathOf("hubs", 0, "a\nb"), 'hubs[0]["a\\nb"]');
  });

  it("suggest what is near and nothing else", () => {
    assert.equal(nearest("taget", ["target", "auth"]), "target");
    assert.equal(nearest("Primray", ["primary", "secondary"]), "primary");
    assert.equal(nearest("x", ["target", "auth"]), undefined);
  });
});
