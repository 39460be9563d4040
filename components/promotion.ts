/** How expiration rolls go from one stack to the next. */
import * as pulumi from "@pulumi/pulumi";
import type { AppliedSlots } from "../certificates/promotion";
import type { EnrollmentGroup } from "./enrollment-group";
import type { IndividualEnrollment } from "./individual-enrollment";
import type { ProvisioningService } from "./provisioning-service";

/**
 * What the stack before this one gives out as `appliedRolls`.
 *
 * @param stack its name, or `organization/project/stack`; one that does not exist ends the run
 */
export function stackBefore(stack: string): {
  after: string;
  applied: pulumi.Output<AppliedSlots[]>;
} {
  const full = stack.includes("/")
    ? stack
    : `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  const before = new pulumi.StackReference(full);
  const applied: pulumi.Output<string | undefined> = before.getOutput("appliedRolls");
  return {
    after: stack,
    // A stack that was made before there was this output has carried nothing out.
    applied: applied.apply((text) =>
      text === undefined ? [] : (JSON.parse(text) as AppliedSlots[]),
    ),
  };
}

/**
 * What the service was told, as JSON, once the enrollments are written: a run that failed has applied
 * nothing. Text, because the engine shows outputs to people, who have no use for it.
 */
export function appliedTo(
  service: ProvisioningService,
  entries: (EnrollmentGroup | IndividualEnrollment)[],
): pulumi.Output<string> {
  const written = pulumi.all(entries.map(({ live }) => live));
  return pulumi.all([service.applied, written]).apply(([applied]) => JSON.stringify(applied));
}
