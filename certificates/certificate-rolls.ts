/** Changes that are of no entry: CA certificates that come and go, and leaves below a group. */
import type { Breaches } from "./compromise";
import type { Declared, DeclaredCa, KnownCertificate, Roll } from "./declared";
import { entryWords } from "./entry-roll";
import { note, step } from "./roll-steps";
import { entriesOf, identity, isAbove, knownCertificates, own, wordsOf } from "./slots";
import type { Entry } from "./slots";
import { displayName, foldCase, pathOf } from "./text";

/** P11 for a CA certificate that is new, or new under its name; and its removal. */
export function caRolls(before: Declared | undefined, after: Declared, breaches: Breaches): Roll[] {
  const rolls = Object.entries(after.caCertificates).flatMap(([name, ca]) => {
    const old = before === undefined ? undefined : own(before.caCertificates, name);
    const isSame =
      old !== undefined && before !== undefined && idOf(before, old) === idOf(after, ca);
    return isSame ? [] : [proofRoll(after, name, ca)];
  });
  const gone = Object.entries(before?.caCertificates ?? {}).filter(
    ([name]) => own(after.caCertificates, name) === undefined,
  );
  return [...rolls, ...gone.map(([name, ca]) => goneRoll(before ?? after, name, ca, breaches))];
}

function proofRoll(after: Declared, name: string, ca: DeclaredCa): Roll {
  const words = caWords(after, name, ca);
  return {
    entry: pathOf("caCertificates", name),
    kind: "ca",
    procedure: "P11",
    phase: "enroll",
    words: `new ${words}`,
    slots: [],
    steps: [
      step(
        "prove",
        { do: "upload", ca: name },
        ca.selfAttested === true
          ? `upload CA \`${displayName(name)}\`, verified on this configuration's word alone`
          : `upload CA \`${displayName(name)}\` and prove the possession of its key`,
      ),
    ],
    back: "point no group at it and remove it from caCertificates",
  };
}

function goneRoll(before: Declared, name: string, ca: DeclaredCa, breaches: Breaches): Roll {
  const breach = breaches.of(ca.certificate, own(before.certificates, ca.certificate));
  if (ca.retained === true && breach?.declared !== true) {
    const words = `letting go of ${caWords(before, name, ca)}`;
    return {
      entry: pathOf("caCertificates", name),
      kind: "ca",
      procedure: "none",
      phase: "remove",
      words,
      slots: [],
      steps: [note("delete", "it stays in DPS as it is")],
      back: "declare it again with adopt: true",
    };
  }
  return {
    entry: pathOf("caCertificates", name),
    kind: "ca",
    procedure: "none",
    phase: "remove",
    words: `removal of ${caWords(before, name, ca)}`,
    slots: [],
    steps: [
      step(
        "delete",
        { do: "delete CA", ca: name },
        `delete CA certificate \`${displayName(name)}\` from the service, after all groups have let go`,
      ),
    ],
    back: "declare it again; it is uploaded and proven anew",
  };
}

function idOf(declared: Declared, ca: DeclaredCa): string {
  return identity(ca.certificate, own(declared.certificates, ca.certificate));
}

function caWords(declared: Declared, name: string, ca: DeclaredCa): string {
  const certificate = own(declared.certificates, ca.certificate);
  return `CA \`${displayName(name)}\`: ${wordsOf(ca.certificate, certificate)}`;
}

/** P3: a new leaf that is in no slot, and that an enabled group admits as it stands. */
export function leafRolls(
  before: Declared | undefined,
  after: Declared,
  entries: Entry[],
  breaches: Breaches,
): Roll[] {
  if (before === undefined) return [];
  const all = knownCertificates(after);
  const among = all.map(([, certificate]) => certificate);
  const old = new Set(knownCertificates(before).map(([, each]) => each.summary.sha256Thumbprint));
  const named = new Set([...after.compromised, ...after.denied].flatMap(nameIn));
  return all.flatMap(([name, leaf]) => {
    const { isCa, sha256Thumbprint, subjectCommonName } = leaf.summary;
    const isOwn = (entry: Entry): boolean =>
      entry.kind === "individual" && foldCase(entry.id) === foldCase(subjectCommonName);
    if (isCa || old.has(sha256Thumbprint) || named.has(name) || entries.some(isOwn)) return [];
    if (breaches.of(name, leaf) !== undefined) return [];
    const group = admitting(after, leaf, among);
    if (group === undefined) return [];
    return [
      {
        entry: pathOf("certificates", name),
        kind: "individual" as const,
        procedure: "P3" as const,
        phase: "none" as const,
        words: `leaf roll of \`${displayName(subjectCommonName)}\` under ${entryWords(group)}: nothing changes in DPS`,
        slots: [],
        steps: [],
        back: "give the device its old leaf again while that is valid",
      },
    ];
  });
}

function nameIn(entry: object): string[] {
  return "certificate" in entry && typeof entry.certificate === "string" ? [entry.certificate] : [];
}

function admitting(
  after: Declared,
  leaf: KnownCertificate,
  among: KnownCertificate[],
): Entry | undefined {
  return entriesOf(after).find(
    (group) =>
      group.kind === "group" &&
      group.enabled &&
      group.slots.some(
        ({ certificate }) => certificate?.known === true && isAbove(certificate, leaf, among),
      ),
  );
}
