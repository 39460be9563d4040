/** P12: registration IDs and certificates that are shut out, and let in again. */
import { Breaches } from "./compromise";
import type { Declared, Denied, DeclaredCertificate, Roll } from "./declared";
import { entryWords } from "./entry-roll";
import { heldCas, isCa, type HeldCa } from "./held-cas";
import { note, step } from "./roll-steps";
import { NO_WAY_BACK, slotLines, wayBack } from "./roll-words";
import {
  entriesOf,
  entryPath,
  identity,
  isAbove,
  knownCertificates,
  own,
  wordsOf,
  type Entry,
} from "./slots";
import { displayName, foldCase, listed } from "./text";

/** What is denied: a device's registration ID, or everything below a CA certificate. */
interface Denial {
  /** Equal for one denial in two configurations. */
  key: string;
  kind: "individual" | "group";
  entry: string;
  what: string;
  /** The registration ID, for a device. */
  registrationId?: string;
  /** The certificates of that device that are shut out, in words; empty: none is at hand. */
  leaves: string[];
  /** SHA-256 thumbprint of a CA certificate. */
  certificate?: string;
  /** ID of the disabled group that holds it. */
  groupId?: string;
  /**
   * It is compromised: the leaf's device is removed, and of a CA's devices those that a manifest names. A denial
   * alone disables a device in its hub.
   */
  removes: boolean;
  /** Enabled groups that admit it once the denial is lifted. */
  admittedBy: Entry[];
}

export function denialRolls(
  before: Declared | undefined,
  after: Declared,
  oldEntries: Entry[],
  entries: Entry[],
  breaches: Breaches,
): Roll[] {
  const old =
    before === undefined ? [] : denialsOf(before, after, oldEntries, oldEntries, breaches);
  // The roll of an enrollment that was there and stays says everything (P4).
  const entriesBefore =
    before === undefined
      ? entries
      : oldEntries.filter((old) => entries.some(({ key }) => key === old.key));
  const now = denialsOf(after, after, entries, entriesBefore, breaches);
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

/**
 * Registration IDs whose devices are to have no access: those that `denied` names, and those of the leaves it
 * names, unless the device lives on with another leaf in an enrollment of its own.
 */
export function deniedIds(declared: Declared): string[] {
  const enrolled = new Set(Object.keys(declared.individualEnrollments).map(foldCase));
  const ids = declared.denied.flatMap((each) => {
    if ("registrationId" in each) return [each.registrationId];
    const certificate = ofName(declared, each.certificate);
    const id = isCa(certificate) ? undefined : leafId(certificate);
    return id === undefined || enrolled.has(foldCase(id)) ? [] : [id];
  });
  // As it was spelt: hubs tell device IDs apart by case, unlike DPS.
  return [...new Map(ids.map((id) => [foldCase(id), id])).values()].sort();
}

function leafId(certificate: DeclaredCertificate | undefined): string | undefined {
  const id =
    certificate?.known === true ? certificate.summary.subjectCommonName : certificate?.commonName;
  return id === "" ? undefined : id;
}

function denied(denial: Denial, already: boolean, entries: Entry[]): Roll {
  const shadow = shadowing(denial, entries);
  const { entry, kind, certificate } = denial;
  const back = denial.removes ? NO_WAY_BACK : wayBack("deny");
  const common = { entry, kind, procedure: "P12" as const, slots: [], back };
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
      back: denial.removes ? NO_WAY_BACK : `${back}; ${wayBack("replace")}`,
      words: `breach roll of ${entryWords(shadow)}: replace, which shadows its enrollment group`,
      slots: slotLines(undefined, shadow),
      steps: [
        step(
          "write",
          { do: "write", entry },
          `contain: write ${entryWords(shadow)}, enabled, with only the new leaf${denial.leaves.length === 0 ? "" : ` and not ${listed(denial.leaves)}`}; it shadows the group for ${denial.what}`,
        ),
        ...(denial.removes
          ? [step("remove", remove, "remove: the device's registration and its hub identity")]
          : []),
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
      words: `denial of ${denial.what}: a disabled enrollment group${idWords(denial)}`,
      steps: [
        step(
          "contain",
          hold,
          `contain: keep ${denial.what} in a disabled enrollment group of its own${idWords(denial)}${because(denial)}`,
        ),
        note(
          "remove",
          `devices that came in under it stay in their hub${denial.removes ? ", unless a manifest of issued leaves (remove.issuedLeaves) names them" : ""}: which of a group's devices these are, DPS does not tell`,
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
        `contain: hold a disabled individual enrollment \`${id}\`${denial.leaves.length === 0 ? "" : ` against ${listed(denial.leaves)}`}; it denies the whole registration ID, whatever certificate comes`,
      ),
      denial.removes
        ? step("remove", remove, "remove: the device's registration and its hub identity")
        : note(
            "remove",
            "disable the device's hub identity, which ends its connection; its twin stays",
          ),
    ],
  };
}

function idWords({ groupId }: Denial): string {
  return groupId === undefined ? "" : ` \`${groupId}\``;
}

function because({ admittedBy }: Denial): string {
  if (admittedBy.length === 0) return "";
  return `, because ${listed(admittedBy.map(entryWords))} would admit its chain`;
}

/** Who admits what was denied, once nothing denies it any more. */
function admission({ what, registrationId, admittedBy }: Denial): string {
  const words = listed(admittedBy.map(entryWords));
  if (admittedBy.length === 0) return `no enabled group of this configuration admits ${what} then`;
  return registrationId !== undefined && admittedBy.length > 1
    ? `${what} is admitted from then on by that of ${words} which its certificate chains to`
    : `${words} ${admittedBy.length === 1 ? "admits" : "admit"} ${what} from then on`;
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
            note("delete", admission(denial)),
            ...(denial.kind === "individual"
              ? [note("remove", "enable the hub identity that the denial has disabled, if any")]
              : []),
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
  after: Declared,
  entries: Entry[],
  entriesBefore: Entry[],
  breaches: Breaches,
): Denial[] {
  const reached = declared === after ? breaches : new Breaches(undefined, declared);
  const denials = [
    ...declared.denied.flatMap((each) =>
      deniedBy(each, declared, after, entries).filter(
        (denial) => "registrationId" in each || !hasEntry(denial, entriesBefore),
      ),
    ),
    ...heldCas(declared, reached).map((held) => heldBy(held, after)),
    ...declared.compromised.flatMap((each) => {
      if (!("certificate" in each)) return [];
      const certificate = ofName(declared, each.certificate);
      // A compromised CA is P6 or P7.
      if (isCa(certificate) || breaches.of(each.certificate, certificate) === undefined) return [];
      return device(certificate, after, entries)
        .filter((denial) => !hasEntry(denial, entriesBefore))
        .map((denial) => ({ ...denial, removes: true }));
    }),
  ];
  return denials
    .filter((denial, index) => denials.findIndex((each) => each.key === denial.key) === index)
    .map((denial) => ({
      ...denial,
      removes: denials.some((each) => each.key === denial.key && each.removes),
      leaves: [
        ...new Set(denials.filter(({ key }) => key === denial.key).flatMap((each) => each.leaves)),
      ],
    }));
}

function heldBy({ name, certificate, path, by, groupId }: HeldCa, after: Declared): Denial {
  return {
    key: `certificate:${identity(name, certificate)}`,
    kind: "group",
    entry: path,
    what: wordsOf(name, certificate),
    leaves: [],
    ...(certificate.known && { certificate: certificate.summary.sha256Thumbprint }),
    ...(groupId !== undefined && { groupId }),
    removes: by === "compromised",
    admittedBy: admittingGroups(after, certificate),
  };
}

/** Enabled groups that admit the certificate; of one that is not known, any of them may. */
function admittingGroups(after: Declared, certificate: DeclaredCertificate | undefined): Entry[] {
  const among = knownCertificates(after).map(([, each]) => each);
  return entriesOf(after).filter(
    (group) =>
      group.kind === "group" &&
      group.enabled &&
      (certificate?.known !== true ||
        group.slots.some(
          (slot) =>
            slot.certificate?.known === true &&
            (slot.id === certificate.summary.sha256Thumbprint ||
              isAbove(slot.certificate, certificate, among)),
        )),
  );
}

function hasEntry(denial: Denial, entries: Entry[]): boolean {
  const id = denial.registrationId;
  return entries.some(
    (each) => each.kind === "individual" && id !== undefined && foldCase(each.id) === foldCase(id),
  );
}

function deniedBy(each: Denied, declared: Declared, after: Declared, entries: Entry[]): Denial[] {
  if ("registrationId" in each) return [deviceOf(each.registrationId, undefined, after, entries)];
  const certificate = ofName(declared, each.certificate);
  return isCa(certificate) ? [] : device(certificate, after, entries);
}

function device(
  certificate: DeclaredCertificate | undefined,
  after: Declared,
  entries: Entry[],
): Denial[] {
  const id = leafId(certificate);
  return id === undefined ? [] : [deviceOf(id, certificate, after, entries)];
}

/* The path of its enrollment, also when there is none yet: one registration ID is one entry. */
function deviceOf(
  registrationId: string,
  certificate: DeclaredCertificate | undefined,
  after: Declared,
  entries: Entry[],
): Denial {
  const entry = entries.find(
    (each) => each.kind === "individual" && foldCase(each.id) === foldCase(registrationId),
  );
  return {
    key: `device:${foldCase(registrationId)}`,
    kind: "individual",
    entry: entry?.path ?? entryPath("individual", registrationId),
    what: `\`${displayName(registrationId)}\``,
    registrationId,
    leaves: certificate?.known === true ? [wordsOf(undefined, certificate)] : [],
    removes: false,
    admittedBy: admittingGroups(after, certificate),
  };
}

function ofName(declared: Declared, name: string): DeclaredCertificate | undefined {
  return own(declared.certificates, name);
}
