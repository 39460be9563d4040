/** What a reviewer reads of a roll beside its steps: the slots before and after, and the way back. */
import type { Phase, Procedure, Roll, SlotName } from "./declared";
import { entryWords } from "./entry-roll";
import type { Entry, ResolvedSlot } from "./slots";
import { displayName } from "./text";

/** "secondary: empty → `device-1-b`: device-1 (SHA-256 …)"; only slots that are filled before or after. */
export function slotLines(old: Entry | undefined, entry: Entry | undefined): string[] {
  return (["primary", "secondary"] as const).flatMap((name) => {
    const before = slotOf(old, name);
    const after = slotOf(entry, name);
    if (before === undefined && after === undefined) return [];
    if (before?.id === after?.id) return [`${name}: ${named(after)}, unchanged`];
    if (old === undefined) return [`${name}: ${named(after)}`];
    return [`${name}: ${named(before)} → ${named(after)}`];
  });
}

/* With its name in the configuration: an old leaf and a new one of a device look alike otherwise. */
function named(slot: ResolvedSlot | undefined): string {
  if (slot === undefined) return "empty";
  const { certificate, certificateName, words } = slot;
  // A CA, and a certificate that does not exist yet, are named in the words.
  if ("ca" in slot.slot || certificate?.known !== true || certificateName === undefined)
    return words;
  return `\`${displayName(certificateName)}\`: ${words}`;
}

function slotOf(entry: Entry | undefined, name: SlotName): ResolvedSlot | undefined {
  return entry?.slots.find((slot) => slot.name === name);
}

/** Of what takes a compromised key out. */
export const NO_WAY_BACK =
  "there is no safe way: the key is compromised, and accepting it again is refused (DPS-CERT-073) unless " +
  "a waiver with a reason lets it in. " +
  "Removed devices come back only with a certificate that is admitted, and what they lost stays lost";

const BACK: Record<Phase, string> = {
  prepare:
    "take the new certificate out of its slot again; a device that has it by then is refused at its " +
    "next registration unless it still has the old one",
  activate: "let the slots change places again; either certificate is admitted all the time",
  retire:
    "put the old certificate (for a root, its CA as well) back in the empty slot while it is valid " +
    "(starts a new prepare phase)",
  replace:
    "put the old certificate in the empty slot beside the new one; putting it back in place of the " +
    "new one would be without an overlap again",
  contain: NO_WAY_BACK,
  remove: "declare it again; its devices register again by themselves",
  enroll: "remove it from the configuration; devices that registered stay in their hub",
  enable: "set the status to disabled",
  disable: "set the status to enabled",
  deny: "take the denial out of the configuration: that is a re-admission",
  readmit: "deny it again",
  none: "",
};

/** Every phase that a roll can be in. */
export const PHASES = Object.keys(BACK) as Phase[];

/** How to undo a phase, as a sentence without its full stop; empty when nothing changes. */
export function goingBack(procedure: Procedure, phase: Phase, entry: Entry): string {
  if (procedure === "P4" || procedure === "P6" || procedure === "P7") return NO_WAY_BACK;
  if (phase === "enroll" && entry.retained) {
    return "remove it from the configuration; it stays in DPS as it is";
  }
  if (phase === "remove" && entry.retained) {
    return `declare ${entryWords(entry)} again with adopt: true`;
  }
  if (phase === "remove") return `declare ${entryWords(entry)} again; its devices register again`;
  return wayBack(phase);
}

/** As `goingBack`, of a phase that is no breach. */
export function wayBack(phase: Phase): string {
  return BACK[phase];
}

/** The roll as lines for a terminal: words, slots, numbered steps, and the way back. */
export function rollText({ words, slots, steps, back }: Roll): string {
  return [
    words,
    ...slots.map((line) => `  ${line}`),
    ...steps.map((each, index) => `  ${index + 1}. ${each.words}`),
    ...(back === "" ? [] : [`  to go back: ${back}`]),
  ].join("\n");
}
