/**
 * A sandbox with a hub, a service that links it, a verified root CA and a group that admits by that
 * root; and child processes, which must not block the sandbox that runs in this one.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EndpointsFile } from "../../../sandbox/endpoints";
import type { SandboxOptions } from "../../../sandbox/sandbox";
import { openSandbox, type TestSandbox } from "../../support/sandbox";
import { TestCa } from "../../support/test-ca";

const DPS_API = "2021-10-01";

export interface Plant {
  sandbox: TestSandbox;
  service: EndpointsFile["provisioningServices"][number];
  hub: EndpointsFile["iotHubs"][number];
  /** Verified at the service; the group "fleet" refers to it. */
  root: TestCa;
  /** Writes a file for a child process to read; returns its path. */
  file(name: string, text: string): string;
  /** Creates an individual enrollment with this certificate in its primary slot. */
  enroll(registrationId: string, pem: string): Promise<void>;
  /** The device identity at the hub; undefined when there is none. */
  identity(deviceId: string): Promise<Record<string, unknown> | undefined>;
  close(): Promise<void>;
}

/** Everything through the APIs, as a person would make it. */
export async function openPlant(options: Partial<SandboxOptions> = {}): Promise<Plant> {
  const sandbox = await openSandbox(options);
  const dir = mkdtempSync(join(tmpdir(), "plant-"));
  const root = await TestCa.root("plant root");
  const put = async (path: string, body: object): Promise<void> => {
    const base = `/subscriptions/${sandbox.subscriptionId}/resourceGroups/plant`;
    const answer = await sandbox.arm("PUT", `${base}${path}`, { body });
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    await settled(sandbox, answer.headers["azure-asyncoperation"] as string | undefined);
  };
  const location = "westeurope";
  const sku = { name: "S1", capacity: 1 };
  const devices = "/providers/Microsoft.Devices";
  await put("", { location });
  await put(`${devices}/IotHubs/plant-hub`, { location, sku, properties: {} });
  const { connectionString } = sandbox.endpoints().iotHubs[0]!;
  const properties = { iotHubs: [{ connectionString, location }] };
  await put(`${devices}/provisioningServices/plant-dps`, { location, sku, properties });
  await put(`${devices}/provisioningServices/plant-dps/certificates/root`, {
    properties: { certificate: Buffer.from(root.pem).toString("base64"), isVerified: true },
  });

  const [service] = sandbox.endpoints().provisioningServices;
  const [hub] = sandbox.endpoints().iotHubs;
  assert.ok(service && hub);
  const token = async (scope: string): Promise<{ authorization: string }> => {
    const { token } = await sandbox.credential.getToken(`${scope}/.default`);
    return { authorization: `Bearer ${token}` };
  };
  const putEntry = async (path: string, body: object): Promise<void> => {
    const headers = await token("https://azure-devices-provisioning.net");
    const url = `${service.serviceEndpoint}/${path}?api-version=${DPS_API}`;
    const answer = await sandbox.http("PUT", url, { body, headers });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  };
  await putEntry("enrollmentGroups/fleet", {
    enrollmentGroupId: "fleet",
    attestation: { type: "x509", x509: { caReferences: { primary: "root" } } },
  });
  return {
    sandbox,
    service,
    hub,
    root,
    file(name, text) {
      const path = join(dir, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
    async enroll(registrationId, pem) {
      const x509 = { clientCertificates: { primary: { certificate: pem } } };
      const attestation = { type: "x509", x509 };
      await putEntry(`enrollments/${registrationId}`, { registrationId, attestation });
    },
    async identity(deviceId) {
      const headers = await token("https://iothubs.azure.net");
      const url = `${hub.endpoint}/devices/${deviceId}?api-version=2021-04-12`;
      const answer = await sandbox.http("GET", url, { headers });
      return answer.status === 404
        ? undefined
        : (answer.body as unknown as Record<string, unknown>);
    },
    async close() {
      await sandbox.close();
      rmSync(dir, { recursive: true });
    },
  };
}

async function settled(sandbox: TestSandbox, operation: string | undefined): Promise<void> {
  if (operation !== undefined) {
    const { body } = await sandbox.arm("GET", operation);
    assert.equal(body.status, "Succeeded", JSON.stringify(body));
  }
}

export interface ProcessResult {
  /** Undefined when the program is not there. */
  exitCode: number | null | undefined;
  stdout: Buffer;
  stderr: string;
}

/**
 * Runs a program to its end.
 *
 * @param input written to its standard input, which then stays open until `until` says that the
 *   output is complete; without `until` it is closed at once
 */
export async function run(
  command: string,
  args: string[],
  input?: { bytes: Buffer; until: (stdout: Buffer) => boolean },
): Promise<ProcessResult> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  let stdout = Buffer.alloc(0);
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout = Buffer.concat([stdout, chunk]);
    if (input?.until(stdout) === true) {
      child.stdin.end();
      child.kill();
    }
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  // A program that ends before it has read everything is no fault of this test.
  child.stdin.on("error", () => undefined);
  if (input === undefined) {
    child.stdin.end();
  } else {
    child.stdin.write(input.bytes);
  }
  const exitCode = await new Promise<number | null | undefined>((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ENOENT" ? resolve(undefined) : reject(error),
    );
    child.on("close", resolve);
  });
  return { exitCode, stdout, stderr };
}
