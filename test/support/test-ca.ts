/** Certificates made at test time: EC P-256, dates passed in, whatever is wrong with them on demand. */
import "reflect-metadata";
import { KeyObject, randomBytes, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  Extension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const P256: KeyAlgorithm = { name: "ECDSA", namedCurve: "P-256" };
const DAY_MS = 24 * 60 * 60 * 1000;

/** Of a key, as WebCrypto names it. */
export type KeyAlgorithm =
  | { name: "ECDSA"; namedCurve: "P-256" | "P-384" | "P-521" }
  | { name: "Ed25519" }
  | {
      name: "RSASSA-PKCS1-v1_5";
      modulusLength: number;
      publicExponent: Uint8Array;
      hash: "SHA-256";
    };

/** RSA with so many bits. */
export function rsa(modulusLength: number): KeyAlgorithm {
  const publicExponent = new Uint8Array([1, 0, 1]);
  return { name: "RSASSA-PKCS1-v1_5", modulusLength, publicExponent, hash: "SHA-256" };
}

export interface CertificateOptions {
  /** Default: a day ago. */
  notBefore?: Date;
  /** Default: 30 days from now; for a CA 365. */
  notAfter?: Date;
  /** Basic constraints; undefined leaves the extension away. Default: true for a CA, else false. */
  ca?: boolean | undefined;
  /** Path length constraint; only with `ca: true`. */
  pathLength?: number;
  /** Key usage; null leaves the extension away. Default: what the kind of certificate needs. */
  keyUsage?: KeyUsageFlags | null;
  /** OIDs of extended key usage. Default: no such extension. */
  extendedKeyUsage?: string[];
  /** Whole subject, in place of `CN=<cn>`. */
  subject?: string;
  /** OID of a critical extension that nobody understands. */
  criticalExtension?: string;
  /** Further extensions, as they are. */
  extensions?: Extension[];
  /** Kind of key. Default: EC P-256. */
  algorithm?: KeyAlgorithm;
  /** Hash of the issuer's signature. Default: SHA-256. */
  hash?: "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";
  /** Use this key pair, to make a renewal or a cross-signed twin. */
  keys?: webcrypto.CryptoKeyPair;
}

/** A certificate with its private key. */
export interface Issued {
  /** PEM of this certificate alone. */
  pem: string;
  /** PEM of this certificate and the intermediates above it, without the root. */
  chainPem: string;
  der: Buffer;
  /** Private key, PKCS#8 PEM. */
  key: string;
  keys: webcrypto.CryptoKeyPair;
  /** SHA-256 of the DER, upper-case hex. */
  thumbprint: string;
}

/** A certificate authority; `certificate` is its own. */
export class TestCa {
  private constructor(
    readonly certificate: Issued,
    /** CA certificates from this one up to, not including, the root; DER. */
    readonly intermediates: Issued[],
  ) {}

  get pem(): string {
    return this.certificate.pem;
  }

  get der(): Buffer {
    return this.certificate.der;
  }

  /** A self-signed root. */
  static async root(cn: string, options: CertificateOptions = {}): Promise<TestCa> {
    return new TestCa(await issue(cn, undefined, authority(options), []), []);
  }

  /** A self-signed certificate as a device has it. */
  static async selfSigned(cn: string, options: CertificateOptions = {}): Promise<Issued> {
    return issue(cn, undefined, options, []);
  }

  /** A CA below this one. */
  async intermediate(cn: string, options: CertificateOptions = {}): Promise<TestCa> {
    const issued = await issue(cn, this.certificate, authority(options), this.intermediates);
    return new TestCa(issued, [issued, ...this.intermediates]);
  }

  /** A device's certificate. */
  async leaf(cn: string, options: CertificateOptions = {}): Promise<Issued> {
    return issue(cn, this.certificate, options, this.intermediates);
  }
}

function authority(options: CertificateOptions): CertificateOptions {
  return {
    ca: true,
    keyUsage: KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
    notAfter: new Date(Date.now() + 365 * DAY_MS),
    ...options,
  };
}

async function issue(
  cn: string,
  issuer: Issued | undefined,
  options: CertificateOptions,
  above: Issued[],
): Promise<Issued> {
  const keys =
    options.keys ??
    ((await webcrypto.subtle.generateKey(options.algorithm ?? P256, true, [
      "sign",
      "verify",
    ])) as webcrypto.CryptoKeyPair);
  const signingKey = (issuer?.keys ?? keys).privateKey;
  const subject = options.subject ?? `CN=${cn}`;
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: issuer === undefined ? subject : new X509Certificate(issuer.der).subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: { name: signingKey.algorithm.name, hash: options.hash ?? "SHA-256" },
    serialNumber: `4${randomBytes(15).toString("hex")}0`,
    notBefore: options.notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + 30 * DAY_MS),
    extensions: await extensions(options, keys),
  });
  const pem = `${certificate.toString("pem")}\n`;
  const der = Buffer.from(certificate.rawData);
  return {
    pem,
    chainPem: [pem, ...above.map((one) => one.pem)].join(""),
    der,
    key: KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString(),
    keys,
    thumbprint: Buffer.from(await webcrypto.subtle.digest("SHA-256", der))
      .toString("hex")
      .toUpperCase(),
  };
}

async function extensions(
  options: CertificateOptions,
  keys: webcrypto.CryptoKeyPair,
): Promise<Extension[]> {
  const ca = "ca" in options ? options.ca : false;
  const usage = options.keyUsage === undefined ? KeyUsageFlags.digitalSignature : options.keyUsage;
  return [
    ...(ca === undefined ? [] : [new BasicConstraintsExtension(ca, options.pathLength, true)]),
    ...(usage === null ? [] : [new KeyUsagesExtension(usage, true)]),
    ...(options.extendedKeyUsage === undefined
      ? []
      : [new ExtendedKeyUsageExtension(options.extendedKeyUsage)]),
    ...(options.criticalExtension === undefined
      ? []
      : [new Extension(options.criticalExtension, true, new Uint8Array([5, 0]))]),
    ...(options.extensions ?? []),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
  ];
}

export { KeyUsageFlags };
