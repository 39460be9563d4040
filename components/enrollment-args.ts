/** What both kinds of enrollment have in common. */
import * as pulumi from "@pulumi/pulumi";
import type { CompromisedKey } from "../certificates/compromised-keys";
import { describe, type ReprovisionPolicy } from "../dynamic-providers/enrollment/live";
import { identity, type Slot } from "../dynamic-providers/enrollment/slots";
import type { Args, EnrollmentResource } from "../dynamic-providers/resources";
import type { Certificate } from "./certificate";
import type { ProvisioningService } from "./provisioning-service";

export interface EnrollmentArgs {
  service: ProvisioningService;
  /** Default: enabled. */
  status?: "enabled" | "disabled";
  /**
   * What happens when a device registers again: migrate its twin to the hub that allocation chooses,
   * reset the twin, or never move it. Default: migrate.
   */
  reprovisionPolicy?: ReprovisionPolicy;
  /**
   * It exists already and is taken over, without a write when it is as declared. What would shut a device
   * out is refused. Default: false.
   */
  adopt?: boolean;
  /** It stays in DPS when it leaves the program. Default: what `adopt` says. */
  retain?: boolean;
  /**
   * Why an entry that somebody closed by hand (disabled, a slot emptied, deleted) is opened again. The
   * same reason acts once. Default: it stays closed.
   */
  reenable?: string;
  /** Keys that must admit nothing any more. Default: none. */
  compromised?: pulumi.Input<CompromisedKey[]>;
}

/** The inputs of the resource that both kinds have. */
export function commonInputs({ service, ...args }: EnrollmentArgs) {
  return {
    connection: service.connection,
    provisioningStatus: args.status ?? "enabled",
    reprovisionPolicy: args.reprovisionPolicy ?? "migrate",
    compromised: args.compromised ?? [],
    ...(args.adopt === true && { adopt: true }),
    ...(args.reenable !== undefined && { reenable: args.reenable }),
  };
}

/**
 * What is live, in words. A preview does not know that of an entry that it would write, and leaves out what is
 * not known: there it is what the write will bring about.
 */
export function liveWords(resource: EnrollmentResource): pulumi.Output<string> {
  const { live, provisioningStatus, reprovisionPolicy, primary, secondary } = resource;
  const slot = (declared: pulumi.Output<Slot> | undefined) =>
    pulumi.output(declared).apply((one) => (one?.ca === undefined ? one : { ca: one.ca }));
  const planned = pulumi
    .all([provisioningStatus, reprovisionPolicy, slot(primary), slot(secondary)])
    .apply(([status, policy, first, second]) =>
      describe({
        provisioningStatus: status,
        reprovisionPolicy: policy,
        ...(first && { primary: first }),
        ...(second && { secondary: second }),
      }),
    );
  const unmade = pulumi.output("known when its certificates are made");
  const planOrNot = isKnown(planned).apply((known) => (known ? planned : unmade));
  return isKnown(live).apply((known) => (known ? live.apply(describe) : planOrNot));
}

/* At run time each output has it; the library's types leave it out. */
function isKnown(output: pulumi.Output<unknown>): pulumi.Output<boolean> {
  return pulumi.output((output as unknown as { isKnown: Promise<boolean> }).isKnown);
}

/** Does it stay in DPS when it leaves the program? */
export function isRetained({ adopt = false, retain = adopt }: EnrollmentArgs): boolean {
  return retain;
}

/** A slot that holds a certificate itself. */
export function certificateSlot(certificate: Certificate): Args<Slot> {
  return { pem: certificate.pem, certificate: certificate.summary };
}

/**
 * What an entry admits: the identity of each slot, and nothing while it is disabled. The name of a CA is
 * known also while the CA itself does not exist yet.
 */
export function admittedBy(
  status: EnrollmentArgs["status"],
  slots: ({ ca?: string; certificate: Certificate } | undefined)[],
): pulumi.Output<string[]> {
  const identities = slots
    .filter((slot) => slot !== undefined)
    .map(({ ca, certificate }) =>
      ca === undefined
        ? certificate.summary.apply((summary) => identity({ certificate: summary }))
        : identity({ ca }),
    );
  return pulumi.all(status === "disabled" ? [] : identities);
}
