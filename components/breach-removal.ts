import * as pulumi from "@pulumi/pulumi";
import type { CompromisedKey } from "../certificates/compromised-keys";
import { foldCase } from "../certificates/text";
import type { RemovalSettings } from "../dynamic-providers/device-registration-removal/scope";
import {
  CompromisedCaDeletionResource,
  DeviceRegistrationRemovalResource,
  DeviceTwinJournalResource,
} from "../dynamic-providers/resources";
import { EnrollmentGroup } from "./enrollment-group";
import type { IndividualEnrollment } from "./individual-enrollment";
import type { ProvisioningService } from "./provisioning-service";

export interface BreachRemovalArgs {
  service: ProvisioningService;
  /** Everything that is declared compromised; empty: nobody is removed, and what is owed is given back. */
  compromised: pulumi.Input<CompromisedKey[]>;
  /** What has to be replaced before devices are removed, so that they find their way back at once. */
  replaced: (EnrollmentGroup | IndividualEnrollment)[];
  /** What else has to be done before. Default: nothing. */
  after?: pulumi.Resource[];
  /** Which candidates go and when, and what becomes of their hub identities. */
  remove: RemovalSettings;
  /** Thumbprints of the CA certificates whose leaves are good; needed to judge by a manifest. */
  goodIssuers: pulumi.Input<string[]>;
  /** Names of the CA certificates that are declared: compromised ones that are not are deleted. */
  declaredCas: string[];
  /** How long to wait for removed devices, to give them back what they lost; seconds. Default: 30. */
  restoreWaitSeconds?: number;
}

/**
 * The last phase of a breach: the devices that came in with a compromised certificate lose their hub
 * identity and their DPS registration. Who that is, and what they lose, is written down first. Then the
 * compromised CA certificates go. One for a service: what it owes to devices that are not back outlives
 * the declaration of the breach.
 */
export class BreachRemoval extends pulumi.ComponentResource {
  readonly removed: pulumi.Output<string[]>;
  /** Removed devices that are not back yet. */
  readonly pending: pulumi.Output<string[]>;
  /** Devices that keep their access, because nothing proves that their leaf is compromised. */
  readonly left: pulumi.Output<string[]>;
  /** Number of devices that wait for a later wave. */
  readonly waiting: pulumi.Output<number>;

  constructor(name: string, args: BreachRemovalArgs, options?: pulumi.ComponentResourceOptions) {
    super("dps-certificates:index:BreachRemoval", name, {}, options);
    const { service } = args;
    const writes = args.replaced.map((entry) => {
      const kind = entry instanceof EnrollmentGroup ? "group" : "individual";
      return [`${kind}/${foldCase(entry.enrollmentId)}`, entry.writes] as const;
    });
    const scope = {
      connection: service.connection,
      compromised: args.compromised,
      caKeys: service.containment.caKeys,
      slotKeys: service.containment.slotKeys,
      contained: service.containment.contained,
      writes: Object.fromEntries(writes),
      remove: args.remove,
      goodIssuers: args.goodIssuers,
    };
    const before = [...service.gate, ...args.replaced, ...(args.after ?? [])];
    const after = { parent: this, dependsOn: before };
    const journal = new DeviceTwinJournalResource(name, scope, after);
    this.waiting = journal.waiting.apply(({ length }) => length);
    const removal = new DeviceRegistrationRemovalResource(
      name,
      {
        ...scope,
        journal: journal.devices,
        waiting: this.waiting,
        held: journal.held,
        restoreWaitSeconds: args.restoreWaitSeconds ?? 30,
      },
      after,
    );
    new CompromisedCaDeletionResource(
      name,
      {
        connection: service.connection,
        compromised: args.compromised,
        caKeys: service.containment.caKeys,
        declared: args.declaredCas,
      },
      { parent: this, dependsOn: [...after.dependsOn, removal] },
    );
    this.removed = removal.removed;
    this.pending = removal.pending;
    this.left = removal.left;
    this.registerOutputs({
      removed: this.removed,
      pending: this.pending,
      left: this.left,
      waiting: this.waiting,
    });
  }
}
