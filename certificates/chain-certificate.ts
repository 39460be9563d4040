/** A certificate as a chain is judged by it (RFC 5280 section 6.1). */
import "reflect-metadata";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
} from "@peculiar/x509";
import { type CertificateSummary, summarize } from "./summary";

export interface ChainCertificate {
  /** SHA-256 of the DER, upper-case hex. */
  id: string;
  pem: string;
  summary: CertificateSummary;
  /** How many CA certificates may stand below it; undefined: any number. */
  pathLength: number | undefined;
  /** Key usage lets it sign certificates, or says nothing. */
  maySign: boolean;
  /** Extended key usage lets it authenticate a TLS client, or says nothing. */
  forClients: boolean;
  /** Signed with SHA-1 or MD5. */
  weaklySigned: boolean;
  /** OIDs of critical extensions that cannot be judged here. */
  notUnderstood: string[];
  /** Subject and issuer are the same name. */
  selfIssued: boolean;
}

/** Name constraints (RFC 5280 section 4.2.1.10): they are not evaluated. */
export const NAME_CONSTRAINTS = "2.5.29.30";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const ANY_USE = "2.5.29.37.0";
const SHA1_OR_MD5 = /SHA-?1\b|MD[245]|^1\.2\.840\.113549\.1\.1\.[2345]$/i;

/** Extensions that may be critical: they are judged, or say nothing about a chain (RFC 5280 section 4.2.1). */
const UNDERSTOOD: ReadonlySet<string> = new Set(
  [14, 15, 17, 18, 19, 31, 32, 35, 37].map((last) => `2.5.29.${last}`),
);

/** Throws when `pem` is not a certificate. */
export function chainCertificate(pem: string): ChainCertificate {
  const decoded = new X509Certificate(pem);
  const summary = summarize(pem);
  const usage = decoded.getExtension(KeyUsagesExtension)?.usages;
  const purposes = decoded.getExtension(ExtendedKeyUsageExtension)?.usages.map(String);
  return {
    id: summary.sha256Thumbprint,
    pem,
    summary,
    pathLength: decoded.getExtension(BasicConstraintsExtension)?.pathLength,
    maySign: usage === undefined || (usage & KeyUsageFlags.keyCertSign) !== 0,
    forClients: purposes?.some((one) => one === CLIENT_AUTH || one === ANY_USE) ?? true,
    weaklySigned: SHA1_OR_MD5.test(summary.signatureAlgorithm),
    notUnderstood: decoded.extensions.flatMap(({ critical, type }) =>
      critical && !UNDERSTOOD.has(type) ? [type] : [],
    ),
    selfIssued: decoded.subjectName.toString() === decoded.issuerName.toString(),
  };
}
