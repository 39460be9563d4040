/** Issues certificates to try things with: roots, intermediates and leaves, dated by a given clock. */
import "reflect-metadata";
import { createPrivateKey, KeyObject, randomBytes, webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Clocks of devices and services are never quite the same. */
const BACKDATED_MS = 60 * 1000;

/** Kinds of key, with what WebCrypto calls them and the hash of their signatures. */
export const KEYS = {
  "ecdsa-p256": { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  "ecdsa-p384": { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  "rsa-2048": rsa(2048),
  "rsa-4096": rsa(4096),
} as const;

export type KeyKind = keyof typeof KEYS;

/** PEM of one certificate, of the intermediates above it (lowest first, without a root), and of a key. */
export interface Issuer {
  certificate: string;
  intermediates: string[];
  privateKey: string;
}

export interface IssueOptions {
  kind: "root" | "intermediate" | "leaf";
  commonName: string;
  /** Absent: self-signed. */
  issuer?: Issuer;
  /** Validity in days from `now`. */
  days: number;
  key: KeyKind;
  now: Date;
}

/** A new certificate with a key of its own. That the issuer's key is its certificate's is up to the caller. */
export async function issue(options: IssueOptions): Promise<Issuer> {
  const { kind, commonName, issuer, days, now } = options;
  const algorithm = KEYS[options.key];
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const above = issuer && new X509Certificate(issuer.certificate);
  const signer = issuer && (await importSigner(issuer.privateKey));
  const subject = [{ CN: [commonName] }];
  const isCa = kind !== "leaf";
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: above?.subjectName.toJSON() ?? subject,
    publicKey: keys.publicKey,
    signingKey: signer?.key ?? keys.privateKey,
    signingAlgorithm: signer?.algorithm ?? algorithm,
    // Positive and at most 20 octets (RFC 5280 section 4.1.2.2).
    serialNumber: `4${randomBytes(15).toString("hex")}0`,
    notBefore: new Date(now.getTime() - BACKDATED_MS),
    notAfter: new Date(now.getTime() + days * DAY_MS),
    extensions: [
      new BasicConstraintsExtension(isCa, undefined, true),
      new KeyUsagesExtension(
        isCa ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature,
        true,
      ),
      ...(isCa ? [] : [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(above === undefined ? [] : [await AuthorityKeyIdentifierExtension.create(above)]),
    ],
  });
  return {
    certificate: `${certificate.toString("pem")}\n`,
    intermediates:
      issuer === undefined || (await above!.isSelfSigned())
        ? []
        : [issuer.certificate, ...issuer.intermediates],
    privateKey: KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** A private key in PEM as WebCrypto signs with it, in whichever of `KEYS` it is. */
async function importSigner(pem: string) {
  const key = createPrivateKey(pem);
  const der = key.export({ type: "pkcs8", format: "der" });
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const algorithm =
    key.asymmetricKeyType === "rsa"
      ? KEYS["rsa-2048"]
      : curve === "secp384r1"
        ? KEYS["ecdsa-p384"]
        : KEYS["ecdsa-p256"];
  return {
    key: await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]),
    algorithm,
  };
}

function rsa(modulusLength: number) {
  return {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength,
    publicExponent: new Uint8Array([1, 0, 1]),
  } as const;
}
