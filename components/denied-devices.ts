import * as pulumi from "@pulumi/pulumi";
import type { CompromisedKey } from "../certificates/compromised-keys";
import { DeniedDevicesResource } from "../dynamic-providers/resources";
import type { ProvisioningService } from "./provisioning-service";
import type { Removal } from "./removal-settings";

export interface DeniedDevicesArgs extends Removal {
  service: ProvisioningService;
  /** Registration IDs that DPS refuses; none: what denials have disabled before is enabled again. */
  registrationIds: string[];
  /** Everything that is declared compromised: whoever came in with it is not enabled again. */
  compromised: pulumi.Input<CompromisedKey[]>;
  /** What refuses them in DPS: they could register again otherwise. */
  closed: pulumi.Resource[];
}

/**
 * The hub identities of denied devices: disabled in every linked hub, which ends their connections, and
 * enabled again when the denial is lifted. One for a service.
 */
export class DeniedDevices extends pulumi.ComponentResource {
  constructor(name: string, args: DeniedDevicesArgs, options?: pulumi.ComponentResourceOptions) {
    super("dps-certificates:index:DeniedDevices", name, {}, options);
    const { service, registrationIds, compromised, closed, remove, goodIssuers } = args;
    new DeniedDevicesResource(
      name,
      {
        connection: service.connection,
        denied: registrationIds,
        stack: `${pulumi.getProject()}/${pulumi.getStack()}`,
        compromised,
        contained: service.containment.contained,
        remove,
        goodIssuers,
      },
      { parent: this, dependsOn: [service.containment, ...closed] },
    );
    this.registerOutputs({});
  }
}
