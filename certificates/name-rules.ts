/** Names: everything that is referred to is declared, and no two names mean one thing. */
import type { Declared } from "./declared";
import { fault, type Fault } from "./faults";
import { own, type Entry } from "./slots";
import { displayName, foldCase, listed, nearest, pathOf } from "./text";

export function nameFaults(
  before: Declared | undefined,
  after: Declared,
  entries: Entry[],
): Fault[] {
  return [
    ...Object.entries(after.caCertificates).flatMap(([name, ca]) =>
      certificateFaults(after, ca.certificate, `${pathOf("caCertificates", name)}.certificate`),
    ),
    ...entries.flatMap((entry) =>
      entry.slots.flatMap(({ slot, path }) =>
        "ca" in slot
          ? caFaults(before, after, slot.ca, path)
          : certificateFaults(after, slot.certificate, path),
      ),
    ),
    ...(["compromised", "denied"] as const).flatMap((list) =>
      after[list].flatMap((each, index) =>
        "certificate" in each
          ? certificateFaults(after, each.certificate, `${list}[${index}].certificate`)
          : [],
      ),
    ),
    ...sameButForCase("individualEnrollments", Object.keys(after.individualEnrollments)),
    ...sameButForCase("enrollmentGroups", Object.keys(after.enrollmentGroups)),
    ...deniedAndEnrolled(after),
  ];
}

function certificateFaults(after: Declared, name: string, path: string): Fault[] {
  if (own(after.certificates, name) !== undefined) return [];
  const known = Object.keys(after.certificates);
  return [
    fault("DPS-CERT-027", path, `the certificate name ${displayName(name)}`, choice(name, known)),
  ];
}

function caFaults(
  before: Declared | undefined,
  after: Declared,
  name: string,
  path: string,
): Fault[] {
  if (own(after.caCertificates, name) !== undefined) return [];
  if (before !== undefined && own(before.caCertificates, name) !== undefined) {
    return [
      fault(
        "DPS-CERT-051",
        path,
        `a reference to CA \`${displayName(name)}\`, which this change removes from caCertificates`,
        "point the group at another CA first, and remove this one in the same or a later change",
      ),
    ];
  }
  const known = Object.keys(after.caCertificates);
  return [fault("DPS-CERT-028", path, `the CA name ${displayName(name)}`, choice(name, known))];
}

/** What to write instead of a name that is not known. */
export function choice(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return `did you mean ${displayName(near)}? Known: ${names(known)}`;
  return known.length === 0 ? "none is declared; declare it first" : `use one of ${names(known)}`;
}

function names(known: readonly string[]): string {
  return listed(known.map(displayName));
}

function sameButForCase(section: string, ids: string[]): Fault[] {
  const seen = new Map<string, string>();
  return ids.flatMap((id) => {
    const first = seen.get(foldCase(id));
    seen.set(foldCase(id), first ?? id);
    if (first === undefined) return [];
    return [
      fault(
        "DPS-CERT-026",
        pathOf(section, id),
        `${displayName(id)} and ${displayName(first)}, which DPS takes for one ID`,
        "keep one of the two",
      ),
    ];
  });
}

function deniedAndEnrolled(after: Declared): Fault[] {
  const enrolled = new Map(
    Object.entries(after.individualEnrollments)
      .filter(([, entry]) => entry.status === "enabled")
      .map(([id]) => [foldCase(id), id]),
  );
  return after.denied.flatMap((each, index) => {
    const id = "registrationId" in each ? enrolled.get(foldCase(each.registrationId)) : undefined;
    if (id === undefined) return [];
    return [
      fault(
        "DPS-CERT-075",
        `denied[${index}].registrationId`,
        `${displayName(id)}, which individualEnrollments enrolls`,
        "remove the enrollment, or remove the denial: an enabled individual enrollment with only " +
          "the new leaf already shadows the group for the old one",
      ),
    ];
  });
}
