/**
 * The certificate with which a CA proves to DPS that its key is at hand: its common name is the
 * verification code, and the CA's key signed it
 * (https://learn.microsoft.com/azure/iot-dps/how-to-verify-certificates).
 */
import "reflect-metadata";
import {
  createHash,
  createPrivateKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
  webcrypto,
  X509Certificate,
} from "node:crypto";
import {
  AsnEcSignatureFormatter,
  Pkcs10CertificateRequestGenerator,
  X509Certificate as Asn1Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { describe, summarize, verifiedBy } from "./summary";
import { displayName } from "./text";

/** What is signed, and how. */
export interface ToBeSigned {
  /** The TBSCertificate in DER (RFC 5280 section 4.1.1.1). */
  bytes: Buffer;
  /** Its digest, for signers that take no more than that. */
  digest: Buffer;
  /** Algorithm of the digest: SHA-256, or what fits an EC key's curve. */
  hash: "sha256" | "sha384" | "sha512";
}

/**
 * Makes the CA's signature, wherever its key is. Answers bytes or base64; with an EC key either ASN.1
 * (RFC 3279 section 2.2.3) or r and s (IEEE P1363), with an RSA key PKCS #1 v1.5.
 */
export type Signer = (toBeSigned: ToBeSigned) => Promise<Buffer>;

/** Nobody uses the key of the verification certificate: only the CA's signature is looked at. */
const THROWAWAY = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/**
 * The verification certificate, in PEM. It is valid as long as the CA itself, so that no clock is
 * asked. Throws when the CA's key is of a kind that cannot sign here (EC and RSA can), and when what
 * the signer answers is not a signature with the CA's key.
 */
export async function issueProofOfPossession(
  verificationCode: string,
  caPem: string,
  signer: Signer,
): Promise<string> {
  const ca = new X509Certificate(caPem);
  const issuer = new Asn1Certificate(ca.raw);
  const { algorithm, hash } = algorithmOf(ca.publicKey);
  const spki = ca.publicKey.export({ type: "spki", format: "der" });
  const own = await webcrypto.subtle.generateKey(THROWAWAY, false, ["sign", "verify"]);
  // The library asks a crypto provider for the signature. This one has the CA's, and nothing else.
  const provider = {
    subtle: {
      sign: async (_algorithm: unknown, _key: unknown, tbs: ArrayBuffer) => {
        const bytes = Buffer.from(tbs);
        const digest = createHash(hash).update(bytes).digest();
        const toBeSigned = { bytes, digest, hash };
        return webSignature(ca.publicKey, toBeSigned, algorithm, await signer(toBeSigned));
      },
    },
  };
  const certificate = await X509CertificateGenerator.create(
    {
      subject: [{ CN: [verificationCode] }],
      issuer: issuer.subjectName,
      notBefore: issuer.notBefore,
      notAfter: issuer.notAfter,
      // Positive and at most 20 octets (RFC 5280 section 4.1.2.2).
      serialNumber: `4${randomBytes(15).toString("hex")}0`,
      publicKey: Buffer.from(await webcrypto.subtle.exportKey("spki", own.publicKey)),
      // Only its kind is used.
      signingKey: await webcrypto.subtle.importKey("spki", spki, algorithm, false, ["verify"]),
      signingAlgorithm: algorithm,
    },
    provider,
  );
  return `${certificate.toString("pem")}\n`;
}

/** A request (PKCS #10, PEM) whose common name is the code, for whoever issues from requests. */
export async function requestProofOfPossession(verificationCode: string): Promise<string> {
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [verificationCode] }],
    keys: await webcrypto.subtle.generateKey(THROWAWAY, false, ["sign", "verify"]),
    signingAlgorithm: THROWAWAY,
  });
  return `${request.toString("pem")}\n`;
}

/**
 * Signs with a key that is at hand. Throws, without showing the key, when it is not an unencrypted
 * private key in PEM, or not the CA's.
 */
export function keySigner(caPem: string, keyPem: string): Signer {
  const key = readKey(keyPem);
  if (!new X509Certificate(caPem).checkPrivateKey(key)) {
    throw new Error("a private key that does not belong to the CA certificate");
  }
  return async ({ bytes, hash }) => sign(hash, bytes, key);
}

/**
 * What is wrong with a verification certificate for this CA, whatever its code; undefined when
 * nothing is.
 */
export function faultOfProof(proofPem: string, caPem: string): string | undefined {
  const proof = new X509Certificate(proofPem);
  const ca = new X509Certificate(caPem);
  const words = describe(summarize(proofPem));
  if (proof.raw.equals(ca.raw)) {
    return `the CA certificate itself, ${words}`;
  }
  if (!verifiedBy(proof, ca.publicKey)) {
    return `a certificate that the CA's key has not signed: ${words}`;
  }
  if (proof.issuer !== ca.subject) {
    return `a certificate whose issuer is not the subject of the CA certificate: ${words}`;
  }
  return undefined;
}

/** The verification code that a verification certificate carries: its subject's common name. */
export function codeOf(proofPem: string): string {
  return displayName(summarize(proofPem).subjectCommonName);
}

function readKey(pem: string): KeyObject {
  if (/ENCRYPTED/.test(pem)) {
    throw new Error("a private key that is encrypted");
  }
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's reason is left out: it may describe the content of the key.
    throw new Error("something that is not a private key in PEM (its content is not shown)");
  }
}

const CURVES: Record<string, { namedCurve: string; bits: "256" | "384" | "512" }> = {
  prime256v1: { namedCurve: "P-256", bits: "256" },
  secp384r1: { namedCurve: "P-384", bits: "384" },
  secp521r1: { namedCurve: "P-521", bits: "512" },
};

interface SigningAlgorithm {
  name: string;
  hash: string;
  namedCurve?: string;
}

function algorithmOf(key: KeyObject): {
  algorithm: SigningAlgorithm;
  hash: ToBeSigned["hash"];
} {
  if (key.asymmetricKeyType === "rsa") {
    return { algorithm: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, hash: "sha256" };
  }
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (key.asymmetricKeyType === "ec" && curve !== undefined) {
    const { namedCurve, bits } = curve;
    return {
      algorithm: { name: "ECDSA", namedCurve, hash: `SHA-${bits}` },
      hash: `sha${bits}`,
    };
  }
  throw new Error(
    "a CA key of a kind that cannot sign the proof here (EC P-256, P-384, P-521 and RSA can)",
  );
}

/** The signature as Web Crypto writes it. Which encoding was answered is told by what verifies. */
function webSignature(
  key: KeyObject,
  { bytes, hash }: ToBeSigned,
  algorithm: SigningAlgorithm,
  answered: Buffer,
): Uint8Array {
  const text = answered.toString("latin1").trim();
  const candidates = [answered];
  if (/^[A-Za-z0-9+/_\s-]+=*$/.test(text)) candidates.push(Buffer.from(text, "base64"));
  for (const signature of candidates) {
    if (algorithm.name !== "ECDSA") {
      if (verify(hash, bytes, key, signature)) return signature;
    } else if (verify(hash, bytes, { key, dsaEncoding: "ieee-p1363" }, signature)) {
      return signature;
    } else if (verify(hash, bytes, { key, dsaEncoding: "der" }, signature)) {
      const web = new AsnEcSignatureFormatter().toWebSignature(algorithm, signature);
      if (web !== null) return new Uint8Array(web);
    }
  }
  throw new Error(
    `${answered.length} bytes that are not a signature with the CA's key (${algorithm.name} with ${algorithm.hash})`,
  );
}
