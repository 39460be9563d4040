import assert from "node:assert/strict";
import { mkdtempSync, rmSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentOf } from "../../clients/target";

const sandbox = {
  target: "sandbox" as const,
  serviceHostName: "dps.azure-devices-provisioning.sandbox.test",
};
const azure = {
  target: "azure" as const,
  serviceHostName: "contoso.azure-devices-provisioning.net",
};

describe("target of a connection", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "target-"));
    file = join(folder, "endpoints.json");
    writeFileSync(file, JSON.stringify({ version: 1, arm: { endpoint: "https://localhost:1" } }));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it("is Azure when nothing of the sandbox is attached", () => {
    assert.equal(environmentOf(azure, {}).sandbox, undefined);
  });

  it("refuses Azure in a shell that is attached to the sandbox", () => {
    for (const name of ["DPS_SANDBOX_ENDPOINTS", "PULUMI_DEBUG_PROVIDERS"]) {
      assert.throws(() => environmentOf(azure, { [name]: "x" }), {
        message: `The target is Azure, but ${name} attaches this shell to the sandbox: use a new shell, or set \`target: sandbox\`.`,
      });
    }
  });

  it("refuses a host of the other side", () => {
    assert.throws(
      () => environmentOf({ ...azure, serviceHostName: sandbox.serviceHostName }, {}),
      /is a host of the sandbox/,
    );
    assert.throws(
      () =>
        environmentOf(
          { ...sandbox, serviceHostName: azure.serviceHostName },
          { DPS_SANDBOX_ENDPOINTS: file },
        ),
      /is not one of its hosts/,
    );
  });

  it("reads where the sandbox is from its endpoints file", () => {
    const found = environmentOf(sandbox, { DPS_SANDBOX_ENDPOINTS: file });
    assert.equal(found.sandbox?.arm.endpoint, "https://localhost:1");
  });

  it("knows a sandbox whose hosts are loopback addresses", () => {
    const service = { serviceHostName: "127.0.0.2" };
    const listed = {
      ...(JSON.parse(readFileSync(file, "utf8")) as object),
      provisioningServices: [service],
    };
    const standard = join(folder, "standard.json");
    writeFileSync(standard, JSON.stringify(listed));
    const found = environmentOf({ ...sandbox, ...service }, { DPS_SANDBOX_ENDPOINTS: standard });
    assert.equal(found.sandbox?.arm.endpoint, "https://localhost:1");
  });

  it("says how to start the sandbox when it is not attached, gone, or of another release", () => {
    const start =
      /start it with `npm run sandbox`, then run `eval "\$\(npm run -s sandbox -- env\)"`/;
    assert.throws(() => environmentOf(sandbox, {}), start);
    assert.throws(
      () => environmentOf(sandbox, { DPS_SANDBOX_ENDPOINTS: join(folder, "gone.json") }),
      start,
    );
    writeFileSync(file, JSON.stringify({ version: 2 }));
    assert.throws(
      () => environmentOf(sandbox, { DPS_SANDBOX_ENDPOINTS: file }),
      /not of version 1/,
    );
  });
});
