/** What is declared compromised, as keys: the form in which live entries and hubs are searched. */
import { allKnown, Breaches } from "./compromise";
import type { Compromised, Declared, KnownCertificate } from "./declared";
import { signedWithKeyOf } from "./chain";
import { comparableName } from "./distinguished-name";
import { own } from "./slots";
import { summarize } from "./summary";

/** Plain JSON. */
export interface CompromisedKey {
  /** As the configuration names it: a name in `certificates`, or a thumbprint. */
  name: string;
  /**
   * Identifies the key: SHA-256 of SubjectPublicKeyInfo, upper-case hex; or `thumbprint:<hex>` of a
   * certificate that is not declared, so that only that one certificate can be found.
   */
  key: string;
  /** Subject of the certificate, or its thumbprint when that is all that is known. */
  subject: string;
  reason: string;
  /** Common names of leaves with this key: the registration IDs under which they could come in. */
  registrationIds: string[];
  /** SHA-1 and SHA-256 thumbprints, upper-case hex, of every declared certificate with this key. */
  thumbprints: string[];
  /** PEM of a certificate with the key, where one is known. */
  pem?: string;
  /** Declared certificates with other keys that were issued below a CA with this key. */
  below?: IssuedBelow[];
  /**
   * Thumbprints of declared certificates that look like its own, or like issued below it, and are not: they
   * have the same subject with another key, or an issuer of the same name that did not sign with this key.
   */
  spared?: string[];
}

export interface IssuedBelow {
  /** SHA-256 of SubjectPublicKeyInfo, upper-case hex. */
  key: string;
  subject: string;
  /** SHA-1 and SHA-256, upper-case hex. */
  thumbprints: string[];
  /** A declared certificate with this key was not issued below it (cross-signed twin): the key tells nothing. */
  stands?: true;
}

/** The keys that are shut out with it: its own, and those of what was issued below it and nowhere else. */
export function reachedKeys({ key, below = [] }: CompromisedKey): string[] {
  return [key, ...below.filter(({ stands }) => stands !== true).map((one) => one.key)];
}

/** Also those of which a cross-signed twin stands: what has one of these may be shut out. */
export function perhapsReachedKeys({ key, below = [] }: CompromisedKey): string[] {
  return [key, ...below.map((one) => one.key)];
}

/** Whether a certificate of whom only the bytes are at hand has the key, or was issued with it. */
export function isReached({ key, pem }: CompromisedKey, bytes: Buffer): boolean {
  return (
    summarize(bytes).publicKeySha256 === key ||
    (pem !== undefined && summarize(pem).isCa && signedWithKeyOf(pem, bytes))
  );
}

/** Thumbprints of every certificate that is shut out with the key. */
export function reachedThumbprints({ thumbprints, below = [] }: CompromisedKey): string[] {
  return [...thumbprints, ...below.flatMap((one) => one.thumbprints)];
}

/**
 * One for each entry of `compromised`, in its order. Certificates that are not known yet are passed
 * over: a key that is made in this very update cannot be compromised.
 */
export function compromisedKeys(declared: Declared): CompromisedKey[] {
  const known = allKnown(undefined, declared);
  return declared.compromised.flatMap((entry): CompromisedKey[] => {
    const name = "thumbprint" in entry ? entry.thumbprint : entry.certificate;
    const wanted = "thumbprint" in entry ? normalise(entry.thumbprint) : undefined;
    const named =
      "certificate" in entry ? own(declared.certificates, entry.certificate) : undefined;
    const certificate =
      wanted === undefined
        ? named?.known === true
          ? named
          : undefined
        : known.find(({ summary }) =>
            [summary.sha1Thumbprint, summary.sha256Thumbprint].includes(wanted),
          );
    if (certificate === undefined) {
      return wanted === undefined
        ? []
        : [
            {
              name,
              key: `thumbprint:${wanted}`,
              subject: `certificate ${wanted}`,
              reason: entry.reason,
              registrationIds: [],
              thumbprints: [wanted],
            },
          ];
    }
    const key = certificate.summary.publicKeySha256;
    const twins = known.filter(({ summary }) => summary.publicKeySha256 === key);
    const below = issuedBelow(declared, entry, known);
    return [
      {
        name,
        key,
        subject: certificate.summary.subject,
        reason: entry.reason,
        registrationIds: [
          ...new Set(
            twins
              .filter(({ summary }) => !summary.isCa)
              .map(({ summary }) => summary.subjectCommonName),
          ),
        ].sort(),
        thumbprints: [
          ...new Set(
            twins.flatMap(({ summary }) => [summary.sha1Thumbprint, summary.sha256Thumbprint]),
          ),
        ].sort(),
        pem: certificate.pem,
        below: below.map(({ summary }) => ({
          key: summary.publicKeySha256,
          subject: summary.subject,
          thumbprints: [summary.sha1Thumbprint, summary.sha256Thumbprint],
          ...(known.some(
            (twin) =>
              twin.summary.publicKeySha256 === summary.publicKeySha256 && !below.includes(twin),
          ) && { stands: true as const }),
        })),
        spared: lookAlikes([...twins, ...below], known),
      },
    ];
  });
}

function issuedBelow(
  declared: Declared,
  entry: Compromised,
  known: KnownCertificate[],
): KnownCertificate[] {
  const breaches = new Breaches(undefined, { ...declared, compromised: [entry] });
  return known.filter((certificate) => breaches.of("", certificate)?.by === "issuer");
}

function lookAlikes(reached: KnownCertificate[], known: KnownCertificate[]): string[] {
  const names = new Set(
    reached
      .filter(({ summary }) => summary.isCa)
      .map(({ summary }) => comparableName(summary.subject)),
  );
  return known
    .filter((certificate) => !reached.includes(certificate))
    .filter(({ summary }) =>
      [summary.subject, summary.issuer].some((name) => names.has(comparableName(name))),
    )
    .flatMap(({ summary }) => [summary.sha1Thumbprint, summary.sha256Thumbprint])
    .sort();
}

function normalise(thumbprint: string): string {
  return thumbprint.replace(/[^0-9A-Fa-f]/g, "").toUpperCase();
}
