import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { catalogue } from "../../rehearsal/catalogue";
import type { Procedure } from "../../rehearsal/procedures/procedure";
import { partsOf } from "../../rehearsal/run";
import { listOf, select } from "../../rehearsal/selection";
import { devStack, type Setting, standard } from "../../rehearsal/setting";

const PROGRAM = resolve(__dirname, "../..");

describe("which procedures are rehearsed", () => {
  const made = (name: string, of: string[], rest: Partial<Procedure> = {}): Procedure => ({
    name,
    of,
    title: `title of ${name}`,
    members: ["device-1"],
    carryOut: async () => undefined,
    ...rest,
  });
  const all = [made("P4", ["P4"]), made("P4-both", ["P4"]), made("back", ["P5", "P8"])];
  const killed = made("P4-killed", ["kills"]);
  const names = (...wanted: string[]): string[] => select(all, wanted).map(({ name }) => name);

  it("takes a procedure with its variants, and a variant alone", () => {
    assert.deepEqual(names("P4"), ["P4", "P4-both"]);
    assert.deepEqual(names("p4-BOTH"), ["P4-both"]);
    assert.deepEqual(names("P8"), ["back"]);
  });

  it("takes each once, in its own order", () => {
    assert.deepEqual(names("P8", "P5", "P4", "P4-both"), ["P4", "P4-both", "back"]);
    assert.deepEqual(names("all"), ["P4", "P4-both", "back"]);
  });

  it("takes those that are killed half way only when asked", () => {
    const taken = (name: string) => select([...all, killed], [name]).map((one) => one.name);
    assert.deepEqual(taken("all"), ["P4", "P4-both", "back"]);
    assert.deepEqual(taken("kills"), ["P4-killed"]);
  });

  it("does not know others", () => {
    assert.throws(() => select(all, ["P4", "P13", "roll"]), {
      message:
        '"P13", "roll": no such procedure. P1 to P12, all, kills, or one of those that --list shows.',
    });
  });

  it("lists names and titles", () => {
    assert.equal(
      listOf(all),
      "P4       title of P4\nP4-both  title of P4-both\nback     title of back",
    );
  });

  it("has each name once, and for each procedure only devices of its setting", () => {
    const unique = new Set(catalogue.map(({ name }) => name));
    assert.equal(unique.size, catalogue.length);
    for (const { name, members, setting = standard } of catalogue) {
      const there = setting.members.map(({ registrationId }) => registrationId);
      const unknown = members.filter((member) => !there.includes(member));
      assert.deepEqual(unknown, [], name);
    }
  });

  it("puts neighbours with one setting into one sandbox, with the devices that they need", () => {
    const parts = partsOf([
      made("P4", ["P4"], { members: ["device-2"] }),
      made("P5", ["P5"], { members: ["sensor-1", "device-2"] }),
      made("P1", ["P1"], { setting: devStack, members: ["gateway-3"] }),
      made("P6", ["P6"], { members: ["sensor-2"] }),
    ]);
    assert.deepEqual(
      parts.map(({ setting, procedures }) => [
        procedures.map(({ name }) => name),
        setting.members.map(({ registrationId }) => registrationId),
      ]),
      [
        [
          ["P4", "P5"],
          ["device-2", "sensor-1"],
        ],
        [["P1"], ["gateway-3"]],
        [["P6"], ["sensor-2"]],
      ],
    );
  });

  it("divides many neighbours evenly, and never what is to be in one setting", () => {
    const many = Array.from({ length: 13 }, (_, at) => made(`P${at}`, ["P4"]));
    const sizes = (setting?: Setting): number[] =>
      partsOf(many, setting).map(({ procedures }) => procedures.length);
    assert.deepEqual(sizes(), [4, 5, 4]);
    assert.deepEqual(
      partsOf(many).flatMap(({ procedures }) => procedures),
      many,
    );
    assert.deepEqual(sizes(devStack), [13]);
  });

  describe("on the command line", function () {
    this.timeout(60_000);

    async function run(...args: string[]): Promise<[unknown, string, string]> {
      return new Promise((done) => {
        execFile(
          process.execPath,
          ["--require", "tsx/cjs", "rehearsal/main.ts", ...args],
          { cwd: PROGRAM },
          (error, out, err) => done([error?.code ?? 0, out.trim(), err.trim()]),
        );
      });
    }

    it("lists them", async () => {
      assert.deepEqual(await run("--list"), [0, listOf(catalogue), ""]);
    });

    it("refuses an unknown one in one message, before anything is started", async () => {
      assert.deepEqual(await run("P5", "P99"), [
        1,
        "",
        '"P99": no such procedure. P1 to P12, all, kills, or one of those that --list shows.',
      ]);
    });

    it("asks for one", async () => {
      assert.deepEqual(await run(), [
        1,
        "",
        "Which procedure? P1 to P12, all, kills, or one of those that --list shows.",
      ]);
    });
  });
});
