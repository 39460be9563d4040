import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { type CertificateSummary, summarize } from "../certificates/summary";
import type { Certificate } from "./certificate";

export interface DevCertificateArgs {
  /** Issuer, another certificate made in the stack. Default: self-signed. Changing it replaces. */
  issuer?: DevCertificate;
  /** Common name of the subject. Changing it replaces the certificate. */
  commonName: string;
  /** Validity in days from when it is made. Changing it replaces the certificate. */
  days: number;
  /** Kind of key. Changing it replaces key and certificate. */
  key: "ecdsa-p256" | "rsa-2048";
  /** May it issue certificates? */
  ca: boolean;
}

/**
 * A certificate made in the stack, with its key in the state. For the sandbox only: for a real
 * target the configuration is refused before it comes here.
 */
export class DevCertificate extends pulumi.ComponentResource implements Certificate {
  readonly name: string;
  readonly pem: pulumi.Output<string>;
  readonly summary: pulumi.Output<CertificateSummary>;
  readonly privateKeyPem: pulumi.Output<string>;

  constructor(name: string, args: DevCertificateArgs, options?: pulumi.ComponentResourceOptions) {
    super("dps-certificates:index:DevCertificate", name, {}, options);
    const inside = { parent: this };
    const key = new tls.PrivateKey(name, keyArgs(args.key), inside);
    const signed =
      args.issuer === undefined
        ? selfSigned(name, args, key, inside)
        : issued(name, args, args.issuer, key, inside);
    this.name = name;
    this.pem = signed.certPem;
    this.summary = signed.certPem.apply(summarize);
    this.privateKeyPem = key.privateKeyPemPkcs8;
    this.registerOutputs({ pem: this.pem });
  }
}

function keyArgs(key: DevCertificateArgs["key"]): tls.PrivateKeyArgs {
  return key === "rsa-2048"
    ? { algorithm: "RSA", rsaBits: 2048 }
    : { algorithm: "ECDSA", ecdsaCurve: "P256" };
}

function selfSigned(
  name: string,
  args: DevCertificateArgs,
  key: tls.PrivateKey,
  options: pulumi.CustomResourceOptions,
): tls.SelfSignedCert {
  return new tls.SelfSignedCert(
    name,
    {
      privateKeyPem: key.privateKeyPem,
      subject: { commonName: args.commonName },
      ...validity(args),
    },
    options,
  );
}

function issued(
  name: string,
  args: DevCertificateArgs,
  issuer: DevCertificate,
  key: tls.PrivateKey,
  options: pulumi.CustomResourceOptions,
): tls.LocallySignedCert {
  const request = new tls.CertRequest(
    name,
    { privateKeyPem: key.privateKeyPem, subject: { commonName: args.commonName } },
    options,
  );
  return new tls.LocallySignedCert(
    name,
    {
      certRequestPem: request.certRequestPem,
      caPrivateKeyPem: issuer.privateKeyPem,
      caCertPem: issuer.pem,
      ...validity(args),
    },
    options,
  );
}

function validity({
  days,
  ca,
}: DevCertificateArgs): Pick<
  tls.SelfSignedCertArgs,
  "validityPeriodHours" | "isCaCertificate" | "allowedUses" | "setSubjectKeyId"
> & { allowedUses: string[] } {
  return {
    validityPeriodHours: days * 24,
    isCaCertificate: ca,
    setSubjectKeyId: ca,
    allowedUses: ca ? ["cert_signing", "crl_signing"] : ["digital_signature", "client_auth"],
  };
}
