import * as pulumi from "@pulumi/pulumi";
import type { EntryWrites, LiveEnrollment } from "../dynamic-providers/enrollment/live";
import type { Slot } from "../dynamic-providers/enrollment/slots";
import { type Args, EnrollmentResource } from "../dynamic-providers/resources";
import { CaCertificate } from "./ca-certificate";
import type { Certificate } from "./certificate";
import {
  admittedBy,
  certificateSlot,
  commonInputs,
  type EnrollmentArgs,
  isRetained,
  liveWords,
} from "./enrollment-args";

/** A CA certificate of the DPS (by reference), or an intermediate certificate. */
export type GroupSlot = CaCertificate | Certificate;

export interface EnrollmentGroupArgs extends EnrollmentArgs {
  /** ID of the group. Changing it replaces. Default: the component's name. */
  enrollmentGroupId?: string;
  /** Both slots hold the same kind: CA references, or intermediate certificates. */
  primary?: GroupSlot;
  secondary?: GroupSlot;
}

/** An enrollment group: admits every device whose chain leads to a certificate in one of its slots. */
export class EnrollmentGroup extends pulumi.ComponentResource {
  readonly enrollmentId: string;
  /** What its slots admit; nothing while it is disabled. */
  readonly admits: pulumi.Output<string[]>;
  readonly live: pulumi.Output<LiveEnrollment>;
  readonly writes: pulumi.Output<EntryWrites>;
  /** What is live, in words; in a preview of a write, what it will bring about. */
  readonly liveWords: pulumi.Output<string>;
  /** Procedure and phase of the last roll, in words. */
  readonly roll: pulumi.Output<string>;

  constructor(name: string, args: EnrollmentGroupArgs, options?: pulumi.ComponentResourceOptions) {
    super("dps-certificates:index:EnrollmentGroup", name, {}, options);
    const { primary, secondary, service } = args;
    const cas = [primary, secondary].filter((slot) => slot instanceof CaCertificate);
    this.enrollmentId = args.enrollmentGroupId ?? name;
    const resource = new EnrollmentResource(
      "EnrollmentGroup",
      name,
      {
        ...commonInputs(args),
        enrollmentId: this.enrollmentId,
        ...(primary && { primary: groupSlot(primary) }),
        ...(secondary && { secondary: groupSlot(secondary) }),
      },
      // The group names its CA by a plain string: that the CA is there and verified first has to be said.
      {
        parent: this,
        dependsOn: [...service.gate, ...cas],
        retainOnDelete: isRetained(args),
      },
    );
    this.admits = admittedBy(args.status, [primary, secondary].map(admission));
    this.live = resource.live;
    this.writes = resource.writes;
    this.liveWords = liveWords(resource);
    this.roll = resource.roll;
    this.registerOutputs({ live: this.live, roll: this.roll });
  }
}

function admission(slot: GroupSlot | undefined) {
  return slot instanceof CaCertificate
    ? { ca: slot.caName, certificate: slot.certificate }
    : slot && { certificate: slot };
}

function groupSlot(slot: GroupSlot): Args<Slot> {
  return slot instanceof CaCertificate
    ? { ca: slot.caName, certificate: slot.certificate.summary }
    : certificateSlot(slot);
}
