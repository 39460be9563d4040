/** What both kinds of enrollment have in common. */
import type * as pulumi from "@pulumi/pulumi";
import type { CompromisedKey } from "../certificates/compromised-keys";
import type { ReprovisionPolicy } from "../dynamic-providers/enrollment/live";
import type { Slot } from "../dynamic-providers/enrollment/slots";
import type { Args } from "../dynamic-providers/resources";
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
  /** Keys that must admit nothing any more. Default: none. */
  compromised?: pulumi.Input<CompromisedKey[]>;
}

/** A slot that holds a certificate itself. */
export function certificateSlot(certificate: Certificate): Args<Slot> {
  return { pem: certificate.pem, certificate: certificate.summary };
}
