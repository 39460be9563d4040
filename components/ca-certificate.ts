import * as pulumi from "@pulumi/pulumi";
import { formatFault } from "../certificates/faults";
import { missingProof } from "../certificates/proof-rules";
import type { CompromisedKey } from "../certificates/compromised-keys";
import type { CaCertificateOutputs } from "../dynamic-providers/ca-certificate/live";
import type { PendingProof } from "../dynamic-providers/ca-certificate/offline";
import type { Proof } from "../dynamic-providers/ca-certificate/proof";
import { type Args, CaCertificateResource } from "../dynamic-providers/resources";
import type { Certificate } from "./certificate";
import type { ProvisioningService } from "./provisioning-service";

export interface CaCertificateArgs {
  service: ProvisioningService;
  /** Name in DPS, which groups refer to. Changing it replaces. Default: the component's name. */
  name?: string;
  /** The CA certificate. A name is not given to another certificate while groups refer to it. */
  certificate: Certificate;
  /**
   * How possession of the CA's key is proved: a key file, a command that issues the verification
   * certificate or signs it (argv, run during up), offline in two changes (`signed` is the verification
   * certificate in PEM, once it is there), or not at all. Default: with the key in the stack, for a
   * certificate made there; none, for one that is adopted and verified.
   */
  proof?: DeclaredProof;
  /** It is in DPS already and is taken over, without a write when it is verified. Default: false. */
  adopt?: boolean;
  /** It stays in DPS when it is declared no more, unless it is compromised. Default: what `adopt` says. */
  retain?: boolean;
  /** Why it is brought back after somebody deleted or unverified it; each reason acts once. Default: it is not. */
  reenable?: string;
  /** Keys that must admit nothing any more. Default: none. */
  compromised?: pulumi.Input<CompromisedKey[]>;
}

/** How possession of a CA's key can be proved from a program. */
export type DeclaredProof = Exclude<Proof, { keyPem: string }>;

/** A CA certificate that the DPS holds as verified (up to 25 a service). */
export class CaCertificate extends pulumi.ComponentResource {
  /** Name in DPS. */
  readonly caName: string;
  readonly certificate: Certificate;
  readonly live: pulumi.Output<CaCertificateOutputs["live"]>;
  /** The verification code that waits to be signed; undefined when none does. */
  readonly pending: pulumi.Output<PendingProof | undefined>;

  constructor(name: string, args: CaCertificateArgs, options?: pulumi.ComponentResourceOptions) {
    super("dps-certificates:index:CaCertificate", name, {}, options);
    this.caName = args.name ?? name;
    this.certificate = args.certificate;
    const resource = new CaCertificateResource(
      name,
      {
        connection: args.service.connection,
        name: this.caName,
        pem: args.certificate.pem,
        certificate: args.certificate.summary,
        ...proofOf(name, args),
        adopt: args.adopt ?? false,
        compromised: args.compromised ?? [],
        ...(args.retain !== undefined && { retain: args.retain }),
        ...(args.reenable !== undefined && { reenable: args.reenable }),
      },
      { parent: this, dependsOn: args.service.gate },
    );
    this.live = resource.live;
    this.pending = resource.pending;
    this.registerOutputs({ live: this.live, pending: this.pending });
  }
}

function proofOf(
  name: string,
  { proof, certificate, adopt = false }: CaCertificateArgs,
): { proof?: Args<Proof> } {
  if (proof !== undefined) {
    return { proof };
  }
  if (certificate.privateKeyPem !== undefined) {
    return { proof: { keyPem: certificate.privateKeyPem } };
  }
  if (!adopt) {
    throw new pulumi.RunError(formatFault(missingProof(name)));
  }
  return {};
}
