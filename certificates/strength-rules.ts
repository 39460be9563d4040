/** Keys and signatures that are too weak to be relied on (NIST SP 800-57, SP 800-131A). */
import type { Declared, KnownCertificate } from "./declared";
import { fault, type Fault } from "./faults";
import { identity, own, wordsOf } from "./slots";
import type { Entry } from "./slots";
import { pathOf } from "./text";

/* RFC 8017 and RFC 5758 object identifiers, for algorithms that are only known by them. */
const BROKEN_SIGNATURES: Record<string, string> = {
  "1.2.840.113549.1.1.2": "RSA MD2",
  "1.2.840.113549.1.1.4": "RSA MD5",
  "1.2.840.113549.1.1.5": "RSA SHA-1",
  "1.2.840.10045.4.1": "ECDSA SHA-1",
  "1.2.840.10040.4.3": "DSA SHA-1",
};

/**
 * Of what this change brings in: CA certificates of the service, and what is in the slots of enabled
 * entries. A reference to a CA is judged at the CA. `old` tells what was there before by identity.
 */
export function strengthFaults(
  before: Declared | undefined,
  after: Declared,
  entries: Entry[],
  oldEntries: Entry[],
): Fault[] {
  const oldCas = new Set(
    Object.values(before?.caCertificates ?? {}).map((ca) =>
      identity(ca.certificate, own(before?.certificates ?? {}, ca.certificate)),
    ),
  );
  const ofCas = Object.entries(after.caCertificates).flatMap(([name, ca]) => {
    const certificate = own(after.certificates, ca.certificate);
    if (certificate?.known !== true || oldCas.has(identity(ca.certificate, certificate))) return [];
    const path = pathOf("caCertificates", name, "certificate");
    return weak(certificate, path, wordsOf(ca.certificate, certificate));
  });
  const ofSlots = entries.flatMap((entry) => {
    if (!entry.enabled) return [];
    const old = oldEntries.find(({ key }) => key === entry.key)?.slots ?? [];
    return entry.slots.flatMap(({ id, path, slot, certificate, words }) =>
      "ca" in slot || certificate?.known !== true || old.some((each) => each.id === id)
        ? []
        : weak(certificate, path, words),
    );
  });
  return [...ofCas, ...ofSlots];
}

function weak({ summary }: KnownCertificate, path: string, words: string): Fault[] {
  const { keyType, signatureAlgorithm, selfSigned, isCa } = summary;
  const faults: Fault[] = [];
  if (isWeakKey(keyType)) {
    faults.push(
      fault(
        "DPS-CERT-059",
        path,
        `a certificate with a weak key (${keyType}): ${words}`,
        "use an RSA key of 2048 bits or more, or an EC key on P-256 or a larger curve",
      ),
    );
  }
  // A trust anchor is trusted as it is: nobody relies on its signature of itself.
  const isAnchor = selfSigned && isCa;
  const broken = BROKEN_SIGNATURES[signatureAlgorithm] ?? signatureAlgorithm;
  if (!isAnchor && /SHA-1$|MD5$|MD2$/.test(broken)) {
    faults.push(
      fault(
        "DPS-CERT-060",
        path,
        `a certificate with a weak signature (${broken}): ${words}`,
        "have it issued again, signed with SHA-256 or better",
      ),
    );
  }
  return faults;
}

function isWeakKey(keyType: string): boolean {
  const [kind, size = ""] = keyType.split(" ");
  if (kind === "RSA" || kind === "RSA-PSS") return Number(size) < 2048;
  if (kind === "EC") {
    // P-256, secp224r1, brainpoolP384r1: the digits are the bits. A curve without any is not known.
    const bits = /\d{3}/.exec(keyType.slice(3))?.[0];
    return bits === undefined || Number(bits) < 256;
  }
  return kind !== "Ed25519" && kind !== "Ed448";
}
