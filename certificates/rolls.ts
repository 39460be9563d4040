/** Which procedure a change carries out, entry by entry, and its steps in order. */
import { isShutOut, references, slotBreach } from "./change-rules";
import type { Breaches } from "./compromise";
import type { Declared, Phase, Procedure, Roll } from "./declared";
import { denialRolls } from "./denials";
import { entriesOf, entryWords, isAbove, knownCertificates, own } from "./slots";
import type { Entry, ResolvedSlot } from "./slots";
import { displayName, listed } from "./text";

/** One roll for each entry of either configuration, and one for each denial without an entry. */
export function inferRolls(
  before: Declared | undefined,
  after: Declared,
  breaches: Breaches,
): Roll[] {
  const oldEntries = before === undefined ? [] : entriesOf(before);
  const entries = entriesOf(after);
  const removed = oldEntries.filter((old) => entries.every((entry) => entry.key !== old.key));
  const denials = denialRolls(before, after, oldEntries, entries, breaches);
  const denied = new Set(denials.map((roll) => roll.entry));
  const rolls = [
    ...entries.map((entry) => {
      const old = oldEntries.find((each) => each.key === entry.key);
      return old === undefined
        ? enrollment(entry)
        : change(before ?? after, after, old, entry, breaches);
    }),
    ...removed.map((entry) => removal(entry)),
  ];
  // What a denial does to a registration ID includes what happens to its entry.
  return [...rolls.filter((roll) => !denied.has(roll.entry)), ...denials];
}

function enrollment(entry: Entry): Roll {
  return {
    ...entryOf(entry),
    procedure: "enroll",
    phase: "enroll",
    words: `new ${entryWords(entry)}${entry.enabled ? "" : ", disabled"}`,
    steps: [...uploads(entry.slots), `create ${entryWords(entry)}${slotsWords(entry.slots)}`],
  };
}

function removal(entry: Entry): Roll {
  return {
    ...entryOf(entry),
    procedure: "none",
    phase: "remove",
    words: `removal of ${entryWords(entry)}`,
    steps: [
      `delete ${entryWords(entry)}; devices that are in a hub stay there`,
      ...(entry.kind === "individual"
        ? ["an enrollment group that admits the device's chain admits it from then on"]
        : []),
    ],
  };
}

function change(
  before: Declared,
  after: Declared,
  old: Entry,
  entry: Entry,
  breaches: Breaches,
): Roll {
  const added = minus(entry.slots, old.slots);
  const gone = minus(old.slots, entry.slots);
  const closed = old.slots.filter((slot) => isShutOut(breaches, slot));
  const closing = closed.filter((slot) => gone.includes(slot) || (old.enabled && !entry.enabled));
  if (closing.length > 0) return breachRoll(after, old, entry, added, closing, breaches);
  if (added.length === 0 && gone.length === 0) return sameCertificates(old, entry);
  return expirationRoll(before, after, old, entry, added, gone);
}

function sameCertificates(old: Entry, entry: Entry): Roll {
  const write = `write ${entryWords(entry)}${slotsWords(entry.slots)}`;
  if (old.enabled !== entry.enabled) {
    const phase = entry.enabled ? "enable" : "disable";
    return {
      ...entryOf(entry),
      procedure: "none",
      phase,
      words: `${entryWords(entry)}: ${phase}`,
      steps: [write.replace("write", phase)],
    };
  }
  const moved = entry.slots.some((slot) =>
    old.slots.some((each) => each.id === slot.id && each.name !== slot.name),
  );
  if (moved) {
    return roll(expirationProcedure(entry), "activate", "expiration roll", entry, [write]);
  }
  return {
    ...entryOf(entry),
    procedure: "none",
    phase: "none",
    words: `no change of certificates in ${entryWords(entry)}`,
    steps: [],
  };
}

function expirationRoll(
  before: Declared,
  after: Declared,
  old: Entry,
  entry: Entry,
  added: ResolvedSlot[],
  gone: ResolvedSlot[],
): Roll {
  const kept = old.slots.length > gone.length;
  const phase: Phase =
    added.length === 0 ? "retire" : kept || gone.length === 0 ? "prepare" : "replace";
  const steps = [
    ...uploads(added),
    `write ${entryWords(entry)}${slotsWords(entry.slots)}`,
    ...gone.map((slot) => `${entryWords(entry)} no longer admits ${slot.words}`),
    ...deletions(before, after, gone),
  ];
  if (phase === "prepare")
    steps.push("devices register with either certificate until the old one is retired");
  return roll(expirationProcedure(entry), phase, "expiration roll", entry, steps);
}

function breachRoll(
  after: Declared,
  old: Entry,
  entry: Entry,
  added: ResolvedSlot[],
  closing: ResolvedSlot[],
  breaches: Breaches,
): Roll {
  const compromised = listed(closing.map((slot) => slot.words));
  const steps = [
    `contain: ${entry.enabled ? "switch" : "disable"} ${entryWords(entry)}, so that it no longer admits ${compromised}`,
    ...(entry.enabled && added.length > 0
      ? [...uploads(added), `replace: ${entryWords(entry)}${slotsWords(entry.slots)}`]
      : []),
    ...higherGroups(after, entry, closing, breaches),
    entry.kind === "group"
      ? "remove: the registrations and hub identities that came in under it up to the cut-off"
      : "remove: the device's registration and its hub identity",
    ...closing.flatMap(({ slot }) =>
      "ca" in slot && own(after.caCertificates, slot.ca) === undefined
        ? [`delete CA certificate \`${displayName(slot.ca)}\` from the service`]
        : [],
    ),
  ];
  const phase = entry.enabled && added.length > 0 ? "replace" : "contain";
  return roll(breachProcedure(old, closing), phase, "breach roll", entry, steps);
}

/* A device chain that a group higher up still admits would get in there. */
function higherGroups(
  after: Declared,
  entry: Entry,
  closing: ResolvedSlot[],
  breaches: Breaches,
): string[] {
  const among = knownCertificates(after).map(([, certificate]) => certificate);
  const groups = entriesOf(after).filter((each) => each.kind === "group" && each.enabled);
  return closing.flatMap(({ certificate, words }) => {
    if (entry.kind !== "group" || certificate?.known !== true) return [];
    const above = groups.filter((group) =>
      group.slots.some(
        (slot) =>
          slot.certificate?.known === true &&
          slotBreach(breaches, slot) === undefined &&
          isAbove(slot.certificate, certificate, among),
      ),
    );
    if (above.length === 0) return [];
    const admits = `${listed(above.map(entryWords))} would still admit its chain`;
    return [`contain: keep ${words} in a disabled group of its own, because ${admits}`];
  });
}

function breachProcedure(old: Entry, closing: ResolvedSlot[]): Procedure {
  if (old.kind === "individual") return "P4";
  return closing.some(({ slot }) => "ca" in slot) ? "P6" : "P7";
}

function expirationProcedure(entry: Entry): Procedure {
  if (entry.kind === "individual") return "P5";
  return entry.slots.some(({ slot }) => "ca" in slot) ? "P8" : "P9";
}

function roll(
  procedure: Procedure,
  phase: Phase,
  what: string,
  entry: Entry,
  steps: string[],
): Roll {
  const words = `${what} of ${entryWords(entry)}: ${phase}`;
  return { ...entryOf(entry), procedure, phase, words, steps };
}

function entryOf(entry: Entry): Pick<Roll, "entry" | "kind"> {
  return { entry: entry.path, kind: entry.kind };
}

function minus(slots: ResolvedSlot[], others: ResolvedSlot[]): ResolvedSlot[] {
  return slots.filter((slot) => others.every((other) => other.id !== slot.id));
}

function uploads(slots: ResolvedSlot[]): string[] {
  return slots.flatMap(({ slot, words }) =>
    "ca" in slot ? [`have ${words} uploaded and verified`] : [],
  );
}

function deletions(before: Declared, after: Declared, gone: ResolvedSlot[]): string[] {
  return gone.flatMap(({ slot }) => {
    if (!("ca" in slot) || own(after.caCertificates, slot.ca) !== undefined) return [];
    const others =
      references(before, slot.ca).length > 1 ? ", after the other groups have let go" : "";
    return [`delete CA certificate \`${displayName(slot.ca)}\` from the service${others}`];
  });
}

function slotsWords(slots: ResolvedSlot[]): string {
  if (slots.length === 0) return ", with no certificate";
  return `: ${slots.map((slot) => `${slot.name} ${slot.words}`).join("; ")}`;
}
