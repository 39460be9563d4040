/** Keeps the listeners of every DPS instance and hub in step with what ARM has created. */
import { isIP } from "node:net";
import type { FrontKeeper, ServiceKind } from "./arm/context";
import type { AccessPolicy, ListenOptions, Sandbox, ServiceEndpoint } from "./common/model";
import type { Store } from "./common/store";
import type { IotHubEndpoints, ProvisioningServiceEndpoints } from "./endpoints";
import { SandboxError } from "./folder";
import type { Fronts } from "./fronts";
import { HTTPS_PORT, MQTT_PORT, type StandardAddresses } from "./loopback";

/** ".test" is reserved (RFC 6761): no such name is ever public. */
const DOMAINS: Record<ServiceKind, string> = {
  "provisioning-service": "azure-devices-provisioning.sandbox.test",
  "iot-hub": "azure-devices.sandbox.test",
};

const LOOPBACK = "127.0.0.1";

interface Open {
  endpoint: ServiceEndpoint;
  address: string;
}

export class LocalFronts implements FrontKeeper {
  private readonly open_ = new Map<string, Open>();
  /** Per service, the last thing that was asked for: opening and closing never overlap. */
  private readonly queue = new Map<string, Promise<void>>();

  /**
   * @param standard addresses for `--standard-ports`; undefined: host names, and any free ports
   * @param changed called after services came, went or changed: publishes their addresses
   */
  constructor(
    private readonly sandbox: Sandbox,
    private readonly store: Store,
    private readonly fronts: Fronts,
    private readonly standard: StandardAddresses | undefined,
    private readonly changed: () => void,
  ) {}

  hostName(kind: ServiceKind, name: string): string {
    if (this.standard === undefined) {
      return `${name.toLowerCase()}.${DOMAINS[kind]}`;
    }
    const used = new Set([
      ...this.sandbox.services.list().map((service) => service.serviceHostName),
      ...this.sandbox.hubs.list().map((hub) => hub.hostName),
    ]);
    const free = this.standard.free.find((address) => !used.has(address));
    if (free === undefined) {
      throw new SandboxError("There is no loopback address left for one more service.");
    }
    return free;
  }

  open(kind: ServiceKind, name: string): Promise<void> {
    return this.inTurn(kind, name, async (key) => {
      const hostName = this.hostNameOf(kind, name);
      // Deleted before its turn came.
      if (hostName === undefined) {
        return;
      }
      if (!this.open_.has(key)) {
        const address = isIP(hostName) ? hostName : LOOPBACK;
        const start = kind === "iot-hub" ? this.fronts.iotHub : this.fronts.provisioningService;
        const endpoint = await start(this.sandbox, name, this.listenOptions(address));
        this.open_.set(key, { endpoint, address });
      }
      this.changed();
    });
  }

  remove(kind: ServiceKind, name: string): Promise<void> {
    return this.inTurn(kind, name, async (key) => {
      const open = this.open_.get(key);
      this.open_.delete(key);
      this.changed();
      await open?.endpoint.close();
      if (kind === "iot-hub") {
        this.store.purge("hub-", `${name}/`);
      } else {
        const scope = this.sandbox.services.get(name)?.idScope;
        this.store.purge("dps-", `${scope}/`);
      }
    });
  }

  /** Closes all listeners; the records stay. */
  async close(): Promise<void> {
    await Promise.allSettled(this.queue.values());
    await Promise.all([...this.open_.values()].map(({ endpoint }) => endpoint.close()));
    this.open_.clear();
  }

  /** As in `endpoints.json`; a service whose listeners are not up is not in it. */
  provisioningServices(): ProvisioningServiceEndpoints[] {
    return this.sandbox.services.list().flatMap((service) => {
      const open = this.open_.get(keyOf("provisioning-service", service.name));
      const url = open && `https://${open.address}:${open.endpoint.httpsPort}`;
      return open === undefined || url === undefined
        ? []
        : {
            name: service.name,
            resourceGroup: service.resourceGroup,
            idScope: service.idScope,
            serviceEndpoint: url,
            serviceHostName: service.serviceHostName,
            connectionString: connectionString(
              service.serviceHostName,
              service.authorizationPolicies,
            ),
            device: { mqtt: `${open.address}:${open.endpoint.mqttPort}`, https: url },
          };
    });
  }

  /** As in `endpoints.json`; a hub whose listeners are not up is not in it. */
  iotHubs(): IotHubEndpoints[] {
    return this.sandbox.hubs.list().flatMap((hub) => {
      const open = this.open_.get(keyOf("iot-hub", hub.name));
      return open === undefined
        ? []
        : {
            name: hub.name,
            resourceGroup: hub.resourceGroup,
            endpoint: `https://${open.address}:${open.endpoint.httpsPort}`,
            hostName: hub.hostName,
            connectionString: connectionString(hub.hostName, hub.authorizationPolicies),
            mqtt: `${open.address}:${open.endpoint.mqttPort}`,
          };
    });
  }

  private listenOptions(address: string): ListenOptions {
    return address === LOOPBACK
      ? { address, httpsPort: 0, mqttPort: 0 }
      : {
          address,
          httpsPort: this.standard?.httpsAllowed === false ? 0 : HTTPS_PORT,
          mqttPort: MQTT_PORT,
        };
  }

  private hostNameOf(kind: ServiceKind, name: string): string | undefined {
    return kind === "iot-hub"
      ? this.sandbox.hubs.get(name)?.hostName
      : this.sandbox.services.get(name)?.serviceHostName;
  }

  private inTurn(
    kind: ServiceKind,
    name: string,
    work: (key: string) => Promise<void>,
  ): Promise<void> {
    const key = keyOf(kind, name);
    const before = this.queue.get(key) ?? Promise.resolve();
    const after = before.catch(() => undefined).then(() => work(key));
    this.queue.set(key, after);
    return after;
  }
}

function keyOf(kind: ServiceKind, name: string): string {
  return `${kind}/${name.toLowerCase()}`;
}

/** Of the first policy: the owner's, unless somebody has replaced it. */
function connectionString(hostName: string, [policy]: AccessPolicy[]): string {
  return policy === undefined
    ? ""
    : `HostName=${hostName};SharedAccessKeyName=${policy.keyName};SharedAccessKey=${policy.primaryKey}`;
}
