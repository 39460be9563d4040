/** CA certificates that are kept in a disabled enrollment group of their own, so that DPS refuses their chains. */
import type { Breaches } from "./compromise";
import type { Declared, DeclaredCertificate } from "./declared";
import { denialGroupId } from "./denial-group";
import { entriesOf, identity, isAbove, knownCertificates, own, type Entry } from "./slots";

export interface HeldCa {
  /** Name in `certificates`. */
  name: string;
  certificate: DeclaredCertificate;
  /** Where it is declared: `denied[0]`, or `certificates.low`. */
  path: string;
  by: "denied" | "compromised";
  reason: string;
  /** ID of the group; undefined while the certificate is not made yet. */
  groupId: string | undefined;
  /** Name of a CA of this DPS by which the group refers to it: a root. Otherwise it holds the certificate. */
  ca?: string;
  /** Enabled groups that would admit its chain otherwise. */
  above: Entry[];
}

/**
 * Denied CA certificates; and compromised ones that a group higher up would still admit. Not those that
 * a declared, disabled group holds already; and not a root that is no CA of this DPS, because nothing
 * chains to it.
 */
export function heldCas(declared: Declared, breaches: Breaches): HeldCa[] {
  const held = Object.entries(declared.certificates).flatMap(([name, certificate]) => {
    if (!isCa(certificate)) return [];
    const above = groupsAbove(declared, name, breaches);
    const shut = shutBy(declared, name, certificate, breaches);
    if (shut === undefined || (shut.by === "compromised" && above.length === 0)) return [];
    const ca = isRoot(certificate) ? caOf(declared, name, certificate) : undefined;
    if (isRoot(certificate) && ca === undefined) return [];
    return [
      {
        name,
        certificate,
        path: shut.path,
        by: shut.by,
        reason: shut.reason,
        groupId: certificate.known ? denialGroupId(certificate.summary) : undefined,
        ...(ca !== undefined && { ca }),
        above,
      },
    ];
  });
  const disabled = entriesOf(declared).filter(({ kind, enabled }) => kind === "group" && !enabled);
  return held.filter(
    (one, index) =>
      !disabled.some(({ slots }) =>
        slots.some(({ id }) => id === identity(one.name, one.certificate)),
      ) &&
      held.findIndex(
        (each) => identity(each.name, each.certificate) === identity(one.name, one.certificate),
      ) === index,
  );
}

function shutBy(
  declared: Declared,
  name: string,
  certificate: DeclaredCertificate,
  breaches: Breaches,
): { by: "denied" | "compromised"; path: string; reason: string } | undefined {
  const names = (entry: object): boolean =>
    "certificate" in entry && typeof entry.certificate === "string" && entry.certificate === name;
  const index = declared.denied.findIndex(names);
  const denied = declared.denied[index];
  if (denied !== undefined) {
    return { by: "denied", path: `denied[${index}]`, reason: denied.reason };
  }
  const breach = breaches.of(name, certificate);
  const named = declared.compromised.findIndex(names);
  const byKey = breach?.by === "key" && breach.declared;
  // What the stack makes is not known to the program, but its name is.
  if (!byKey && (certificate.known || named === -1)) return undefined;
  const at = declared.compromised[named] ?? declared.compromised[0];
  return {
    by: "compromised",
    path: `compromised[${Math.max(named, 0)}]`,
    reason: at?.reason ?? breach?.words ?? "",
  };
}

/** Enabled groups with a certificate above this one that no breach reaches. */
function groupsAbove(declared: Declared, name: string, breaches: Breaches): Entry[] {
  const among = knownCertificates(declared).map(([, certificate]) => certificate);
  const lower = own(declared.certificates, name);
  const issuers = issuersByName(declared, name);
  return entriesOf(declared).filter(
    (group) =>
      group.kind === "group" &&
      group.enabled &&
      group.slots.some(({ certificateName = "", certificate }) => {
        if (certificate === undefined || breaches.of(certificateName, certificate) !== undefined) {
          return false;
        }
        if (isNamedCompromised(declared, certificateName)) return false;
        return certificate.known && lower?.known === true
          ? isAbove(certificate, lower, among)
          : issuers.includes(certificateName);
      }),
  );
}

function isNamedCompromised({ compromised }: Declared, name: string): boolean {
  return compromised.some((entry) => "certificate" in entry && entry.certificate === name);
}

/** Names of those above a certificate that the stack makes. */
function issuersByName(declared: Declared, name: string): string[] {
  const above: string[] = [];
  for (let at = name; ;) {
    const certificate = own(declared.certificates, at);
    const issuer = certificate?.known === false ? certificate.issuer : undefined;
    if (issuer === undefined || above.includes(issuer)) return above;
    above.push(issuer);
    at = issuer;
  }
}

function caOf(
  declared: Declared,
  name: string,
  certificate: DeclaredCertificate,
): string | undefined {
  const id = identity(name, certificate);
  return Object.entries(declared.caCertificates).find(
    ([, ca]) => identity(ca.certificate, own(declared.certificates, ca.certificate)) === id,
  )?.[0];
}

export function isCa(certificate: DeclaredCertificate | undefined): boolean {
  return certificate?.known === true ? certificate.summary.isCa : certificate?.isCa === true;
}

function isRoot(certificate: DeclaredCertificate): boolean {
  return certificate.known ? certificate.summary.selfSigned : certificate.issuer === undefined;
}
