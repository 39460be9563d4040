/** Each fault has a test that compares its whole message. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FAULTS } from "../../certificates/faults";

const ROOT = join(__dirname, "..", "..");

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("fault-kinds"))
    .map((file) => readFileSync(join(ROOT, folder, file), "utf8"));
}

describe("the tests of faults", () => {
  const tests = sources("test");
  const raised = new Set(
    sources("certificates").flatMap((text) => text.match(/"DPS-CERT-\d{3}"/g) ?? []),
  );

  it("compare the whole message of each fault that the domain raises", () => {
    const codes = [...raised].map((quoted) => quoted.slice(1, -1)).sort();
    assert.ok(codes.length > 60);
    const missing = codes.filter((code) => {
      const whole = new RegExp(`${code} at [^\\n]*: found [^\\n]*; fix: [^\\n]`);
      return !tests.some((text) => whole.test(text));
    });
    assert.deepEqual(missing, []);
  });

  it("name every fault of the table", () => {
    const missing = Object.keys(FAULTS).filter(
      (code) => !tests.some((text) => text.includes(code)),
    );
    assert.deepEqual(missing, []);
  });
});
