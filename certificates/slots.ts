/** Slots resolved to certificates, and the questions that rules ask of them. */
import { signedWithKeyOf } from "./chain";
import type {
  Declared,
  DeclaredCertificate,
  DeclaredGroup,
  DeclaredIndividual,
  KnownCertificate,
  Slot,
  SlotName,
} from "./declared";
import { describe } from "./summary";
import { displayName, foldCase, pathOf } from "./text";

export type EntryKind = "group" | "individual";

/** A filled slot. `certificate` is undefined when the slot names something that is not declared. */
export interface ResolvedSlot {
  name: SlotName;
  /** `enrollmentGroups.sensors.primary.ca` */
  path: string;
  slot: Slot;
  /** Name in `certificates`, undefined when the CA is not declared. */
  certificateName: string | undefined;
  certificate: DeclaredCertificate | undefined;
  /** Equal for equal certificates, whatever they are called. */
  id: string;
  /** For people: the certificate, with the CA's name when the slot refers to a CA. */
  words: string;
}

/** An enrollment entry, of either kind. */
export interface Entry {
  kind: EntryKind;
  /** Registration ID or group ID. */
  id: string;
  path: string;
  /** `entryKey` */
  key: string;
  enabled: boolean;
  /** Stays in DPS when it leaves the configuration. */
  retained: boolean;
  /** Taken over from whoever made it. */
  adopted: boolean;
  slots: ResolvedSlot[];
}

export function entriesOf(declared: Declared): Entry[] {
  return [
    ...Object.entries(declared.enrollmentGroups).map(([id, group]) =>
      entryOf(declared, "group", id, group),
    ),
    ...Object.entries(declared.individualEnrollments).map(([id, individual]) =>
      entryOf(declared, "individual", id, individual),
    ),
  ];
}

/** Equal for what DPS takes for one entry: `group:sensors`. */
export function entryKey(kind: EntryKind, id: string): string {
  return `${kind}:${foldCase(id)}`;
}

/** `enrollmentGroups.<id>` or `individualEnrollments.<id>`. */
export function entryPath(kind: EntryKind, id: string): string {
  return pathOf(kind === "group" ? "enrollmentGroups" : "individualEnrollments", id);
}

function entryOf(
  declared: Declared,
  kind: EntryKind,
  id: string,
  entry: DeclaredGroup | DeclaredIndividual,
): Entry {
  const path = entryPath(kind, id);
  const slots = (["primary", "secondary"] as const).flatMap((name) => {
    const slot = entry[name];
    return slot === undefined ? [] : [resolve(declared, path, name, slot)];
  });
  return {
    kind,
    id,
    path,
    key: entryKey(kind, id),
    enabled: entry.status === "enabled",
    retained: entry.retain === true,
    adopted: entry.adopt === true,
    slots,
  };
}

function resolve(declared: Declared, entry: string, name: SlotName, slot: Slot): ResolvedSlot {
  const isCa = "ca" in slot;
  const certificateName = isCa
    ? own(declared.caCertificates, slot.ca)?.certificate
    : slot.certificate;
  const certificate =
    certificateName === undefined ? undefined : own(declared.certificates, certificateName);
  const words = wordsOf(certificateName, certificate);
  return {
    name,
    path: `${entry}.${name}.${isCa ? "ca" : "certificate"}`,
    slot,
    certificateName,
    certificate,
    id: identity(isCa ? slot.ca : slot.certificate, certificate),
    words: isCa ? `CA \`${displayName(slot.ca)}\`: ${words}` : words,
  };
}

/** Own properties only: a certificate may be called `constructor`. */
export function own<T>(record: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Thumbprint of a known certificate; otherwise something that only equals itself by name. */
export function identity(name: string, certificate: DeclaredCertificate | undefined): string {
  if (certificate === undefined) return `missing:${name}`;
  return certificate.known ? certificate.summary.sha256Thumbprint : `unknown:${name}`;
}

/** A certificate in one line, also when it does not exist yet. */
export function wordsOf(
  name: string | undefined,
  certificate: DeclaredCertificate | undefined,
): string {
  if (certificate === undefined) return name === undefined ? "nothing" : displayName(name);
  if (certificate.known) return describe(certificate.summary);
  return `certificate \`${displayName(name ?? "")}\` (made during up)`;
}

export function isExpired(certificate: DeclaredCertificate | undefined, now: Date): boolean {
  return certificate?.known === true && new Date(certificate.summary.notAfter) <= now;
}

export function isNotYetValid(certificate: DeclaredCertificate | undefined, now: Date): boolean {
  return certificate?.known === true && new Date(certificate.summary.notBefore) > now;
}

/** Certificates of a configuration whose bytes are known, by name. */
export function knownCertificates(declared: Declared): [string, KnownCertificate][] {
  return Object.entries(declared.certificates).flatMap(([name, certificate]) =>
    certificate.known ? [[name, certificate] as [string, KnownCertificate]] : [],
  );
}

/**
 * Whether whoever is admitted by `narrow` is admitted by `wide` as well: it is the same certificate
 * or stands above it. Answers no when the bytes are not known.
 */
export function covers(
  wide: ResolvedSlot,
  narrow: ResolvedSlot,
  among: KnownCertificate[],
): boolean {
  if (wide.id === narrow.id) return true;
  if (wide.certificate?.known !== true || narrow.certificate?.known !== true) return false;
  return isAbove(wide.certificate, narrow.certificate, among);
}

/** Whether `upper` signed `lower`, directly or through others of `among`. */
export function isAbove(
  upper: KnownCertificate,
  lower: KnownCertificate,
  among: KnownCertificate[],
): boolean {
  const seen = new Set<string>();
  const below = [lower];
  for (let next = below.pop(); next !== undefined; next = below.pop()) {
    const { pem } = next;
    if (seen.has(pem)) continue;
    seen.add(pem);
    if (pem !== upper.pem && upper.summary.isCa && signedWithKeyOf(upper.pem, pem)) return true;
    below.push(
      ...among.filter(
        (each) => each.summary.isCa && !seen.has(each.pem) && signedWithKeyOf(each.pem, pem),
      ),
    );
  }
  return false;
}
