/** What the contract suites are aimed at by the environment: docs/guides/contract-suites.md. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { SandboxEndpoints } from "../../clients/target";

export const SUBSCRIPTION = "DPS_CONTRACT_SUBSCRIPTION";
export const LOCATION = "DPS_CONTRACT_LOCATION";

export interface Aim {
  subscriptionId: string;
  /** An Azure region, e.g. `westeurope`. */
  location: string;
  /** Base URL of the resource manager. */
  resourceManager: string;
  /** Whether that is a sandbox that this shell is attached to. */
  isSandbox: boolean;
}

/** undefined: at nothing, each suite has a sandbox of its own. Throws one sentence about what does not fit. */
export function aimOf(env: NodeJS.ProcessEnv): Aim | undefined {
  const subscriptionId = env[SUBSCRIPTION];
  if (!subscriptionId) return undefined;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(subscriptionId)) {
    throw new Error(`${SUBSCRIPTION} has to be a subscription's ID (a GUID), not its name.`);
  }
  const location = env[LOCATION];
  if (!location) {
    throw new Error(`${SUBSCRIPTION} is set without ${LOCATION}: name an Azure region too.`);
  }
  const file = env["DPS_SANDBOX_ENDPOINTS"];
  if (!file) {
    const resourceManager = "https://management.azure.com";
    return { subscriptionId, location, resourceManager, isSandbox: false };
  }
  const { arm } = JSON.parse(readFileSync(file, "utf8")) as SandboxEndpoints;
  if (arm.subscriptionId !== subscriptionId) {
    throw new Error(
      `${SUBSCRIPTION} is ${subscriptionId}, but this shell is attached to a sandbox, whose subscription is ${arm.subscriptionId}: use a new shell, or aim at the sandbox.`,
    );
  }
  return { subscriptionId, location, resourceManager: arm.endpoint, isSandbox: true };
}

/** As it was when the suites were loaded: a sandbox of a suite's own attaches this process later. */
export const aim = aimOf(process.env);

/** Between two looks at something that comes by itself: Azure limits how often one may ask. */
export function pause(): Promise<void> {
  return delay(aim === undefined ? 5 : 1_000);
}

/** For `before` of a suite that only has a meaning with a sandbox of its own. */
export function needsOwnSandbox(suite: Mocha.Context, why: string): void {
  if (aim === undefined) return;
  console.log(`      left out when aimed: ${why}`);
  suite.skip();
}
