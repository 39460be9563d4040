/** P12: registration IDs and certificates that are shut out, and let in again. */
import type { Breaches } from "./compromise";
import type { Declared, Denied, DeclaredCertificate, Roll } from "./declared";
import { entryWords } from "./entry-roll";
import { note, step } from "./roll-steps";
import { slotLines, wayBack } from "./roll-words";
import { entryPath, own, wordsOf, type Entry } from "./slots";
import { displayName, foldCase, pathOf } from "./text";

/** What is denied: a device's registration ID, or everything below a CA certificate. */
interface Denial {
  /** Equal for one denial in two configurations. */
  key: string;
  kind: "individual" | "group";
  entry: string;
  what: string;
  /** The registration ID, for a device. */
  registrationId?: string;
  /** SHA-256 thumbprint of a CA certificate. */
  certificate?: string;
}

export function denialRolls(
  before: Declared | undefined,
  after: Declared,
  oldEntries: Entry[],
  entries: Entry[],
  breaches: Breaches,
): Roll[] {
  const old = before === undefined ? [] : denialsOf(before, oldEntries, oldEntries, breaches);
  // The roll of an enrollment that was there and stays says everything (P4).
  const entriesBefore =
    before === undefined
      ? entries
      : oldEntries.filter((old) => entries.some(({ key }) => key === old.key));
  const now = denialsOf(after, entries, entriesBefore, breaches);
  return [
    ...now.map((denial) =>
      denied(
        denial,
        old.some((each) => each.key === denial.key),
        entries,
      ),
    ),
    ...old
      .filter((denial) => now.every((each) => each.key !== denial.key))
      .map((denial) => readmitted(denial, entries)),
  ];
}

function denied(denial: Denial, already: boolean, entries: Entry[]): Roll {
  const shadow = shadowing(denial, entries);
  const { entry, kind, certificate } = denial;
  const common = { entry, kind, procedure: "P12" as const, slots: [], back: wayBack("deny") };
  const hold = {
    do: "hold" as const,
    entry,
    ...(certificate === undefined ? {} : { certificate }),
  };
  const remove = { do: "remove devices" as const, entry };
  if (shadow !== undefined) {
    return {
      ...common,
      phase: "replace",
      words: `breach roll of ${entryWords(shadow)}: replace, which shadows its enrollment group`,
      slots: slotLines(undefined, shadow),
      steps: [
        step(
          "write",
          { do: "write", entry },
          `contain: write ${entryWords(shadow)}, enabled, with only the new leaf; it shadows the group for ${denial.what}`,
        ),
        step("remove", remove, "remove: the device's registration and its hub identity"),
      ],
    };
  }
  if (already) {
    return { ...common, phase: "none", words: `${denial.what} stays denied`, steps: [], back: "" };
  }
  if (kind === "group") {
    return {
      ...common,
      phase: "deny",
      words: `denial of ${denial.what}: a disabled enrollment group`,
      steps: [
        step(
          "contain",
          hold,
          `contain: hold ${denial.what} in a disabled enrollment group of its own`,
        ),
        step(
          "remove",
          remove,
          "remove: the registrations and hub identities that came in under it up to the cut-off",
        ),
      ],
    };
  }
  const id = displayName(denial.registrationId ?? "");
  return {
    ...common,
    phase: "deny",
    words: `denial of registration ID \`${id}\`: a disabled individual enrollment`,
    steps: [
      step(
        "contain",
        hold,
        `contain: hold a disabled individual enrollment \`${id}\`; it denies the whole registration ID, whatever certificate comes`,
      ),
      step("remove", remove, "remove: the device's registration and its hub identity"),
    ],
  };
}

function readmitted(denial: Denial, entries: Entry[]): Roll {
  const entry = entries.find((each) => each.path === denial.entry);
  return {
    entry: denial.entry,
    kind: denial.kind,
    procedure: "P12",
    phase: "readmit",
    words: `re-admission of ${denial.what}: its denial is lifted`,
    slots: slotLines(undefined, entry),
    steps:
      entry === undefined
        ? [
            step("delete", { do: "delete", entry: denial.entry }, "delete the disabled entry"),
            note(
              "delete",
              `a group that admits the chain of ${denial.what} admits it from then on`,
            ),
          ]
        : [step("write", { do: "write", entry: entry.path }, `write ${entryWords(entry)}`)],
    back: wayBack("readmit"),
  };
}

function shadowing(denial: Denial, entries: Entry[]): Entry | undefined {
  const { registrationId } = denial;
  if (registrationId === undefined) return undefined;
  return entries.find(
    (entry) =>
      entry.enabled &&
      entry.kind === "individual" &&
      foldCase(entry.id) === foldCase(registrationId),
  );
}

/*
 * A certificate that is shut out denies its device when that has no enrollment of its own; when it
 * had one (`entriesBefore`), the roll of that enrollment says everything (P4).
 */
function denialsOf(
  declared: Declared,
  entries: Entry[],
  entriesBefore: Entry[],
  breaches: Breaches,
): Denial[] {
  const denials = [
    ...declared.denied.flatMap((each, index) =>
      deniedBy(each, index, declared, entries).filter(
        (denial) => "registrationId" in each || !hasEntry(denial, entriesBefore),
      ),
    ),
    ...declared.compromised.flatMap((each) => {
      if (!("certificate" in each)) return [];
      const certificate = own(declared.certificates, each.certificate);
      // A compromised CA is P6 or P7.
      if (isCa(certificate) || breaches.of(each.certificate, certificate) === undefined) return [];
      return device(certificate, entries).filter((denial) => !hasEntry(denial, entriesBefore));
    }),
  ];
  return denials.filter(
    (denial, index) => denials.findIndex((each) => each.key === denial.key) === index,
  );
}

function hasEntry(denial: Denial, entries: Entry[]): boolean {
  const id = denial.registrationId;
  return entries.some(
    (each) => each.kind === "individual" && id !== undefined && foldCase(each.id) === foldCase(id),
  );
}

function deniedBy(each: Denied, index: number, declared: Declared, entries: Entry[]): Denial[] {
  if ("registrationId" in each) return [deviceOf(each.registrationId, entries)];
  const certificate = own(declared.certificates, each.certificate);
  if (!isCa(certificate)) return device(certificate, entries);
  return [
    {
      key: `certificate:${certificate?.known === true ? certificate.summary.sha256Thumbprint : each.certificate}`,
      kind: "group",
      entry: pathOf("denied", index),
      what: wordsOf(each.certificate, certificate),
      ...(certificate?.known === true ? { certificate: certificate.summary.sha256Thumbprint } : {}),
    },
  ];
}

function device(certificate: DeclaredCertificate | undefined, entries: Entry[]): Denial[] {
  const id =
    certificate?.known === true ? certificate.summary.subjectCommonName : certificate?.commonName;
  return id === undefined || id === "" ? [] : [deviceOf(id, entries)];
}

/* The path of its enrollment, also when there is none yet: one registration ID is one entry. */
function deviceOf(registrationId: string, entries: Entry[]): Denial {
  const entry = entries.find(
    (each) => each.kind === "individual" && foldCase(each.id) === foldCase(registrationId),
  );
  return {
    key: `device:${foldCase(registrationId)}`,
    kind: "individual",
    entry: entry?.path ?? entryPath("individual", registrationId),
    what: `\`${displayName(registrationId)}\``,
    registrationId,
  };
}

function isCa(certificate: DeclaredCertificate | undefined): boolean {
  return certificate?.known === true ? certificate.summary.isCa : certificate?.isCa === true;
}
