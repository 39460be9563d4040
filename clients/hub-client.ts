/** What the clients of a linked hub have in common: Microsoft's service SDK, and how errors are said. */
import type { Registry } from "azure-iothub";
import { call, type Pacing } from "./calls";
import { provisioningServices, resourceManagerAttempt } from "./credentials";
import { hubAttempt, registries } from "./hub-clients";
import { type Attempt, ServiceError } from "./service-error";
import type { Connection } from "./target";

export abstract class HubClient {
  /** @param hubHostName as DPS names a linked hub; no port */
  constructor(
    private readonly connection: Connection,
    readonly hubHostName: string,
    protected readonly pacing?: Pacing,
  ) {}

  /** One call of the SDK: bounded, and again when it was throttled or the service failed. */
  protected async call<T>(operation: string, run: (sdk: Registry) => Promise<T>): Promise<T> {
    const sdk = await this.sdk();
    return call(this.attempt(operation), () => run(sdk), this.pacing);
  }

  protected async sdk(): Promise<Registry> {
    return registries(this.connection, this.hubHostName);
  }

  protected attempt(operation: string): Attempt {
    return hubAttempt(this.connection, this.hubHostName, operation);
  }

  protected overtaken(operation: string, serviceCode?: string): ServiceError {
    const text = "it was changed since it was read, so read it again";
    return this.error(operation, "PreconditionFailed", text, serviceCode);
  }

  protected error(
    operation: string,
    code: ServiceError["code"],
    text: string,
    serviceCode?: string,
  ): ServiceError {
    const answered = serviceCode === undefined ? "" : ` (${serviceCode})`;
    return new ServiceError(`Could not ${operation} of ${this.hubHostName}: ${text}${answered}.`, {
      code,
      operation,
      status: undefined,
      serviceCode,
    });
  }
}

/** Host names of the hubs that are linked to the DPS instance. */
export async function linkedHubs(connection: Connection, pacing?: Pacing): Promise<string[]> {
  const { service, resourceGroup } = connection;
  const found = await call(
    resourceManagerAttempt(connection, `read the linked hubs of DPS "${service}"`),
    () => provisioningServices(connection).iotDpsResource.get(service, resourceGroup),
    pacing,
  );
  return (found.properties.iotHubs ?? []).flatMap(({ name }) => (name ? [name] : []));
}
