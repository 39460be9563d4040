/** What one `Configure` set up: a client for ARM, the provider's configuration, and an end. */
import { readFileSync } from "node:fs";
import { ArmClient, type ArmEndpoints } from "./arm-client";

/** The keys of `azure-native:*` configuration that the plugin acts on. */
export type ProviderConfig = Record<string, string>;

const DEFAULT_TIMEOUT_S = 2 * 60 * 60;
/** Configuration that says which subscription and tenant are meant, and what the sandbox has for it. */
const IDENTITY_KEYS = ["subscriptionId", "tenantId", "clientId"] as const;

export class Session {
  readonly arm: ArmClient;
  private readonly end = new AbortController();
  private readonly locations = new Map<string, string>();

  constructor(
    endpoints: ArmEndpoints,
    readonly config: ProviderConfig,
  ) {
    this.arm = new ArmClient(endpoints);
  }

  /** Reads the endpoints anew: between two runs the sandbox may have been started again. */
  static open(endpointsFile: string, config: ProviderConfig): Session {
    const endpoints = readEndpoints(endpointsFile);
    refuseOtherTargets(endpoints, config);
    return new Session(endpoints, config);
  }

  get subscriptionId(): string {
    return this.arm.endpoints.arm.subscriptionId;
  }

  /** Ends with the session, or after so many seconds (0: two hours). */
  signal(timeoutSeconds: number): AbortSignal {
    const seconds = timeoutSeconds > 0 ? timeoutSeconds : DEFAULT_TIMEOUT_S;
    return AbortSignal.any([this.end.signal, AbortSignal.timeout(seconds * 1000)]);
  }

  /**
   * The location of a resource group, which is the default of the resources in it; undefined when
   * the group cannot be read.
   */
  async locationOf(resourceGroup: string, apiVersion: string): Promise<string | undefined> {
    const known = this.locations.get(resourceGroup);
    if (known !== undefined) {
      return known;
    }
    const path = `/subscriptions/${this.subscriptionId}/resourceGroups/${resourceGroup}`;
    try {
      const { location } = await this.arm.get(path, apiVersion, this.signal(0));
      if (typeof location === "string") {
        this.locations.set(resourceGroup, location);
        return location;
      }
    } catch {
      // As azure-native: the missing location is then a fault of the inputs.
    }
    return undefined;
  }

  /** Ends what is under way; operations in flight fail. */
  cancel(): void {
    this.end.abort(new Error("the operation was cancelled"));
    this.arm.close();
  }
}

function readEndpoints(file: string): ArmEndpoints {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ArmEndpoints;
  } catch (error) {
    throw new Error(`the sandbox is not running: cannot read ${file}`, { cause: error });
  }
}

/** A stack that names another subscription was meant for Azure: it must not believe it reached it. */
function refuseOtherTargets(endpoints: ArmEndpoints, config: ProviderConfig): void {
  for (const key of IDENTITY_KEYS) {
    const asked = config[key];
    if (asked !== undefined && asked !== "" && asked !== endpoints.arm[key]) {
      throw new Error(
        `azure-native:${key} is '${asked}', but this is the sandbox, whose ${key} is '${endpoints.arm[key]}': ` +
          "the stack is configured for another target",
      );
    }
  }
  const environment = config["environment"] ?? "public";
  if (environment !== "public") {
    throw new Error(`azure-native:environment is '${environment}'; the sandbox emulates 'public'`);
  }
}
