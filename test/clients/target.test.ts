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
        message: `DPS-CERT-180 at target: found azure, while ${name} attaches this shell to the sandbox; fix: use a new shell, or set \`target: sandbox\``,
      });
    }
  });

  it("refuses a host of the other side", () => {
    assert.throws(() => environmentOf({ ...azure, serviceHostName: sandbox.serviceHostName }, {}), {
      message:
        "DPS-CERT-180 at target: found azure, while dps.azure-devices-provisioning.sandbox.test is a host of the sandbox; fix: set `target: sandbox`",
    });
    assert.throws(
      () =>
        environmentOf(
          { ...sandbox, serviceHostName: azure.serviceHostName },
          { DPS_SANDBOX_ENDPOINTS: file },
        ),
      {
        message:
          "DPS-CERT-180 at target: found sandbox, while contoso.azure-devices-provisioning.net is not one of its hosts (*.sandbox.test); fix: set `target: azure`, or name a service of the sandbox",
      },
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
      'start it with `npm run sandbox`, then run `eval "$(npm run -s sandbox -- env)"` in this shell';
    const says = (env: NodeJS.ProcessEnv, found: string): void =>
      assert.throws(() => environmentOf(sandbox, env), {
        message: `DPS-CERT-180 at target: found sandbox, ${found}; fix: ${start}`,
      });
    says({}, "which is not attached (DPS_SANDBOX_ENDPOINTS is not set)");
    const gone = join(folder, "gone.json");
    says(
      { DPS_SANDBOX_ENDPOINTS: gone },
      `whose endpoints file ${gone} cannot be read, so it has probably stopped`,
    );
    writeFileSync(file, JSON.stringify({ version: 2 }));
    says(
      { DPS_SANDBOX_ENDPOINTS: file },
      `whose endpoints file ${file} is not of version 1, so that it is of another release`,
    );
  });
});
