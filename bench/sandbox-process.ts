/** A sandbox in a process of its own, with a DPS, a hub and a group below one root. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { IotHubClient } from "@azure/arm-iothub";
import { ClientSecretCredential } from "@azure/identity";
import type { EndpointsFile } from "../sandbox/endpoints";

const ROOT = resolve(__dirname, "..");
const GROUP = "bench";

export interface BenchSandbox {
  endpoints: EndpointsFile;
  ca: string;
  pid: number;
  close(): Promise<void>;
}

/**
 * With BENCH_PROFILE a folder, Node writes a CPU profile of the sandbox there.
 *
 * @param root PEM of the certificate whose devices the group `fleet` admits
 */
export async function startBenchSandbox(root: string): Promise<BenchSandbox> {
  const dir = mkdtempSync(join(tmpdir(), "dps-bench-"));
  const main = ["--require", "tsx/cjs", "sandbox/main.ts", "--dir", dir, "--no-throttle"];
  const profile = process.env["BENCH_PROFILE"];
  const args = profile === undefined ? main : ["--cpu-prof", "--cpu-prof-dir", profile, ...main];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  const close = async (): Promise<void> => {
    if (child.exitCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await ready(child);
    const read = () =>
      JSON.parse(readFileSync(join(dir, "endpoints.json"), "utf8")) as EndpointsFile;
    const ca = readFileSync(read().caFile, "utf8");
    await furnish(read(), ca, root);
    await admit(read(), ca);
    return { endpoints: read(), ca, pid: child.pid ?? 0, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((ok, no) => {
    child.stdout?.on("data", (data: Buffer) => data.toString().includes("Ctrl-C") && ok());
    child.once("exit", () => no(new Error("the sandbox ended")));
  });
}

async function furnish(endpoints: EndpointsFile, ca: string, root: string): Promise<void> {
  const { arm } = endpoints;
  const credential = credentialOf(endpoints, ca);
  const options = { endpoint: arm.endpoint, tlsOptions: { ca } };
  const { token } = await credential.getToken(`${arm.endpoint}/.default`);
  const group = `/subscriptions/${arm.subscriptionId}/resourcegroups/${GROUP}?api-version=2021-04-01`;
  await put(new URL(group, arm.endpoint), ca, token, { location: "westus" });
  const hubs = new IotHubClient(credential, arm.subscriptionId, options);
  const sku = { name: "S1", capacity: 1 };
  const hub = await hubs.iotHubResource.beginCreateOrUpdateAndWait(GROUP, "hub", {
    location: "westus",
    sku,
  });
  const { primaryKey } = await hubs.iotHubResource.getKeysForKeyName(GROUP, "hub", "iothubowner");
  const connectionString = `HostName=${hub.properties?.hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=${primaryKey}`;
  const services = new IotDpsClient(credential, arm.subscriptionId, options);
  const service = await services.iotDpsResource.beginCreateOrUpdateAndWait(GROUP, "dps", {
    location: "westus",
    sku,
    properties: { iotHubs: [{ location: "westus", connectionString }] },
  });
  await services.dpsCertificate.createOrUpdate(GROUP, "dps", "root", {
    properties: { certificate: Buffer.from(root), isVerified: true },
  });
  if (service.name !== "dps") throw new Error("the DPS was not created");
}

/** Admits the fleet, once the DPS listens. */
async function admit(endpoints: EndpointsFile, ca: string): Promise<void> {
  const { token } = await credentialOf(endpoints, ca).getToken(
    "https://azure-devices-provisioning.net/.default",
  );
  const { serviceEndpoint } = endpoints.provisioningServices[0]!;
  const path = "/enrollmentGroups/fleet?api-version=2021-10-01";
  await put(new URL(path, serviceEndpoint), ca, token, {
    enrollmentGroupId: "fleet",
    attestation: { type: "x509", x509: { caReferences: { primary: "root" } } },
  });
}

function credentialOf({ arm }: EndpointsFile, ca: string): ClientSecretCredential {
  return new ClientSecretCredential(arm.tenantId, arm.clientId, arm.clientSecret, {
    authorityHost: arm.authorityHost,
    disableInstanceDiscovery: true,
    tlsOptions: { ca },
  });
}

function put(url: URL, ca: string, token: string, body: object): Promise<void> {
  return new Promise((done, failed) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    // By its address: names of the sandbox are resolved by nobody.
    const options = { host: "127.0.0.1", servername: "localhost", port: url.port, ca, headers };
    const path = `${url.pathname}${url.search}`;
    const call = request({ ...options, method: "PUT", path }, (response) => {
      response.resume();
      response.on("end", () =>
        (response.statusCode ?? 500) < 300
          ? done()
          : failed(new Error(`PUT ${url.pathname}: ${response.statusCode}`)),
      );
    });
    call.on("error", failed);
    call.end(JSON.stringify(body));
  });
}
