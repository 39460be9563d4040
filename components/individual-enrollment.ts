import * as pulumi from "@pulumi/pulumi";
import { foldCase } from "../certificates/text";
import type { EntryWrites, LiveEnrollment } from "../dynamic-providers/enrollment/live";
import { EnrollmentResource } from "../dynamic-providers/resources";
import type { Certificate } from "./certificate";
import {
  admittedBy,
  certificateSlot,
  commonInputs,
  type EnrollmentArgs,
  isRetained,
  liveWords,
} from "./enrollment-args";

export interface IndividualEnrollmentArgs extends EnrollmentArgs {
  /** Common name of the device's leaf. Changing it replaces. Default: the component's name. */
  registrationId?: string;
  /** Leaf certificates of the device; both are accepted. Of a denied device: none when none is at hand. */
  primary?: Certificate;
  secondary?: Certificate;
  /** Device ID at the hub. Default: the registration ID. */
  deviceId?: string;
  /** Why the registration ID is denied; the entry is then disabled. Default: it is not. */
  denied?: string;
}

/**
 * An individual enrollment. One registration ID is one of these, whatever happens to it: enrolled,
 * denied and re-admitted are updates of it.
 */
export class IndividualEnrollment extends pulumi.ComponentResource {
  readonly enrollmentId: string;
  /** What its slots admit; nothing while it is disabled or denied. */
  readonly admits: pulumi.Output<string[]>;
  readonly live: pulumi.Output<LiveEnrollment>;
  readonly writes: pulumi.Output<EntryWrites>;
  /** What is live, in words; in a preview of a write, what it will bring about. */
  readonly liveWords: pulumi.Output<string>;
  /** Procedure and phase of the last roll, in words. */
  readonly roll: pulumi.Output<string>;

  constructor(
    name: string,
    args: IndividualEnrollmentArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    // DPS compares IDs without case: spelt otherwise it is the same resource, not a second one.
    const folded = foldCase(name);
    super(
      "dps-certificates:index:IndividualEnrollment",
      folded,
      {},
      {
        ...options,
        ...(folded !== name && { aliases: [...(options?.aliases ?? []), { name }] }),
      },
    );
    const { primary, secondary, service, deviceId, denied } = args;
    this.enrollmentId = args.registrationId ?? name;
    const resource = new EnrollmentResource(
      "IndividualEnrollment",
      folded,
      {
        ...commonInputs(args),
        enrollmentId: this.enrollmentId,
        ...(primary && { primary: certificateSlot(primary) }),
        ...(secondary && { secondary: certificateSlot(secondary) }),
        ...(deviceId !== undefined && { deviceId }),
        ...(denied !== undefined && { denied, provisioningStatus: "disabled" as const }),
      },
      {
        parent: this,
        // A denial shuts somebody out: what is judged of the fleet does not delay it.
        dependsOn: denied === undefined ? service.gate : [service.containment],
        retainOnDelete: isRetained(args),
      },
    );
    this.admits = admittedBy(
      denied === undefined ? args.status : "disabled",
      [primary, secondary].map((slot) => slot && { certificate: slot }),
    );
    this.live = resource.live;
    this.writes = resource.writes;
    this.liveWords = liveWords(resource);
    this.roll = resource.roll;
    this.registerOutputs({ live: this.live, roll: this.roll });
  }
}
