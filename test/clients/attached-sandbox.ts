/** A real sandbox that this very process is attached to, as `npm run sandbox -- env` attaches a shell. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import tls from "node:tls";
import type { Connection } from "../../clients/target";
import type { SandboxOptions } from "../../sandbox/sandbox";
import { type LinkedPair, makeLinkedPair } from "../support/linked-pair";
import { openSandbox, type TestSandbox } from "../support/sandbox";

export interface AttachedSandbox extends TestSandbox, LinkedPair {
  connection: Connection;
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
  const { subscriptionId } = sandbox;
  const resourceGroup = "rg";
  const pair = await makeLinkedPair(sandbox, {
    location: "westus",
    resourceGroup,
    hub: "hub",
    service: "dps",
  });
  return {
    ...sandbox,
    ...pair,
    connection: {
      target: "sandbox",
      auth: "entra",
      subscriptionId,
      resourceGroup,
      service: "dps",
      serviceHostName: pair.serviceHostName,
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
