/** Where a contract suite runs: a sandbox of its own, or what the environment aims all of them at. */
import { randomBytes } from "node:crypto";
import { IotHubClient } from "@azure/arm-iothub";
import { IotDpsClient } from "@azure/arm-deviceprovisioningservices";
import { DefaultAzureCredential } from "@azure/identity";
import { openAttached } from "../clients/attached-sandbox";
import {
  expectSuccess,
  makeLinkedPair,
  type LinkedPair,
  type PairNames,
  type ResourceManager,
} from "../support/linked-pair";
import { send, type TestSandbox } from "../support/sandbox";
import { aim, type Aim, pause } from "./aim";

/** Less than this is not enough for Azure to make and to delete a hub and a DPS instance. */
const LEAST_TIMEOUT_MS = 20 * 60_000;

/** A resource group with one hub, and one DPS instance that is linked to it. */
export interface Place extends LinkedPair, ResourceManager {
  names: PairNames;
  /** The name of one more hub or DPS instance. */
  named(name: string): string;
  /** Connection string of the hub by one of its policies, and of the DPS instance by its owner's. */
  hubConnection(policy: string): string;
  hubKey(policy: string): string;
  serviceConnection: string;
  http: TestSandbox["http"];
  /** The sandbox, when it is this suite's own: for what only it can show. */
  own: TestSandbox | undefined;
  /** Deletes everything. */
  close(): Promise<void>;
}

export function openPlace(): Promise<Place> {
  if (aim === undefined) return openOwn();
  if (stopping) throw new Error("The run has been stopped.");
  const opened = openAimed(aim);
  making = opened.catch(() => undefined);
  return opened;
}

async function openOwn(): Promise<Place> {
  const sandbox = await openAttached();
  const names = { location: "westus", resourceGroup: "rg", hub: "hub", service: "dps" };
  return {
    ...sandbox,
    names,
    named: (name) => name,
    ...(await connectionsOf(sandbox, names, sandbox)),
    own: sandbox,
    close: () => sandbox.close(),
  };
}

/** What is there now and has to go: by the resource group's name. */
const open = new Map<string, () => Promise<void>>();
/** The last that was begun: it is deleted once it is there, or has failed. */
let making: Promise<unknown> = Promise.resolve();
let stopping = false;

async function openAimed(at: Aim): Promise<Place> {
  const suffix = randomBytes(4).toString("hex");
  const named = (name: string) => `dps-contract-${name}-${suffix}`;
  const names: PairNames = {
    location: at.location,
    resourceGroup: named("group"),
    hub: named("hub"),
    service: named("dps"),
  };
  const manager = managerOf(at);
  let closing: Promise<void> | undefined;
  const close = () =>
    (closing ??= deleteGroup(manager, names.resourceGroup).catch((error: unknown) => {
      closing = undefined;
      throw error;
    }));
  open.set(names.resourceGroup, close);
  console.log(`      makes ${names.resourceGroup}, with a hub S1 and a DPS S1`);
  try {
    const pair = await makeLinkedPair(manager, names);
    return {
      ...manager,
      ...pair,
      names,
      named,
      ...(await connectionsOf(manager, names, pair)),
      http: send,
      own: undefined,
      close,
    };
  } catch (error) {
    // The last hook tries again.
    await close().catch(() => undefined);
    throw error;
  }
}

function managerOf({ subscriptionId, resourceManager, isSandbox }: Aim): ResourceManager {
  const credential = new DefaultAzureCredential({
    // Microsoft's list of its own token services does not have that of a sandbox.
    disableInstanceDiscovery: isSandbox,
  });
  return {
    subscriptionId,
    credential,
    clientOptions: { endpoint: resourceManager },
    async arm(method, path, { apiVersion = "2022-02-05", headers, ...request } = {}) {
      const { token } = await credential.getToken(`${resourceManager}/.default`);
      const url = new URL(path, resourceManager);
      if (!url.searchParams.has("api-version")) url.searchParams.set("api-version", apiVersion);
      const authorized = { authorization: `Bearer ${token}`, ...(headers as object) };
      return send(method, url.href, { ...request, headers: authorized });
    },
  };
}

async function connectionsOf(
  { credential, subscriptionId, clientOptions }: ResourceManager,
  names: PairNames,
  { hub, serviceHostName }: LinkedPair,
): Promise<Pick<Place, "hubConnection" | "hubKey" | "serviceConnection">> {
  const { iotHubResource } = new IotHubClient(credential, subscriptionId, clientOptions);
  const keys = new Map<string, string>();
  for await (const one of iotHubResource.listKeys(names.resourceGroup, names.hub)) {
    keys.set(one.keyName, one.primaryKey ?? "");
  }
  const { iotDpsResource } = new IotDpsClient(credential, subscriptionId, clientOptions);
  const owner = await iotDpsResource.listKeysForKeyName(
    names.service,
    "provisioningserviceowner",
    names.resourceGroup,
  );
  const hubKey = (policy: string) => {
    const key = keys.get(policy);
    if (key === undefined) throw new Error(`The hub has no policy ${policy}.`);
    return key;
  };
  return {
    hubKey,
    hubConnection: (policy) =>
      `HostName=${hub};SharedAccessKeyName=${policy};SharedAccessKey=${hubKey(policy)}`,
    serviceConnection: `HostName=${serviceHostName};SharedAccessKeyName=${owner.keyName};SharedAccessKey=${owner.primaryKey}`,
  };
}

/** With everything in it; waits until it is gone. */
async function deleteGroup(
  { subscriptionId, arm }: ResourceManager,
  resourceGroup: string,
): Promise<void> {
  const path = `/subscriptions/${subscriptionId}/resourcegroups/${resourceGroup}`;
  const options = { apiVersion: "2021-04-01" };
  const deletion = await arm("DELETE", path, options);
  // Nothing was made before the failure that this follows.
  if (deletion.status !== 404) {
    expectSuccess(deletion);
    for (;;) {
      const answer = await arm("GET", path, options);
      if (answer.status === 404) break;
      expectSuccess(answer);
      await pause();
    }
  }
  open.delete(resourceGroup);
  console.log(`      deleted ${resourceGroup}`);
}

if (aim !== undefined) {
  const { subscriptionId, resourceManager } = aim;
  before(function () {
    if (this.timeout() < LEAST_TIMEOUT_MS) {
      throw new Error(
        "The contract suites are aimed at a subscription, where a hub takes minutes: run them alone, with mocha's --timeout 30m (docs/guides/contract-suites.md). Nothing was made.",
      );
    }
    console.log(
      `  Aimed at subscription ${subscriptionId} by ${resourceManager}. Each suite makes a resource group of its own there, with IoT hubs S1 and DPS instances S1, which cost money, and deletes it. Should this process be killed, delete what it has named and not called deleted: az group delete --name <group>`,
    );
  });
  // What a suite has not come to close, because its own beginning or end failed.
  after(closeAll);
  // Mocha does not run what comes after. The second time there is nobody to catch it.
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      stopping = true;
      console.log("      stopped: deletes what is there, which takes a while");
      making
        .then(closeAll)
        .catch((error: unknown) => console.error(String(error)))
        .finally(() => process.exit(exitCode));
    });
  }
}

async function closeAll(): Promise<void> {
  const failed: string[] = [];
  for (const [group, close] of open) {
    await close().catch((error: unknown) => failed.push(`${group}: ${String(error)}`));
  }
  if (failed.length > 0) {
    throw new Error(`Still there, delete by hand (az group delete --name): ${failed.join("; ")}`);
  }
}
