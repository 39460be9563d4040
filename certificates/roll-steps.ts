/** What `up` does for one entry, step by step; each step says its stage. */
import { isShutOut, references } from "./change-rules";
import type { Breaches } from "./compromise";
import type { Action, Declared, Phase, Stage, Step } from "./declared";
import { entryWords } from "./entry-roll";
import { covers, entriesOf, knownCertificates, own } from "./slots";
import type { Entry, ResolvedSlot } from "./slots";
import { displayName, listed } from "./text";

/** The order of the stages: a stage is finished before the next one begins. */
export const STAGES: readonly Stage[] = ["contain", "prove", "write", "remove", "delete"];

/** Steps of several rolls in the order in which `up` takes them. */
export function inOrder(steps: readonly Step[]): Step[] {
  return STAGES.flatMap((stage) => steps.filter((step) => step.stage === stage));
}

export function step(stage: Stage, action: Action, words: string): Step {
  return { stage, action, words };
}

/** A step that only says what follows for people or devices. */
export function note(stage: Stage, words: string): Step {
  return step(stage, { do: "nothing" }, words);
}

export function enrollmentSteps(entry: Entry): Step[] {
  const { adopted, enabled, path, slots } = entry;
  const words = `${entryWords(entry)}${enabled ? "" : ", disabled"}${slotsWords(slots)}`;
  return [
    ...uploads(slots),
    step(
      "write",
      { do: "write", entry: path },
      adopted
        ? `take over ${words}; nothing is written when it is so in DPS already`
        : `create ${words}`,
    ),
  ];
}

/** Of an entry that holds nothing compromised. */
export function removalSteps(before: Declared, after: Declared, old: Entry): Step[] {
  if (old.retained) {
    const words = `let go of ${entryWords(old)}; it stays in DPS as it is`;
    return [note("delete", words), ...deletions(before, after, old.slots)];
  }
  return [
    step(
      "delete",
      { do: "delete", entry: old.path },
      `delete ${entryWords(old)}; devices that are in a hub stay there`,
    ),
    ...groupsThatAdmit(after, old).map((group) =>
      note("delete", `${entryWords(group)} admits the device's chain from then on`),
    ),
    ...deletions(before, after, old.slots),
  ];
}

/** Enabled groups that admit what the entry held: where its devices come in when it is gone. */
export function groupsThatAdmit(after: Declared, old: Entry): Entry[] {
  const among = knownCertificates(after).map(([, certificate]) => certificate);
  return entriesOf(after).filter(
    (group) =>
      group.kind === "group" &&
      group.enabled &&
      group.key !== old.key &&
      group.slots.some((wide) => old.slots.some((narrow) => covers(wide, narrow, among))),
  );
}

export function changeSteps(
  before: Declared,
  after: Declared,
  old: Entry,
  entry: Entry,
  phase: Phase,
): Step[] {
  if (phase === "none") return [];
  const write = (words: string): Step => step("write", { do: "write", entry: entry.path }, words);
  if (phase === "enable" || phase === "disable") return [write(`${phase} ${entryWords(entry)}`)];
  const gone = minus(old.slots, entry.slots);
  const steps = [
    ...uploads(minus(entry.slots, old.slots)),
    write(`write ${entryWords(entry)}${slotsWords(entry.slots)}`),
    ...gone.map((slot) =>
      note("write", `from then on ${entryWords(entry)} no longer admits ${slot.words}`),
    ),
    ...deletions(before, after, gone),
  ];
  if (phase !== "prepare") return steps;
  const next =
    entry.kind === "group"
      ? "devices register with either certificate until the old one is retired"
      : "the device registers with either certificate, under the same registration ID and device ID, " +
        "until the old one is retired; it goes to DPS first with the new one, then to its hub";
  return [...steps, note("write", next)];
}

/** `entry` is what is left of it after the change; undefined: it is taken away. */
export function breachSteps(
  before: Declared,
  after: Declared,
  old: Entry,
  entry: Entry | undefined,
  breaches: Breaches,
): Step[] {
  const gone = minus(old.slots, entry?.slots ?? []);
  const closing = old.slots.filter(
    (slot) => isShutOut(breaches, slot) && (gone.includes(slot) || entry?.enabled !== true),
  );
  const added = entry === undefined ? [] : minus(entry.slots, old.slots);
  const compromised = listed(closing.map((slot) => slot.words));
  return [
    step(
      "contain",
      { do: "disable", entry: old.path },
      `contain: disable ${entryWords(old)}, so that it no longer admits ${compromised}`,
    ),
    ...replacement(entry, added),
    step(
      "remove",
      { do: "remove devices", entry: old.path },
      old.kind === "group"
        ? "remove: the registrations and hub identities that came in under it up to the cut-off"
        : "remove: the device's registration and its hub identity",
    ),
    ...(entry === undefined
      ? [step("delete", { do: "delete", entry: old.path }, `delete ${entryWords(old)}`)]
      : []),
    ...deletions(before, after, entry === undefined ? old.slots : gone, breaches),
  ];
}

function replacement(entry: Entry | undefined, added: ResolvedSlot[]): Step[] {
  if (entry === undefined) return [];
  const action: Action = { do: "write", entry: entry.path };
  if (!entry.enabled) {
    return [step("write", action, `${entryWords(entry)} stays disabled${slotsWords(entry.slots)}`)];
  }
  const words = `replace: ${entryWords(entry)}, enabled${slotsWords(entry.slots)}`;
  return [...uploads(added), step("write", action, words)];
}

export function minus(slots: ResolvedSlot[], others: ResolvedSlot[]): ResolvedSlot[] {
  return slots.filter((slot) => others.every((other) => other.id !== slot.id));
}

function uploads(slots: ResolvedSlot[]): Step[] {
  return slots.flatMap(({ slot, words }) =>
    "ca" in slot
      ? [step("prove", { do: "upload", ca: slot.ca }, `have ${words} uploaded and verified`)]
      : [],
  );
}

/** Of the CA certificates that go with the slots; one that is retained goes in a breach of it only. */
function deletions(
  before: Declared,
  after: Declared,
  gone: ResolvedSlot[],
  breaches?: Breaches,
): Step[] {
  return gone.flatMap((one) => {
    const { slot } = one;
    if (!("ca" in slot) || own(after.caCertificates, slot.ca) !== undefined) return [];
    const retained = own(before.caCertificates, slot.ca)?.retained === true;
    if (retained && !(breaches !== undefined && isShutOut(breaches, one))) return [];
    const others =
      references(before, slot.ca).length > 1 ? ", after the other groups have let go" : "";
    return [
      step(
        "delete",
        { do: "delete CA", ca: slot.ca },
        `delete CA certificate \`${displayName(slot.ca)}\` from the service${others}`,
      ),
    ];
  });
}

function slotsWords(slots: ResolvedSlot[]): string {
  if (slots.length === 0) return ", with no certificate";
  return `: ${slots.map((slot) => `${slot.name} ${slot.words}`).join("; ")}`;
}
