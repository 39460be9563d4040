import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { EnrollmentsClient } from "../../clients/enrollments";
import { type AttachedSandbox, openAttached } from "../clients/attached-sandbox";
import { TestCa } from "../support/test-ca";

const MAIN = join(__dirname, "../../device/main.ts");

describe("command line of the reference device", () => {
  let sandbox: AttachedSandbox;
  let folder: string;

  before(async () => {
    sandbox = await openAttached();
    folder = mkdtempSync(join(tmpdir(), "device-"));
    const leaf = await TestCa.selfSigned("truck-9");
    writeFileSync(join(folder, "chain.pem"), leaf.pem);
    writeFileSync(join(folder, "key.pem"), leaf.key);
    await new EnrollmentsClient(sandbox.connection).putIndividual({
      registrationId: "truck-9",
      attestation: {
        type: "x509",
        x509: { clientCertificates: { primary: { certificate: leaf.pem } } },
      },
    });
  });

  after(async () => {
    await sandbox.close();
    rmSync(folder, { recursive: true });
  });

  function run(...more: string[]) {
    const env = { ...process.env, ...sandbox.environment() };
    return spawn(process.execPath, ["--import", "tsx", MAIN, ...more], { env });
  }

  it("takes the registration ID from the certificate, and tells its life in JSON lines", async () => {
    const child = run(
      ...["--id-scope", sandbox.idScope],
      ...["--provisioning-host", sandbox.connection.serviceHostName],
      ...["--chain", join(folder, "chain.pem"), "--key", join(folder, "key.pem")],
      ...["--telemetry-interval", "0.05", "--json"],
    );
    try {
      const exited = once(child, "exit");
      const seen: { event: string; deviceId?: string; messages?: number }[] = [];
      for await (const line of createInterface(child.stdout)) {
        const entry = JSON.parse(line) as (typeof seen)[number];
        if (entry.event === "telemetry" && !seen.some(({ event }) => event === "telemetry")) {
          child.kill("SIGTERM");
        }
        seen.push(entry);
      }
      assert.deepEqual(
        [...new Set(seen.map(({ event }) => event))],
        ["registered", "connected", "telemetry", "disconnected", "stopped"],
      );
      assert.equal(seen[0]?.deviceId, "truck-9");
      assert((seen.at(-1)?.messages ?? 0) >= 1);
      assert.deepEqual(await exited, [0, null]);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("says what is wrong and fails when there is no certificate", async () => {
    const child = run(
      ...["--id-scope", "x", "--provisioning-host", "x"],
      ...["--chain", join(folder, "none.pem"), "--key", join(folder, "key.pem")],
    );
    let complaint = "";
    child.stderr.on("data", (part: Buffer) => (complaint += part.toString()));
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 1);
    assert.match(complaint, /none\.pem/);
  });
});
