import * as pulumi from "@pulumi/pulumi";
import { type CertificateSummary, summarize } from "../certificates/summary";

/** A certificate that the program can hand to components: from a file, or made in the stack. */
export interface Certificate {
  /** Its name in the configuration. */
  readonly name: string;
  /** PEM of the certificate alone, without issuers. */
  readonly pem: pulumi.Output<string>;
  /** The same in readable form. */
  readonly summary: pulumi.Output<CertificateSummary>;
  /** PEM of the private key, a secret; only of a certificate made in the stack. */
  readonly privateKeyPem?: pulumi.Output<string>;
}

/** A certificate whose PEM is at hand, checked before (`loadCertificates`). */
export function certificateFromPem(name: string, pem: pulumi.Input<string>): Certificate {
  const output = pulumi.output(pem);
  return { name, pem: output, summary: output.apply(summarize) };
}
