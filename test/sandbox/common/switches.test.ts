import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SWITCHES, type SwitchDefinition } from "../../../sandbox/common/switch-table";
import {
  DEFAULT_SWITCHES,
  describeSwitches,
  readSwitches,
  SwitchError,
  switchesPage,
  type Switches,
} from "../../../sandbox/common/switches";
import { isThere, type Place } from "./places";
import { SWITCH_CASES } from "./switch-cases";

const all = Object.entries<SwitchDefinition>(SWITCHES);

/** The text of every source file below a folder, but for the table of switches itself. */
function typescriptIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith("switch-table.ts"))
    .map((name) => readFileSync(join(folder, name), "utf8"));
}

describe("the switches of the sandbox", () => {
  it("agree with docs/reference/sandbox-switches.md", () => {
    const page = readFileSync(
      join(__dirname, "../../../docs/reference/sandbox-switches.md"),
      "utf8",
    );
    assert.equal(page, switchesPage(), "run: npx tsx docs/reference/write-sandbox-switches.ts");
  });

  it("have a default among their values, and say what they mean and why they are there", () => {
    for (const [name, { values, default: value, meaning, because }] of all) {
      assert.ok(values === "whole number" ? Number.isInteger(value) : values.includes(value), name);
      assert.ok(meaning.endsWith(".") && because.endsWith("."), name);
      assert.ok(describeSwitches().includes(`${name}=${value}`));
    }
  });

  it("are all decided somewhere in the sandbox", () => {
    const sources = ["dps-device", "dps-service", "iot-hub", "arm", "common"].flatMap((folder) =>
      typescriptIn(join(__dirname, "../../../sandbox", folder)),
    );
    for (const [name] of all) {
      assert.ok(
        sources.some((text) => new RegExp(`\\b${name}\\b`).test(text)),
        `nothing reads ${name}`,
      );
    }
  });

  it("are each tried with each of their values", () => {
    for (const [name, { values }] of all) {
      const cases = SWITCH_CASES[name as keyof Switches] as Record<string, Place>;
      const tried = Object.keys(cases);
      if (values === "whole number") assert.ok(tried.length > 1, name);
      else assert.deepEqual(tried.sort(), values.map(String).sort(), name);
      const stale = Object.values(cases).filter((place) => !isThere(place));
      assert.deepEqual(stale, [], name);
    }
  });

  it("are set by name and value", () => {
    assert.deepEqual(readSwitches([]), {});
    assert.deepEqual(
      readSwitches(["disabledIndividualDenies=certificate", "pollsWhileAssigning=3"]),
      { disabledIndividualDenies: "certificate", pollsWhileAssigning: 3 },
    );
    assert.deepEqual(readSwitches(["primaryRequired=false", "hubRefusalCode=3"]), {
      primaryRequired: false,
      hubRefusalCode: 3,
    });
    assert.equal(DEFAULT_SWITCHES.disabledIndividualDenies, "registration-id");
  });

  const refused: [string[], RegExp][] = [
    [["primaryRequired"], /^--switch primaryRequired: write it as NAME=VALUE\.$/],
    [["primary=true"], /^There is no switch "primary"; they are: disabledIndividualDenies, /],
    [["toString=true"], /^There is no switch "toString"/],
    [
      ["primaryRequired=yes"],
      /^The switch primaryRequired cannot be "yes": it takes true or false/,
    ],
    [["pollsWhileAssigning=-1"], /"-1": it takes a whole number from 0\.$/],
    [["primaryRequired=true", "primaryRequired=false"], /^The switch primaryRequired is set twice/],
  ];
  for (const [settings, message] of refused) {
    it(`refuses ${settings.join(" ")} in one sentence`, () => {
      assert.throws(
        () => readSwitches(settings),
        (error: unknown) => error instanceof SwitchError && message.test(error.message),
      );
    });
  }
});
