import * as pulumi from "@pulumi/pulumi";
import type { CaCertificateOutputs, Proof } from "../dynamic-providers/ca-certificate/provider";
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
   * How possession of the CA's key is proved. Default: with the key in the stack, for a certificate
   * made there.
   */
  proof?: { keyFile: string } | { selfAttested: true };
}

/** A CA certificate that the DPS holds as verified (up to 25 a service). */
export class CaCertificate extends pulumi.ComponentResource {
  /** Name in DPS. */
  readonly caName: string;
  readonly certificate: Certificate;
  readonly live: pulumi.Output<CaCertificateOutputs["live"]>;

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
        proof: proofOf(name, args),
      },
      { parent: this, dependsOn: args.service.gate },
    );
    this.live = resource.live;
    this.registerOutputs({ live: this.live });
  }
}

function proofOf(name: string, { proof, certificate }: CaCertificateArgs): Args<Proof> {
  if (proof !== undefined) {
    return proof;
  }
  if (certificate.privateKeyPem === undefined) {
    throw new pulumi.RunError(
      `caCertificates.${name}.proof is missing: the certificate comes from a file, so say how possession of its key is proved (keyFile, or selfAttested).`,
    );
  }
  return { keyPem: certificate.privateKeyPem };
}
