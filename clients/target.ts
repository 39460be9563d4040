/**
 * Which Azure a client talks to: a subscription, or the local sandbox. The two are never mixed:
 * nobody should think they rehearse while they change a fleet, or the other way round.
 */
import { readFileSync } from "node:fs";
import { faultError } from "../certificates/faults";

/** How to reach one DPS instance. Plain JSON: it is an input of Pulumi resources. No secrets. */
export interface Connection {
  /** "sandbox": the local emulator; "azure": a real subscription. */
  target: "sandbox" | "azure";
  /**
   * "entra": Microsoft Entra ID (`DefaultAzureCredential`); "keys": shared access keys, listed
   * through the resource manager at run time and never stored.
   */
  auth: "entra" | "keys";
  subscriptionId: string;
  resourceGroup: string;
  /** Name of the DPS instance. */
  service: string;
  /** Host name of its service API, e.g. `contoso.azure-devices-provisioning.net`; no port. */
  serviceHostName: string;
}

/** Names the file in which a running sandbox says how it is reached. */
export const SANDBOX_ENDPOINTS = "DPS_SANDBOX_ENDPOINTS";
/** With it the engine uses the sandbox's stand-in plugin in place of an installed one. */
const DEBUG_PROVIDERS = "PULUMI_DEBUG_PROVIDERS";
const SANDBOX_DOMAIN = ".sandbox.test";
const START_SANDBOX =
  'start it with `npm run sandbox`, then run `eval "$(npm run -s sandbox -- env)"` in this shell';

/** The part of the sandbox's endpoints file that clients use. */
export interface SandboxEndpoints {
  version: 1;
  arm: {
    /** Base URL of the resource manager. */
    endpoint: string;
    /** Base URL of the token service. */
    authorityHost: string;
    tenantId: string;
    clientId: string;
    clientSecret: string;
    subscriptionId: string;
  };
  provisioningServices?: { name: string; resourceGroup: string; serviceHostName: string }[];
}

/** Where a connection leads. Two environments are the same when their `key` is. */
export type Environment =
  { key: string; sandbox: undefined } | { key: string; sandbox: SandboxEndpoints };

/**
 * The environment of a connection, judged: throws one sentence when the sandbox is not attached,
 * or when parts of the sandbox are attached to a run against Azure.
 */
export function environmentOf(
  connection: Pick<Connection, "target" | "serviceHostName">,
  env: NodeJS.ProcessEnv = process.env,
): Environment {
  const ofSandbox = connection.serviceHostName.toLowerCase().endsWith(SANDBOX_DOMAIN);
  if (connection.target === "azure") {
    refuseAttached(env);
    if (ofSandbox) {
      throw otherTarget(
        `azure, while ${connection.serviceHostName} is a host of the sandbox`,
        "set `target: sandbox`",
      );
    }
    return { key: "azure", sandbox: undefined };
  }
  const sandbox = readEndpoints(env[SANDBOX_ENDPOINTS]);
  // With standard ports the sandbox's hosts are loopback addresses, so the name alone does not tell.
  const listed = sandbox.provisioningServices?.some(
    ({ serviceHostName }) => serviceHostName === connection.serviceHostName,
  );
  if (!ofSandbox && listed !== true) {
    throw otherTarget(
      `sandbox, while ${connection.serviceHostName} is not one of its hosts (*${SANDBOX_DOMAIN})`,
      "set `target: azure`, or name a service of the sandbox",
    );
  }
  return { key: JSON.stringify(sandbox.arm), sandbox };
}

/**
 * One line that names where a stack works. Throws as `environmentOf`, when the sandbox is not attached or
 * should not be.
 */
export function describeTarget(
  target: Connection["target"],
  env: NodeJS.ProcessEnv = process.env,
): string {
  if (target === "azure") {
    refuseAttached(env);
    return "Target: Azure. What this run changes is real.";
  }
  const { arm } = readEndpoints(env[SANDBOX_ENDPOINTS]);
  return `Target: the sandbox at ${arm.endpoint}. Nothing real is changed.`;
}

/** The sandbox that this environment is attached to; undefined: to none that can be read. */
export function attachedSandbox(env: NodeJS.ProcessEnv): SandboxEndpoints | undefined {
  try {
    return readEndpoints(env[SANDBOX_ENDPOINTS]);
  } catch {
    // What is wrong with it is said where a connection is opened.
    return undefined;
  }
}

/** The DPS instances of the sandbox that is attached. Throws when none is. */
export function sandboxServices(env: NodeJS.ProcessEnv = process.env) {
  const { arm, provisioningServices } = readEndpoints(env[SANDBOX_ENDPOINTS]);
  return { subscriptionId: arm.subscriptionId, services: provisioningServices ?? [] };
}

function otherTarget(found: string, fix: string): Error {
  return faultError("DPS-CERT-180", "target", found, fix);
}

function refuseAttached(env: NodeJS.ProcessEnv): void {
  for (const name of [SANDBOX_ENDPOINTS, DEBUG_PROVIDERS]) {
    if (env[name]) {
      throw otherTarget(
        `azure, while ${name} attaches this shell to the sandbox`,
        "use a new shell, or set `target: sandbox`",
      );
    }
  }
}

function readEndpoints(file: string | undefined): SandboxEndpoints {
  if (!file) {
    throw otherTarget(
      `sandbox, which is not attached (${SANDBOX_ENDPOINTS} is not set)`,
      START_SANDBOX,
    );
  }
  let content: Partial<SandboxEndpoints>;
  try {
    content = JSON.parse(readFileSync(file, "utf8")) as Partial<SandboxEndpoints>;
  } catch {
    throw otherTarget(
      `sandbox, whose endpoints file ${file} cannot be read, so it has probably stopped`,
      START_SANDBOX,
    );
  }
  if (content.version !== 1 || typeof content.arm?.endpoint !== "string") {
    throw otherTarget(
      `sandbox, whose endpoints file ${file} is not of version 1, so that it is of another release`,
      START_SANDBOX,
    );
  }
  return content as SandboxEndpoints;
}

/**
 * Keeps what `make` made for a connection, for as long as its environment stays the same: tokens
 * and connections are then reused by all clients of a run.
 */
export function perConnection<T>(
  make: (connection: Connection, environment: Environment, extra: string) => T,
): (connection: Connection, extra?: string) => T {
  const made = new Map<string, T>();
  return (connection, extra = "") => {
    const environment = environmentOf(connection);
    const { auth, subscriptionId, resourceGroup, service, serviceHostName } = connection;
    const parts = [auth, subscriptionId, resourceGroup, service, serviceHostName, extra];
    const key = JSON.stringify([environment.key, ...parts]);
    let value = made.get(key);
    if (value === undefined) {
      value = make(connection, environment, extra);
      made.set(key, value);
      if (value instanceof Promise) {
        // What failed may succeed the next time.
        value.catch(() => made.delete(key));
      }
    }
    return value;
  };
}
