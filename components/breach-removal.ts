import * as pulumi from "@pulumi/pulumi";
import type { CompromisedKey } from "../certificates/compromised-keys";
import {
  DeviceRegistrationRemovalResource,
  DeviceTwinJournalResource,
} from "../dynamic-providers/resources";
import type { ProvisioningService } from "./provisioning-service";

export interface BreachRemovalArgs {
  service: ProvisioningService;
  compromised: pulumi.Input<CompromisedKey>;
  /** What has to be replaced before devices are removed, so that they find their way back at once. */
  replaced: pulumi.Resource[];
  /** How long to wait for removed devices, to give them their tags and desired properties back; seconds. Default: 30. */
  restoreWaitSeconds?: number;
}

/**
 * The last phase of a breach: the devices that came in with a compromised certificate lose their hub
 * identity and their DPS registration. Who that is, and what they lose, is written down first.
 */
export class BreachRemoval extends pulumi.ComponentResource {
  readonly removed: pulumi.Output<string[]>;
  /** Removed devices that are not back yet. */
  readonly pending: pulumi.Output<string[]>;

  constructor(name: string, args: BreachRemovalArgs, options?: pulumi.ComponentResourceOptions) {
    super("dps-certificates:index:BreachRemoval", name, {}, options);
    const { service } = args;
    const compromised = pulumi.output(args.compromised);
    const scope = {
      connection: service.connection,
      compromised,
      caKeys: service.containment.caKeys,
      containment: pulumi
        .all([service.containment.contained, compromised])
        .apply(([contained, { key }]) => contained[key] ?? { entries: [] }),
    };
    const after = { parent: this, dependsOn: [...service.gate, ...args.replaced] };
    const journal = new DeviceTwinJournalResource(name, scope, after);
    const removal = new DeviceRegistrationRemovalResource(
      name,
      { ...scope, journal: journal.devices, restoreWaitSeconds: args.restoreWaitSeconds ?? 30 },
      after,
    );
    this.removed = removal.removed;
    this.pending = removal.pending;
    this.registerOutputs({ removed: this.removed, pending: this.pending });
  }
}
