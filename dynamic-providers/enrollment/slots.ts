/** Slots of an enrollment, as declared and as DPS shows them, brought to one comparable form. */
import {
  type CompromisedKey,
  isReached,
  reachedKeys,
  reachedThumbprints,
} from "../../certificates/compromised-keys";
import type { CertificateSummary } from "../../certificates/summary";
import { displayName, printable } from "../../certificates/text";
import type { Attestation, EnrolledCertificate } from "../../clients/enrollments";
import { hasUnknown } from "../handler";

/** What is declared for one slot: a reference to a CA certificate, or a certificate itself. */
export interface Slot {
  /** Name of a CA certificate of this DPS (enrollment groups only). */
  ca?: string;
  /** PEM of one certificate: a leaf (individual enrollment) or an intermediate (group). */
  pem?: string;
  /** The certificate in readable form; of a CA reference, that of the CA. */
  certificate: CertificateSummary;
}

/** The slots as they are live, in readable form. */
export interface LiveSlot {
  /** Name of the CA certificate that is referred to. */
  ca?: string;
  /** Kind of attestation, when it is not by certificates: it fills the entry in their place. */
  attestation?: string;
  subject?: string;
  issuer?: string;
  /** Upper-case hex. */
  sha1Thumbprint?: string;
  /** Upper-case hex. */
  sha256Thumbprint?: string;
  /** ISO 8601. */
  notBefore?: string;
  /** ISO 8601. */
  notAfter?: string;
}

export interface Slots<S> {
  primary?: S;
  secondary?: S;
}

/** The live slots. With one certificate sent, DPS shows it in both slots: that is one slot here. */
export function liveSlots(attestation: Attestation): Slots<LiveSlot> {
  if (attestation.type !== "x509") {
    return { primary: { attestation: attestation.type } };
  }
  const x509 = attestation.x509 ?? {};
  const references = x509.caReferences;
  const certificates = x509.clientCertificates ?? x509.signingCertificates;
  const primary = references?.primary
    ? { ca: references.primary }
    : liveCertificate(certificates?.primary);
  const secondary = references?.secondary
    ? { ca: references.secondary }
    : liveCertificate(certificates?.secondary);
  const both =
    primary !== undefined && secondary !== undefined && identity(primary) === identity(secondary);
  return {
    ...(primary !== undefined && { primary }),
    ...(secondary !== undefined && !both && { secondary }),
  };
}

function liveCertificate(wire: EnrolledCertificate | undefined): LiveSlot | undefined {
  const info = wire?.info;
  return info === undefined
    ? undefined
    : {
        subject: printable(info.subjectName),
        issuer: printable(info.issuerName),
        sha1Thumbprint: info.sha1Thumbprint.toUpperCase(),
        sha256Thumbprint: info.sha256Thumbprint.toUpperCase(),
        notBefore: new Date(info.notBeforeUtc).toISOString(),
        notAfter: new Date(info.notAfterUtc).toISOString(),
      };
}

/**
 * What is sent to DPS: a certificate that stands alone is sent as the primary, whichever slot it is
 * declared in. Whether DPS takes an entry with only a secondary is not known; this way round it takes
 * it in any case, and one PUT moves it.
 */
export function normalised<S>({ primary, secondary }: Slots<S>): Slots<S> {
  const first = primary ?? secondary;
  return {
    ...(first && { primary: first }),
    ...(primary && secondary && { secondary }),
  };
}

/** Two slots with the same identity admit the same devices. */
export function identity(slot: Slot | LiveSlot | undefined): string {
  if (slot === undefined) {
    return "empty";
  }
  if (slot.ca !== undefined) {
    return `CA certificate ${slot.ca}`;
  }
  if ("attestation" in slot) {
    return `attestation ${String(slot.attestation)}`;
  }
  const thumbprint =
    "certificate" in slot ? slot.certificate.sha256Thumbprint : slot.sha256Thumbprint;
  return `SHA-256 ${thumbprint ?? "unknown"}`;
}

/** Identities of what the slots hold. */
export function identities(slots: Slots<Slot | LiveSlot>): string[] {
  return filled(slots).map(identity);
}

/** What the slots hold, primary first. */
export function filled<S>({ primary, secondary }: Slots<S>): S[] {
  return [primary, secondary].filter((slot) => slot !== undefined);
}

/** One line for a person: what both slots hold. */
export function describeSlots(slots: Slots<Slot | LiveSlot>): string {
  return `primary ${slotWords(slots.primary)}, secondary ${slotWords(slots.secondary)}`;
}

/** What a slot holds, for a person: subject, thumbprint and dates. */
export function slotWords(slot: Slot | LiveSlot | undefined): string {
  if (slot === undefined) {
    return "empty";
  }
  const reference = slot.ca === undefined ? undefined : `CA certificate ${displayName(slot.ca)}`;
  if ("attestation" in slot) {
    return `no certificate but attestation ${displayName(String(slot.attestation))}`;
  }
  if (reference !== undefined && !("certificate" in slot)) {
    return reference;
  }
  const words = certificateWords("certificate" in slot ? slot.certificate : slot);
  return reference === undefined ? words : `${reference}: ${words}`;
}

function certificateWords({ subject, sha256Thumbprint, notBefore, notAfter }: LiveSlot): string {
  const thumbprint = `${sha256Thumbprint?.slice(0, 8) ?? "?"}…`;
  return `${subject ?? "?"} (SHA-256 ${thumbprint}, valid ${day(notBefore)} to ${day(notAfter)})`;
}

function day(time: string | undefined): string {
  return time?.slice(0, 10) ?? "?";
}

/**
 * Is a certificate in the slots shut out with the key? By its own key, or because the compromised key has
 * signed it: also when the configuration does not name it any more.
 */
export function reachesSlots(key: CompromisedKey, slots: Slots<Slot>): boolean {
  const [keys, thumbprints] = [reachedKeys(key), reachedThumbprints(key)];
  return filled(slots).some(
    ({ certificate, pem }) =>
      keys.includes(certificate.publicKeySha256) ||
      thumbprints.includes(certificate.sha256Thumbprint) ||
      (pem !== undefined && !hasUnknown(pem) && isReached(key, Buffer.from(pem))),
  );
}
