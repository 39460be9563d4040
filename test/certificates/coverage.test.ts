/** Each fault has a test that compares its whole message. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FAULTS } from "../../certificates/faults";

const ROOT = join(__dirname, "..", "..");
/** Wherever a fault is raised. */
const PRODUCT = [
  "certificates",
  "clients",
  "components",
  "configuration",
  "containment",
  "dynamic-providers",
];

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("fault-kinds"))
    .map((file) => readFileSync(join(ROOT, folder, file), "utf8"));
}

/** Texts that are put together from pieces, as one. */
function inOnePiece(source: string): string {
  return source.replace(/["`]\s*\+\s*["`]/g, "");
}

/** Something is left out of the comparison. */
const WILDCARD = /\.\*|\\S\+|\[\^|\(…\)/;

describe("the tests of faults", () => {
  const codes = Object.keys(FAULTS);

  it("compare the whole message of each of them", () => {
    const tests = sources("test").map(inOnePiece);
    const missing = codes.filter((code) => {
      const whole = new RegExp(`${code} at [^\\n]*: found [^\\n]*; fix: [^\\n]+`, "g");
      const messages = tests.flatMap((text) => text.match(whole) ?? []);
      return !messages.some((message) => !WILDCARD.test(message));
    });
    assert.deepEqual(missing, []);
  });

  it("are of faults that something raises, and of all that are raised", () => {
    const quoted = PRODUCT.flatMap(sources).flatMap(
      (text) => text.match(/"DPS-CERT-\d{3}"/g) ?? [],
    );
    assert.deepEqual([...new Set(quoted.map((each) => each.slice(1, -1)))].sort(), codes.sort());
  });
});
