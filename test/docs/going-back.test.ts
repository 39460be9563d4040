import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PHASES, wayBack } from "../../certificates/roll-words";

describe("the guide to going back", () => {
  const text = readFileSync(join(__dirname, "../../docs/guides/going-back.md"), "utf8");
  /** First column of its tables. */
  const rows = [...text.matchAll(/^\| (.+?) +\|/gm)].map(([, first]) => first!);

  it("has each phase that has a way back", () => {
    const phases = PHASES.filter((phase) => wayBack(phase) !== "");
    assert.ok(phases.length > 0);
    assert.deepEqual(
      phases.filter((phase) => !rows.includes(phase)),
      [],
    );
  });

  it("says what each procedure's number is", () => {
    const numbers = rows.flatMap((row) => row.match(/^P\d+(, P\d+)*$/)?.[0].split(", ") ?? []);
    assert.deepEqual(
      numbers,
      Array.from({ length: 12 }, (_, at) => `P${at + 1}`),
    );
  });
});
