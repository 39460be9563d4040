/** How expiration rolls go from one stack to the next. */
import * as pulumi from "@pulumi/pulumi";
import type { AppliedSlots, StackBefore } from "../certificates/promotion";
import type { EnrollmentGroup } from "./enrollment-group";
import type { IndividualEnrollment } from "./individual-enrollment";
import type { ProvisioningService } from "./provisioning-service";

/**
 * What the stack before this one gives out as `appliedRolls`. One that cannot be read, or that does not
 * exist, ends no run: it is said, and expiration rolls are refused, where a breach is not.
 *
 * @param stack its name, or `organization/project/stack`
 */
export async function stackBefore(stack: string): Promise<StackBefore> {
  const name = stack.includes("/")
    ? stack
    : `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  try {
    // What a `StackReference` asks the engine for; as a resource its failure would end the run.
    const { outputs } = (await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {
      name,
    })) as { outputs: { appliedRolls?: string } };
    // A stack that was made before there was this output has carried nothing out.
    return { after: stack, applied: appliedIn(outputs.appliedRolls) };
  } catch (error) {
    const notRead = (error as Error).message.trim();
    await pulumi.log.warn(`The stack before this one could not be read (promotion): ${notRead}`);
    return { after: stack, applied: [], notRead };
  }
}

function appliedIn(text: string | undefined): AppliedSlots[] {
  return text === undefined ? [] : (JSON.parse(text) as AppliedSlots[]);
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
