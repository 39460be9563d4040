import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { operations } from "../../../sandbox/common/http";
import { supportedOperations, supportPage } from "../../../sandbox/support-matrix";
import { openAttached } from "../../clients/attached-sandbox";

describe("the support matrix", () => {
  it("lists every route that a sandbox with a DPS and a hub has, and no other", async () => {
    // What other tests' own applications have is none of a sandbox's.
    operations.clear();
    const sandbox = await openAttached();
    await sandbox.close();
    // Each GET answers HEAD too; the control port is none of Azure's.
    const services = /^(arm|token|dps-service|dps-device|iot-hub): (?!HEAD )/;
    const there = [...operations].filter((one) => services.test(one));
    assert.deepEqual(there.sort(), [...supportedOperations()].sort());
  });

  it("agrees with docs/reference/sandbox-operations.md", () => {
    const page = join(__dirname, "../../../docs/reference/sandbox-operations.md");
    assert.equal(
      readFileSync(page, "utf8"),
      supportPage(),
      "run: node --require tsx/cjs docs/reference/write-sandbox-operations.ts",
    );
  });
});
