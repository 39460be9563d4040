/** Which procedure a change carries out, entry by entry, and its steps in order. */
import { isShutOut, references, slotBreach } from "./change-rules";
import type { Breaches } from "./compromise";
import type { Declared, Phase, Procedure, Roll } from "./declared";
import { denialRolls } from "./denials";
import { classify, entryWords, type RollSide } from "./entry-roll";
import { entriesOf, isAbove, knownCertificates, own } from "./slots";
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
      return rollOf(before, after, old, entry, breaches);
    }),
    ...removed.map((entry) => rollOf(before, after, entry, undefined, breaches)),
  ];
  // What a denial does to a registration ID includes what happens to its entry.
  return [...rolls.filter((roll) => !denied.has(roll.entry)), ...denials];
}

const BREACH: ReadonlySet<Procedure> = new Set<Procedure>(["P4", "P6", "P7"]);

function rollOf(
  before: Declared | undefined,
  after: Declared,
  old: Entry | undefined,
  entry: Entry | undefined,
  breaches: Breaches,
): Roll {
  const shown = entry ?? old;
  if (shown === undefined) throw new Error("a roll is of an entry before or after the change");
  const shut = (slot: ResolvedSlot): boolean => isShutOut(breaches, slot);
  const closedIds = new Set((old?.slots ?? []).filter(shut).map((slot) => slot.id));
  const { procedure, phase, words } = classify(
    {
      kind: shown.kind,
      id: shown.id,
      ...(old === undefined ? {} : { before: sideOf(old) }),
      ...(entry === undefined ? {} : { after: sideOf(entry) }),
    },
    (slot) => closedIds.has(slot.identity),
  );
  const steps =
    entry === undefined
      ? removalSteps(shown)
      : old === undefined
        ? enrollmentSteps(entry)
        : BREACH.has(procedure)
          ? breachSteps(after, old, entry, breaches)
          : changeSteps(before ?? after, after, old, entry, phase);
  return { entry: shown.path, kind: shown.kind, procedure, phase, words, steps };
}

function sideOf(entry: Entry): RollSide {
  const side: RollSide = { enabled: entry.enabled };
  for (const { name, id, slot, certificate } of entry.slots) {
    side[name] = {
      identity: id,
      ...(certificate?.known === true ? { certificate: certificate.summary } : {}),
      ...("ca" in slot ? { ca: slot.ca } : {}),
    };
  }
  return side;
}

function enrollmentSteps(entry: Entry): string[] {
  return [...uploads(entry.slots), `create ${entryWords(entry)}${slotsWords(entry.slots)}`];
}

function removalSteps(entry: Entry): string[] {
  const steps = [`delete ${entryWords(entry)}; devices that are in a hub stay there`];
  if (entry.kind === "group") return steps;
  return [...steps, "an enrollment group that admits the device's chain admits it from then on"];
}

function changeSteps(
  before: Declared,
  after: Declared,
  old: Entry,
  entry: Entry,
  phase: Phase,
): string[] {
  if (phase === "none") return [];
  if (phase === "enable" || phase === "disable") return [`${phase} ${entryWords(entry)}`];
  const gone = minus(old.slots, entry.slots);
  const steps = [
    ...uploads(minus(entry.slots, old.slots)),
    `write ${entryWords(entry)}${slotsWords(entry.slots)}`,
    ...gone.map((slot) => `${entryWords(entry)} no longer admits ${slot.words}`),
    ...deletions(before, after, gone),
  ];
  if (phase !== "prepare") return steps;
  return [...steps, "devices register with either certificate until the old one is retired"];
}

function breachSteps(after: Declared, old: Entry, entry: Entry, breaches: Breaches): string[] {
  const gone = minus(old.slots, entry.slots);
  const closing = old.slots.filter(
    (slot) => isShutOut(breaches, slot) && (gone.includes(slot) || !entry.enabled),
  );
  const added = minus(entry.slots, old.slots);
  const compromised = listed(closing.map((slot) => slot.words));
  return [
    `contain: disable ${entryWords(entry)}, so that it no longer admits ${compromised}`,
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
