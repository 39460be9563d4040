/** A certificate as attestation looks at it: signatures and dates by OpenSSL, extensions by ASN.1. */
import { createHash, type KeyObject, type X509Certificate } from "node:crypto";
import { dateOf, decoded } from "../../common/peer-chain";
import {
  certificateParts,
  readBasicConstraints,
  readExtendedKeyUsage,
  readsAsKeyCertSign,
} from "./certificate-parts";

/** Critical extensions that are judged, or that say nothing about a chain (RFC 5280 4.2.1). */
const UNDERSTOOD_EXTENSIONS = new Set([
  "2.5.29.14", // subject key identifier
  "2.5.29.15", // key usage
  "2.5.29.17", // subject alternative name: DPS reads the CN
  "2.5.29.18", // issuer alternative name
  "2.5.29.19", // basic constraints
  "2.5.29.31", // CRL distribution points: DPS is not known to fetch them
  "2.5.29.32", // certificate policies
  "2.5.29.35", // authority key identifier
  "2.5.29.37", // extended key usage
]);

const KEY_USAGE = "2.5.29.15";
const BASIC_CONSTRAINTS = "2.5.29.19";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2";
const ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";
/** RFC 5280 4.2.1.10. They are not evaluated here: see the switch criticalNameConstraints. */
export const NAME_CONSTRAINTS = "2.5.29.30";
/** md2, md4, md5 and sha1 with RSA (RFC 8017 A.2.4), ecdsa-with-SHA1 (RFC 3279 2.2.3). */
const WEAK_SIGNATURES = new Set([
  "1.2.840.113549.1.1.2",
  "1.2.840.113549.1.1.3",
  "1.2.840.113549.1.1.4",
  "1.2.840.113549.1.1.5",
  "1.2.840.10045.4.1",
]);

/** One certificate of a chain. */
export interface ChainCertificate {
  der: Buffer;
  /** See `thumbprintOf`. */
  thumbprint: string;
  x509: X509Certificate;
  /** All common names of the subject, in the order of the certificate. */
  commonNames: string[];
  notBefore: Date;
  notAfter: Date;
  isCa: boolean;
  /** How many CA certificates may stand below this one; undefined: any number. */
  pathLength: number | undefined;
  /** Key usage allows signing certificates, or there is no such extension. */
  maySign: boolean;
  /** Extended key usage allows TLS client authentication, or there is no such extension. */
  mayAuthenticateClients: boolean;
  /** Signed with MD5 or SHA-1. */
  weaklySigned: boolean;
  /** Critical extensions that this code cannot judge, by OID. */
  unknownCritical: string[];
  /** Subject and issuer are the same name (RFC 5280 3.2). */
  selfIssued: boolean;
}

/** Certificates that were read last, by thumbprint; the longest unused one first. */
const known = new Map<string, ChainCertificate>();
/** CA certificates come with every device and in every search for a chain; leaves pass through. */
const KEPT = 500;

/** Reads a DER certificate, once. Throws when it cannot be read. */
export function readCertificate(der: Buffer): ChainCertificate {
  const name = thumbprintOf(der);
  const certificate = known.get(name) ?? parse(der, name);
  known.delete(name);
  known.set(name, certificate);
  if (known.size > KEPT) {
    const [oldest] = known.keys();
    known.delete(oldest!);
  }
  return certificate;
}

/** Of CA certificates that were uploaded: whoever is below an odd one comes in as if it were not there. */
export function readable(der: Buffer): ChainCertificate[] {
  try {
    return [readCertificate(der)];
  } catch {
    return [];
  }
}

function parse(der: Buffer, name: string): ChainCertificate {
  const x509 = decoded(der);
  const { signatureAlgorithm, commonNames, extensions } = certificateParts(der);
  const extension = <T>(wanted: string, read: (der: Buffer) => T): T | undefined => {
    const found = extensions.find(({ type }) => type === wanted);
    return found && read(found.value);
  };
  const basic = extension(BASIC_CONSTRAINTS, readBasicConstraints);
  const purposes = extension(EXTENDED_KEY_USAGE, readExtendedKeyUsage);
  return {
    der,
    thumbprint: name,
    x509,
    commonNames,
    notBefore: dateOf(x509.validFrom),
    notAfter: dateOf(x509.validTo),
    isCa: basic?.isCa === true,
    pathLength: basic?.pathLength,
    maySign: extension(KEY_USAGE, readsAsKeyCertSign) ?? true,
    mayAuthenticateClients:
      purposes === undefined ||
      purposes.includes(CLIENT_AUTHENTICATION) ||
      purposes.includes(ANY_EXTENDED_KEY_USAGE),
    weaklySigned: WEAK_SIGNATURES.has(signatureAlgorithm),
    unknownCritical: extensions
      .filter(({ critical, type }) => critical && !UNDERSTOOD_EXTENSIONS.has(type))
      .map(({ type }) => type),
    selfIssued: x509.subject === x509.issuer,
  };
}

/** Did `issuer` sign `subject`: names, key identifiers, key usage and the signature itself? */
export function issued(issuer: ChainCertificate, subject: ChainCertificate): boolean {
  const asked = answers.get(issuer) ?? new WeakMap<ChainCertificate, boolean>();
  answers.set(issuer, asked);
  const answer =
    asked.get(subject) ??
    (subject.x509.checkIssued(issuer.x509) && subject.x509.verify(publicKeyOf(issuer)));
  asked.set(subject, answer);
  return answer;
}

/** Two certificates answer it for good, and CA certificates are asked with every device. */
const answers = new WeakMap<ChainCertificate, WeakMap<ChainCertificate, boolean>>();

const publicKeys = new WeakMap<ChainCertificate, KeyObject>();

/** Node decodes the key anew each time it is asked. */
function publicKeyOf(certificate: ChainCertificate): KeyObject {
  const key = publicKeys.get(certificate) ?? certificate.x509.publicKey;
  publicKeys.set(certificate, key);
  return key;
}

/** Same certificate, byte for byte. */
export function same(a: ChainCertificate, b: ChainCertificate): boolean {
  return a === b || a.der.equals(b.der);
}

/** SHA-256 of the DER, upper-case hex: how DPS and IoT Hub name a certificate. */
export function thumbprintOf(der: Buffer): string {
  return createHash("sha256").update(der).digest("hex").toUpperCase();
}
