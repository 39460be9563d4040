/** A real sandbox that this very process is attached to, as `npm run sandbox -- env` attaches a shell. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import tls from "node:tls";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { IotHubClient } from "@azure/arm-iothub";
import type { Connection } from "../../clients/target";
import type { SandboxOptions } from "../../sandbox/sandbox";
import { openSandbox, type TestSandbox } from "../support/sandbox";

export interface AttachedSandbox extends TestSandbox {
  connection: Connection;
  /** Host name of the one linked hub. */
  hub: string;
  idScope: string;
}

/** Roots that clients trust in addition: NODE_EXTRA_CA_CERTS is only read when Node starts. */
const trusted = new Set<string>();
const createSecureContext = tls.createSecureContext;
tls.createSecureContext = (options) => {
  const context = createSecureContext(options);
  if (options?.ca === undefined) {
    const native = context.context as { addCACert(pem: string): void };
    trusted.forEach((pem) => native.addCACert(pem));
  }
  return context;
};

/** Starts a sandbox with one DPS instance and one linked hub, and attaches this process. */
export async function openAttached(
  options: Partial<SandboxOptions> = {},
): Promise<AttachedSandbox> {
  const sandbox = await openSandbox(options);
  try {
    return await attach(sandbox);
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

async function attach(sandbox: TestSandbox): Promise<AttachedSandbox> {
  createRequire(__filename)("../../sandbox/preload.cjs");
  const root = readFileSync(sandbox.endpoints().caFile, "utf8");
  trusted.add(root);
  const before = process.env["DPS_SANDBOX_ENDPOINTS"];
  process.env["DPS_SANDBOX_ENDPOINTS"] = sandbox.folder.endpointsFile;
  const { subscriptionId, credential, clientOptions } = sandbox;
  const resourceGroup = "rg";
  await sandbox.arm("PUT", `/subscriptions/${subscriptionId}/resourcegroups/${resourceGroup}`, {
    body: { location: "westus" },
  });
  const hubs = new IotHubClient(credential, subscriptionId, clientOptions);
  const hub = await hubs.iotHubResource.beginCreateOrUpdateAndWait(resourceGroup, "hub", {
    location: "westus",
    sku: { name: "S1", capacity: 1 },
  });
  const hostName = hub.properties?.hostName ?? "";
  const owner = await hubs.iotHubResource.getKeysForKeyName(resourceGroup, "hub", "iothubowner");
  const services = new IotDpsClient(credential, subscriptionId, clientOptions);
  const service = await services.iotDpsResource.beginCreateOrUpdateAndWait(resourceGroup, "dps", {
    location: "westus",
    sku: { name: "S1", capacity: 1 },
    properties: {
      iotHubs: [
        {
          location: "westus",
          connectionString: `HostName=${hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=${owner.primaryKey}`,
        },
      ],
    },
  });
  return {
    ...sandbox,
    hub: hostName,
    idScope: service.properties.idScope ?? "",
    connection: {
      target: "sandbox",
      auth: "entra",
      subscriptionId,
      resourceGroup,
      service: "dps",
      serviceHostName: service.properties.serviceOperationsHostName ?? "",
    },
    async close() {
      trusted.delete(root);
      if (before === undefined) {
        delete process.env["DPS_SANDBOX_ENDPOINTS"];
      } else {
        process.env["DPS_SANDBOX_ENDPOINTS"] = before;
      }
      await sandbox.close();
    },
  };
}
