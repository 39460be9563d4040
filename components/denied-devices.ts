import * as pulumi from "@pulumi/pulumi";
import type { CompromisedKey } from "../certificates/compromised-keys";
import { DeniedDevicesResource } from "../dynamic-providers/resources";
import type { ProvisioningService } from "./provisioning-service";

export interface DeniedDevicesArgs {
  service: ProvisioningService;
  /** Registration IDs that DPS refuses; none: what denials have disabled before is enabled again. */
  registrationIds: string[];
  /** Everything that is declared compromised: whoever holds such a leaf is not enabled again. */
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
    const { service, registrationIds, compromised, closed } = args;
    new DeniedDevicesResource(
      name,
      { connection: service.connection, denied: registrationIds, compromised },
      { parent: this, dependsOn: [service.containment, ...closed] },
    );
    this.registerOutputs({});
  }
}
