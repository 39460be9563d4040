/** Nothing of a client's is left out in silence, and no answer is without its source. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { ASSUMED, contracts, sourceFault } from "./answers";

const PACKAGES = [
  "azure-iot-provisioning-service",
  "azure-iothub",
  "azure-iot-provisioning-device",
  "azure-iot-provisioning-device-mqtt",
  "azure-iot-provisioning-device-http",
  "azure-iot-device-mqtt",
  "@azure/arm-deviceprovisioningservices",
  "@azure/arm-iothub",
  "@azure/identity",
];

const files = readdirSync(__dirname).filter(
  (name) => name.endsWith(".test.ts") && name !== "complete.test.ts",
);
// Also when this file runs alone: the tables are filled when the files are loaded.
const load = createRequire(__filename);
for (const file of files) load(join(__dirname, file));

describe("the contract with Microsoft's clients", () => {
  it("has a case, or a reason, for every operation of every client", () => {
    for (const { name, operations, cases, without } of contracts) {
      const answered = new Set([...cases.map(({ operation }) => operation), ...without.keys()]);
      const missing = operations.filter((operation) => !answered.has(operation));
      assert.deepEqual(missing, [], name);
      const unknown = [...answered].filter((operation) => !operations.includes(operation));
      assert.deepEqual(unknown, [], `${name} has no such operation`);
    }
  });

  it("says of every answer where it comes from", () => {
    const all = contracts.flatMap(({ cases }) => cases);
    assert.ok(all.length > 100, `${all.length} cases`);
    assert.deepEqual(
      all.flatMap(({ source, what }) => {
        const fault = sourceFault(source);
        return fault === undefined ? [] : [`${what}: ${fault}`];
      }),
      [],
    );
    for (const nobody of ["", "docs", "recorded: ", "client: ok", "somebody said so"]) {
      assert.notEqual(sourceFault(nobody), undefined, nobody);
    }
    const assumed = all.filter(({ source }) => source === ASSUMED).length;
    assert.ok(assumed > 0 && assumed < all.length / 2, `${assumed} of ${all.length} are assumed`);
  });

  it("has no case past the table", () => {
    for (const file of files) {
      assert.doesNotMatch(
        readFileSync(join(__dirname, file), "utf8"),
        /\bit(\.only|\.skip)?\(/,
        file,
      );
    }
  });

  it("is with every package that it should be with", () => {
    const names = contracts.map(({ name }) => name);
    for (const wanted of PACKAGES) {
      assert.ok(
        names.some((name) => name.split(" ").includes(wanted)),
        wanted,
      );
    }
  });
});
