/** The certificate with which a CA proves to DPS that its key is at hand. */
import "reflect-metadata";
import {
  createPrivateKey,
  randomBytes,
  webcrypto,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { X509Certificate as Asn1Certificate, X509CertificateGenerator } from "@peculiar/x509";

/**
 * Signs the verification certificate: common name = the verification code, issued by the CA
 * (https://learn.microsoft.com/azure/iot-dps/how-to-verify-certificates). It is valid as long as
 * the CA itself, so that no clock is asked. Answers PEM. Throws, without showing the key, when the
 * key does not belong to the CA or is of a kind that cannot sign here (EC and RSA can).
 */
export async function issueProofOfPossession(
  verificationCode: string,
  caPem: string,
  caKeyPem: string,
): Promise<string> {
  const ca = new X509Certificate(caPem);
  const key = readKey(caKeyPem);
  if (!ca.checkPrivateKey(key)) {
    throw new Error("the private key given as proof does not belong to the CA certificate");
  }
  const signingAlgorithm = algorithmOf(key);
  const signingKey = await webcrypto.subtle.importKey(
    "pkcs8",
    key.export({ type: "pkcs8", format: "der" }),
    signingAlgorithm,
    false,
    ["sign"],
  );
  // Nobody uses this certificate's own key: only the CA's signature over the code is looked at.
  const own = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, [
    "sign",
    "verify",
  ]);
  const issuer = new Asn1Certificate(ca.raw);
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [verificationCode] }],
    issuer: issuer.subjectName.toJSON(),
    notBefore: issuer.notBefore,
    notAfter: issuer.notAfter,
    // Positive and at most 20 octets (RFC 5280 section 4.1.2.2).
    serialNumber: `4${randomBytes(15).toString("hex")}0`,
    publicKey: own.publicKey,
    signingKey,
    signingAlgorithm,
  });
  return `${certificate.toString("pem")}\n`;
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's reason is left out: it may describe the content of the key.
    throw new Error(
      "what is given as proof is not an unencrypted private key in PEM (its content is not shown)",
    );
  }
}

const CURVES: Record<string, { namedCurve: string; hash: string }> = {
  prime256v1: { namedCurve: "P-256", hash: "SHA-256" },
  secp384r1: { namedCurve: "P-384", hash: "SHA-384" },
  secp521r1: { namedCurve: "P-521", hash: "SHA-512" },
};

function algorithmOf(key: KeyObject) {
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (key.asymmetricKeyType === "ec" && curve !== undefined) return { name: "ECDSA", ...curve };
  throw new Error(
    "a key of this kind cannot sign the proof here: EC P-256, P-384, P-521 and RSA can",
  );
}
