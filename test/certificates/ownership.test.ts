import assert from "node:assert/strict";
import { rollText } from "../../certificates/roll-words";
import { judge } from "../../certificates/rules";
import type { TestCa } from "../support/test-ca";
import { declared, NOW, root, shown } from "./fixtures";

describe("entries that somebody else made", () => {
  it("are taken over and let go of, in words, and nothing is said to be made or deleted", async () => {
    const ca: TestCa = await root("Root");
    const without = declared({ root: ca }, { caCertificates: { root: { certificate: "root" } } });
    const slots = { primary: { ca: "root" }, status: "enabled" as const };
    const taken = {
      ...without,
      enrollmentGroups: { sensors: { ...slots, adopt: true, retain: true } },
    };
    const text = (...[before, after]: [typeof without, typeof without]): string[] =>
      judge(before, after, NOW)
        .rolls.filter(({ phase }) => phase !== "none")
        .map(rollText);
    assert.deepEqual(text(without, taken), [
      [
        "adoption of enrollment group `sensors`",
        `  primary: CA \`root\`: ${shown(ca)}`,
        `  1. have CA \`root\`: ${shown(ca)} uploaded and verified`,
        `  2. take over enrollment group \`sensors\`: primary CA \`root\`: ${shown(ca)}; nothing is written when it is so in DPS already`,
        "  to go back: remove it from the configuration; it stays in DPS as it is",
      ].join("\n"),
    ]);
    assert.deepEqual(text(taken, without), [
      [
        "letting go of enrollment group `sensors`",
        `  primary: CA \`root\`: ${shown(ca)} → empty`,
        "  1. let go of enrollment group `sensors`; it stays in DPS as it is",
        "  to go back: declare enrollment group `sensors` again with adopt: true",
      ].join("\n"),
    ]);
  });
});
