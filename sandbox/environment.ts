/** The environment variables that lead Pulumi and Microsoft's SDKs to a sandbox. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { preloading } from "./node-options.cjs";
import type { ControlAddress } from "./control/server";
import type { EndpointsFile } from "./endpoints";
import type { SandboxFolder } from "./folder";

/** `environment.json`: what the variables need beside `endpoints.json`. */
export interface EnvironmentFile {
  version: 1;
  /** Encrypts the secrets in Pulumi's state; random for each sandbox, kept with it. */
  passphrase: string;
  /** Port of the stand-in azure-native plugin; missing when there is none. */
  azureNativePort?: number;
  /** What a person does to the sandbox itself: its clock, what is in it. */
  control: ControlAddress;
}

/** Leads connections to `*.sandbox.test` to the right local port. */
const PRELOAD = join(__dirname, "preload.cjs");

/**
 * @param current environment that these variables are added to: an existing NODE_OPTIONS is kept, and
 *   so are the CA certificates of an existing NODE_EXTRA_CA_CERTS
 */
export function environmentOf(
  folder: SandboxFolder,
  endpoints: EndpointsFile,
  file: EnvironmentFile,
  current: NodeJS.ProcessEnv,
): Record<string, string> {
  const { arm } = endpoints;
  return {
    AZURE_AUTHORITY_HOST: arm.authorityHost,
    AZURE_TENANT_ID: arm.tenantId,
    AZURE_CLIENT_ID: arm.clientId,
    AZURE_CLIENT_SECRET: arm.clientSecret,
    ARM_SUBSCRIPTION_ID: arm.subscriptionId,
    ARM_TENANT_ID: arm.tenantId,
    ARM_CLIENT_ID: arm.clientId,
    ARM_CLIENT_SECRET: arm.clientSecret,
    NODE_EXTRA_CA_CERTS: trustFile(folder, endpoints.caFile, current["NODE_EXTRA_CA_CERTS"]),
    NODE_OPTIONS: preloading(current["NODE_OPTIONS"], PRELOAD),
    DPS_SANDBOX_ENDPOINTS: folder.endpointsFile,
    PULUMI_BACKEND_URL: pathToFileURL(folder.state).href,
    PULUMI_CONFIG_PASSPHRASE: file.passphrase,
    PULUMI_SKIP_UPDATE_CHECK: "1",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    ...(file.azureNativePort === undefined
      ? {}
      : { PULUMI_DEBUG_PROVIDERS: `azure-native:${file.azureNativePort}` }),
  };
}

/** The sandbox's CA; with the CAs that the shell trusted before (a company's proxy), if there are any. */
function trustFile(folder: SandboxFolder, caFile: string, current: string | undefined): string {
  if (current === undefined || !existsSync(current)) {
    return caFile;
  }
  const own = readFileSync(caFile, "utf8").trim();
  const before = readFileSync(current, "utf8");
  if (before.includes(own)) {
    return current;
  }
  const bundle = `${own}\n${before}`;
  const isThere = existsSync(folder.trustFile) && readFileSync(folder.trustFile, "utf8") === bundle;
  if (!isThere) {
    // Node reads it once, as it starts: nobody may find half of it.
    const unfinished = `${folder.trustFile}.${process.pid}`;
    writeFileSync(unfinished, bundle);
    renameSync(unfinished, folder.trustFile);
  }
  return folder.trustFile;
}

/** Lines for `eval` in a POSIX shell. */
export function exportLines(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join("");
}
