import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const project = join(__dirname, "../..");
const read = (path: string) => readFile(join(project, path), "utf8");
const load = () => import("../../toolchain/versions.mjs");

interface Manifest {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

describe("versions", () => {
  it("agree between package.json, package-lock.json and the engine's go.mod", async () => {
    const { wantedVersions, requiredByGoMod } = await load();
    const wanted = await wantedVersions(project);
    const { dependencies, devDependencies } = JSON.parse(await read("package.json")) as Manifest;
    assert.equal(devDependencies["pulumi"], wanted.engine);
    assert.equal(dependencies["@pulumi/pulumi"], wanted.engine);
    for (const { name, version } of wanted.plugins) {
      assert.equal(dependencies[`@pulumi/${name}`], version);
    }
    const goMod = await read("toolchain/go/engine/go.mod");
    for (const part of ["pkg", "sdk"]) {
      const module = `github.com/pulumi/pulumi/${part}/v3`;
      assert.equal(requiredByGoMod(goMod, module), `v${wanted.engine}`);
    }
  });

  for (const name of ["tls", "random"]) {
    it(`agree between package.json and the Go module of the ${name} plugin`, async () => {
      const { dependencies } = JSON.parse(await read("package.json")) as Manifest;
      const [comment] = (await read(`toolchain/go/engine/${name}-shim/go.mod`)).split("\n");
      const served: string[] = comment?.match(/\d+\.\d+\.\d+/g) ?? [];
      assert.ok(served.includes(dependencies[`@pulumi/${name}`] ?? ""), comment);
    });
  }

  it("are compared by number", async () => {
    const { isAtLeast } = await load();
    const rows: [string, string, boolean][] = [
      ["3.256.0", "3.256.0", true],
      ["v3.256.1", "3.256.0", true],
      ["3.99.0", "3.256.0", false],
      ["4.0.0", "3.256.0", true],
      ["go1.26", "1.25.11", true],
      ["go1.25.9", "1.25.11", false],
      ["devel", "1.25.11", false],
    ];
    for (const [text, least, expected] of rows) {
      assert.equal(isAtLeast(text, least), expected, `${text} >= ${least}`);
    }
  });

  it("keep the checksums of every module that is asked for", async () => {
    for (const module of ["engine", "language-host"]) {
      const sums = await read(`toolchain/go/${module}/go.sum`);
      const asked = (await read(`toolchain/go/${module}/go.mod`))
        .split("\n")
        .filter((line) => /^\t\S+ v/.test(line) && !line.includes("/shim "))
        .map((line) => line.trim().split(" ").slice(0, 2).join(" "));
      const replaced = [
        "github.com/atotto/clipboard",
        "github.com/hashicorp/terraform-plugin-sdk/v2",
      ];
      const lacking = asked.filter(
        (each) =>
          !replaced.includes(each.split(" ")[0] ?? "") && !sums.includes(`${each}/go.mod h1:`),
      );
      assert.deepEqual(lacking, []);
    }
  });
});
