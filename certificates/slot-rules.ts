/** What is wrong with the slots of one configuration, whatever was there before. */
import { chainTo, issues } from "./chain";
import type { Declared, DeclaredCertificate, KnownCertificate } from "./declared";
import { fault, type Fault } from "./faults";
import { isExpired, isNotYetValid, knownCertificates, own, wordsOf } from "./slots";
import type { Entry, ResolvedSlot } from "./slots";
import { displayName, foldCase, pathOf } from "./text";

/** Slots that were filled before the change, by identity; their certificates are not new. */
export type OldSlots = ReadonlySet<string>;

export function slotFaults(
  before: Declared | undefined,
  after: Declared,
  entry: Entry,
  old: OldSlots,
  now: Date,
): Fault[] {
  const faults = [
    ...pairFaults(entry),
    ...entry.slots.flatMap((slot) => kindFaults(after, entry, slot)),
  ];
  // A disabled entry admits nobody: it may hold what is expired or no longer chains.
  if (!entry.enabled) return faults;
  faults.push(...entry.slots.flatMap((slot) => dateFaults(entry, slot, old, now)));
  if (entry.kind === "group") {
    faults.push(...entry.slots.flatMap((slot) => anchorFaults(before, after, slot)));
  }
  return faults;
}

function pairFaults(entry: Entry): Fault[] {
  const [first, second] = entry.slots;
  if (first === undefined) {
    if (!entry.enabled) return [];
    return [
      fault(
        "DPS-CERT-040",
        entry.path,
        "an enabled entry without a certificate in either slot",
        "fill the primary or the secondary slot, or set the status to disabled",
      ),
    ];
  }
  if (second === undefined) return [];
  if ("ca" in first.slot !== "ca" in second.slot) {
    return [
      fault(
        "DPS-CERT-047",
        entry.path,
        "a CA reference in one slot and a signing certificate in the other",
        "fill both slots with CA references, or both with signing certificates",
      ),
    ];
  }
  if (first.id !== second.id || first.certificate === undefined) return [];
  return [
    fault(
      "DPS-CERT-041",
      second.path,
      `the same certificate as in the primary slot: ${second.words}`,
      "leave one slot empty until the next certificate is there",
    ),
  ];
}

function kindFaults(after: Declared, entry: Entry, slot: ResolvedSlot): Fault[] {
  const { certificate, path } = slot;
  if (certificate === undefined || "ca" in slot.slot) return [];
  if (entry.kind === "group") return leafFaults(slot.certificateName, certificate, path);
  const faults: Fault[] = [];
  const name = certificate.known ? certificate.summary.subjectCommonName : certificate.commonName;
  // Not known: whether DPS compares the two with case. IDs are compared without, so this does too.
  if (name !== undefined && foldCase(name) !== foldCase(entry.id)) {
    faults.push(
      fault(
        "DPS-CERT-045",
        path,
        `the common name ${displayName(name)}: ${slot.words}`,
        `use a certificate whose common name is the registration ID ${displayName(entry.id)}`,
      ),
    );
  }
  if (certificate.known ? certificate.summary.isCa : certificate.isCa === true) {
    faults.push(
      fault(
        "DPS-CERT-044",
        path,
        `a CA certificate: ${slot.words}`,
        "issue the leaf with basicConstraints CA:FALSE",
      ),
    );
  }
  faults.push(...outlivesIssuer(after, slot));
  return faults;
}

/** A certificate that has to be a CA and is not. */
export function leafFaults(
  name: string | undefined,
  certificate: DeclaredCertificate,
  path: string,
): Fault[] {
  const isCa = certificate.known ? certificate.summary.isCa : certificate.isCa !== false;
  if (isCa) return [];
  return [
    fault(
      "DPS-CERT-043",
      path,
      `a leaf: ${wordsOf(name, certificate)}`,
      "use the CA certificate that issued it (basicConstraints CA:TRUE)",
    ),
  ];
}

function outlivesIssuer(after: Declared, slot: ResolvedSlot): Fault[] {
  const leaf = slot.certificate;
  if (leaf?.known !== true || leaf.summary.selfSigned) return [];
  const issuers = knownCertificates(after)
    .map(([, each]) => each)
    .filter((each) => each.summary.isCa && issues(each.pem, leaf.pem));
  // Of a renewed issuer the certificate that is valid longest counts.
  const last = issuers
    .map((each) => each.summary.notAfter)
    .sort()
    .at(-1);
  if (last === undefined || new Date(leaf.summary.notAfter) <= new Date(last)) return [];
  return [
    fault(
      "DPS-CERT-054",
      slot.path,
      `a leaf whose issuer ends earlier, on ${last.slice(0, 10)}: ${slot.words}`,
      "issue the leaf for no longer than its issuer, or renew the issuer",
    ),
  ];
}

function dateFaults(entry: Entry, slot: ResolvedSlot, old: OldSlots, now: Date): Fault[] {
  if (isExpired(slot.certificate, now)) {
    if (!old.has(slot.id)) {
      return [
        fault(
          "DPS-CERT-042",
          slot.path,
          `a new certificate that is already expired: ${slot.words}`,
          "use a certificate that is valid now",
        ),
      ];
    }
    const alone = entry.slots.length === 1;
    return [
      fault(
        "DPS-CERT-050",
        slot.path,
        `an expired certificate: ${slot.words}`,
        alone ? "put a valid certificate in the other slot" : "remove it, so that the slot is free",
      ),
    ];
  }
  if (!isNotYetValid(slot.certificate, now)) return [];
  const admits = entry.slots.some(
    (each) => !isExpired(each.certificate, now) && !isNotYetValid(each.certificate, now),
  );
  return [
    fault(
      "DPS-CERT-049",
      slot.path,
      `a certificate that is not valid yet${admits ? "" : ", and no other that is"}: ${slot.words}`,
      "wait for its first day, or waive this with a reason",
    ),
  ];
}

/** A signing certificate has to reach a CA certificate that the service verifies. */
export function anchorFaults(
  before: Declared | undefined,
  after: Declared,
  slot: ResolvedSlot,
): Fault[] {
  const { certificate } = slot;
  if (certificate === undefined || "ca" in slot.slot) return [];
  if (!certificate.known) {
    return leadsToCa(after, slot.slot.certificate) ? [] : [unanchored(after, slot)];
  }
  const names = Object.values(after.caCertificates).map((ca) => ca.certificate);
  const anchors = names.map((name) => own(after.certificates, name));
  // A CA that is made during up may be the one; then this is judged once it is known.
  if (anchors.some((anchor) => anchor?.known === false)) return [];
  if (reaches(after, certificate)) return [];
  if (before !== undefined && reaches(before, certificate)) {
    return [
      fault(
        "DPS-CERT-051",
        slot.path,
        `a signing certificate whose chain ends at a CA that this change removes: ${slot.words}`,
        "replace the signing certificate first, or keep the CA",
      ),
    ];
  }
  return [unanchored(after, slot)];
}

function unanchored(after: Declared, slot: ResolvedSlot): Fault {
  const cas = Object.keys(after.caCertificates).map((name) => `\`${displayName(name)}\``);
  return fault(
    "DPS-CERT-046",
    slot.path,
    `a signing certificate that chains to no CA of this configuration: ${slot.words}`,
    cas.length === 0
      ? "declare its root in caCertificates"
      : `declare its root in caCertificates (there: ${cas.join(", ")}), and any certificate between the two in certificates`,
  );
}

function reaches(declared: Declared, certificate: KnownCertificate): boolean {
  const anchors = Object.values(declared.caCertificates).flatMap((ca) => {
    const anchor = own(declared.certificates, ca.certificate);
    return anchor?.known === true ? [anchor.pem] : [];
  });
  const between = knownCertificates(declared).map(([, each]) => each.pem);
  return chainTo(certificate.pem, anchors, between) !== undefined;
}

/* By name, because there is nothing yet to verify. */
function leadsToCa(after: Declared, name: string): boolean {
  const anchors = new Set(Object.values(after.caCertificates).map((ca) => ca.certificate));
  const seen = new Set<string>();
  for (let at: string | undefined = name; at !== undefined && !seen.has(at);) {
    if (anchors.has(at)) return true;
    seen.add(at);
    const certificate: DeclaredCertificate | undefined = own(after.certificates, at);
    // A known issuer above an unknown certificate: its own chain decides.
    if (certificate?.known === true) return reaches(after, certificate);
    at = certificate?.issuer;
  }
  return false;
}

export function caEntryFaults(after: Declared): Fault[] {
  return Object.entries(after.caCertificates).flatMap(([name, ca]) => {
    const path = pathOf("caCertificates", name);
    const certificate = own(after.certificates, ca.certificate);
    const faults =
      certificate === undefined
        ? []
        : leafFaults(ca.certificate, certificate, `${path}.certificate`);
    if (ca.selfAttested === true) {
      faults.push(
        fault(
          "DPS-CERT-053",
          `${path}.proof`,
          "a CA that is verified on this configuration's word alone",
          "declare it under another name with a proof of possession (keyFile, command or offline), and point the groups at that one",
        ),
      );
    }
    return faults;
  });
}

/** Two enrollments that lead to one hub identity. */
export function deviceIdFaults(after: Declared): Fault[] {
  const seen = new Map<string, string>();
  return Object.entries(after.individualEnrollments).flatMap(([id, entry]) => {
    // Not folded: device IDs of a hub are compared with case.
    const deviceId = entry.deviceId ?? id;
    const first = seen.get(deviceId);
    seen.set(deviceId, first ?? id);
    if (first === undefined) return [];
    return [
      fault(
        "DPS-CERT-056",
        pathOf("individualEnrollments", id),
        `the device ID ${displayName(deviceId)}, which ${displayName(first)} has as well`,
        "give each enrollment a device ID of its own",
      ),
    ];
  });
}
