/** A certificate as attestation looks at it: signatures by OpenSSL, extensions by ASN.1. */
import "reflect-metadata";
import { createHash, X509Certificate, type KeyObject } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as ParsedCertificate,
} from "@peculiar/x509";

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

const ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";
/** RFC 5280 4.2.1.10. They are not evaluated here: see the switch criticalNameConstraints. */
export const NAME_CONSTRAINTS = "2.5.29.30";
/** SHA-1, and md2/md4/md5WithRSAEncryption (RFC 8017 A.2.4), for which the parser has no words. */
const WEAK_SIGNATURE = /^SHA-1$|^1\.2\.840\.113549\.1\.1\.[234]$/;

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

function parse(der: Buffer, name: string): ChainCertificate {
  const x509 = new X509Certificate(der);
  const parsed = new ParsedCertificate(der);
  const basic = parsed.getExtension(BasicConstraintsExtension);
  const usages = parsed.getExtension(KeyUsagesExtension);
  const extended = parsed.getExtension(ExtendedKeyUsageExtension);
  const purposes = extended?.usages.map(String);
  return {
    der,
    thumbprint: name,
    x509,
    commonNames: parsed.subjectName.getField("CN"),
    notBefore: parsed.notBefore,
    notAfter: parsed.notAfter,
    isCa: basic?.ca === true,
    pathLength: basic?.pathLength,
    maySign: usages === null || (usages.usages & KeyUsageFlags.keyCertSign) !== 0,
    mayAuthenticateClients:
      purposes === undefined ||
      purposes.includes(ExtendedKeyUsage.clientAuth) ||
      purposes.includes(ANY_EXTENDED_KEY_USAGE),
    weaklySigned: WEAK_SIGNATURE.test(signatureName(parsed)),
    unknownCritical: parsed.extensions
      .filter(({ critical, type }) => critical && !UNDERSTOOD_EXTENSIONS.has(type))
      .map(({ type }) => type),
    selfIssued: x509.subject === x509.issuer,
  };
}

/** The hash, or the OID of an algorithm that the parser does not know. */
function signatureName({ signatureAlgorithm }: ParsedCertificate): string {
  const { name, hash } = signatureAlgorithm as { name: string; hash?: { name: string } };
  return hash?.name ?? name;
}

/** Did `issuer` sign `subject`: names, key identifiers, key usage and the signature itself? */
export function issued(issuer: ChainCertificate, subject: ChainCertificate): boolean {
  return subject.x509.checkIssued(issuer.x509) && subject.x509.verify(publicKeyOf(issuer));
}

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
