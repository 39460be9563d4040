/** What the plan says in sentences, in Markdown and in HTML alike. */
import type { Procedure } from "../certificates/declared";
import type { Fate } from "./lock-out";
import {
  MOST_NAMED,
  type Plan,
  type PlanCertificate,
  type PlanChange,
  type PlanDevices,
  type PlanOverlap,
  type PlanRemoval,
  type PlanTasks,
} from "./model";
import { rollWords } from "./timeline";
import { FATES, isBreach } from "./words";

/** Where the plan is for, and of when it is. */
export function whereWords({ madeAt, service, target }: Plan): string[] {
  return [
    ...(target === "azure"
      ? [
          "Target: Azure. It is real: what is said here happens when `pulumi up` carries this change out.",
        ]
      : []),
    ...(target === "sandbox"
      ? ["Target: the sandbox, a simulation of Azure: no real device is touched."]
      : []),
    ...(service === null ? [] : [`DPS: \`${service}\`.`]),
    `As of ${madeAt.slice(0, 16).replace("T", " ")} UTC: who registers later is not counted, and fares as the others do.`,
  ];
}

/** Of more changes each one's own section says it. */
const MOST_SUMMARIES = 5;

/** What a reviewer has to know first. */
export function headline(plan: Plan): string[] {
  const { changes, lockOut, refusals, verdict, waived, warnings } = plan;
  const what = {
    refused: `Refused: ${counted(refusals.length, "fault")}.${changes.length === 0 ? "" : " What follows is what the change would be."}`,
    failed: "The preview broke off, so this plan is not complete.",
    nothing: "No certificate, entry or denial changes.",
    changes: `${counted(changes.length, "change")}: ${short(changes.map(({ words }) => words))}.`,
  }[verdict];
  return [
    what,
    ...changes.slice(0, MOST_SUMMARIES).flatMap(({ summary }) => summary),
    ...(changes.slice(MOST_SUMMARIES).some(({ summary }) => summary.length > 0)
      ? ["What the other changes do to devices is said with each of them."]
      : []),
    ...(lockOut === null ? [] : lockOutLines(lockOut)),
    ...(plan.removal === null
      ? []
      : [
          `${counted(
            plan.removal.hubs.reduce((sum, { goes }) => sum + goes, 0),
            "hub identity",
            "hub identities",
          )} in ${counted(plan.removal.hubs.length, "hub")} will be removed: those devices are disconnected${plan.removal.keep === "rekey" ? "" : ", and lose queued messages and reported properties for good"}.`,
        ]),
    ...(warnings.length > 0 ? [`${counted(warnings.length, "warning")}.`] : []),
    ...(waived.length > 0 ? [`${counted(waived.length, "fault")} waived.`] : []),
  ];
}

function lockOutLines({ counts, depends }: NonNullable<Plan["lockOut"]>): string[] {
  const all = Object.values(counts).reduce((sum, each) => sum + each, 0);
  if (all === 0) return [];
  const unsure = depends.reduce((sum, { count }) => sum + count, 0);
  const isClear = counts.refused === 0 && counts["not known"] === 0;
  const unknown = counts["not touched"];
  const parts = [
    ...(counts.refused > 0
      ? [
          `${counts.refused} would be CUT OFF: ${counts.refused === 1 ? "it" : "they"} can register now and cannot afterwards`,
        ]
      : []),
    ...(isClear ? ["none would be cut off by mistake"] : []),
    ...(counts.same > 0 ? [`${counts.same} ${are(counts.same)} admitted as before`] : []),
    ...(counts["shut out"] > 0
      ? [`${counts["shut out"]} ${are(counts["shut out"])} shut out as it is meant`]
      : []),
    ...(counts.other > 0
      ? [`${counts.other} ${counts.other === 1 ? "comes" : "come"} in by another entry than now`]
      : []),
    ...(counts["let in"] > 0
      ? [`${counts["let in"]} ${are(counts["let in"])} let in, refused now`]
      : []),
    ...(counts["stays refused"] > 0
      ? [`${counts["stays refused"]} ${are(counts["stays refused"])} refused before and after`]
      : []),
    ...(counts["not known"] > 0
      ? [`of ${counts["not known"]} it is not known whether they can register afterwards`]
      : []),
    ...(unknown > 0
      ? [
          unknown === 1
            ? "1 has a certificate that is not known, in a group that stays as it is"
            : `${unknown} have certificates that are not known, in groups that stay as they are`,
        ]
      : []),
  ];
  return [
    `Of ${counted(all, "device")} on record: ${parts.join("; ")}.`,
    ...(unsure > 0 ? [`For some it depends on what is not known about DPS.`] : []),
  ];
}

function short(all: string[]): string {
  const shown = all.slice(0, 3);
  const more = all.length - shown.length;
  return `${shown.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}

export function deviceWords({
  cutOff,
  notKnown,
  onNew,
  onOld,
  onRecord,
  shutOut,
}: PlanDevices): string {
  if (onRecord === 0) return "No device is on record under it.";
  const parts = [
    ...(onNew > 0 ? [`${onNew} ${have(onNew)} what is accepted afterwards`] : []),
    ...(onOld > 0 ? [`${onOld} ${have(onOld)} only the old certificate`] : []),
    ...(notKnown > 0 ? [`of ${notKnown} it is not known which certificate they have`] : []),
  ];
  const ends = [
    cutOff > 0 ? ` ${cutOff} would be cut off.` : "",
    shutOut > 0 ? ` ${shutOut} ${are(shutOut)} shut out, as it is meant.` : "",
  ];
  return `${counted(onRecord, "device")} ${are(onRecord)} on record under it: ${parts.join(", ")}.${ends.join("")}`;
}

/** What all changes leave to people, each thing once. */
export function tasksWords({ changes }: Plan): PlanTasks {
  const once = (all: string[]): string[] => [...new Set(all)];
  return {
    before: once(changes.flatMap(({ tasks }) => tasks.before)),
    after: once(changes.flatMap(({ tasks }) => tasks.after)),
  };
}

export function overlapWords({ days, words }: PlanOverlap, procedure: Procedure): string {
  if (isBreach(procedure)) return `Gap: ${words}.`;
  return days === null ? `Overlap: ${words}.` : `Overlap: ${counted(days, "day")} (${words}).`;
}

/** "Enrollment group: enabled → disabled"; undefined where it stays as it is. */
export function statusWords({ kind, status }: PlanChange): string | undefined {
  const { before = null, after = null } = status ?? {};
  if (before === null || after === null || before === after) return undefined;
  return `${kind === "group" ? "Group" : "Individual enrollment"}: ${before} → ${after}.`;
}

/** "Carried out before: prepare (P8) on 2026-05-01."; undefined: nothing is known of it. */
export function pastWords({ past }: PlanChange): string | undefined {
  const done = past.map((roll) => `${rollWords(roll)} on ${roll.at.slice(0, 10)}`);
  return done.length === 0 ? undefined : `Carried out before: ${done.join(", ")}.`;
}

export interface FateRow {
  fate: Fate;
  count: number;
  words: string;
  names: string[];
}

/** The rows of the table of devices: how many, what becomes of them, and who. */
export function fateRows({ changes, lockOut }: Plan): FateRow[] {
  if (lockOut === null) return [];
  const inBreach = breachRows(changes);
  const told = inBreach.reduce((sum, { count }) => sum + count, 0);
  const toldNames = new Set(doubtful(changes).flatMap(({ undecided }) => undecided.names));
  return (Object.keys(FATES) as Fate[]).flatMap((fate) => {
    const names = lockOut.devices.flatMap((each) =>
      each.fate === fate ? (each.device ?? []) : [],
    );
    const isUntouched = fate === "same" || fate === "not touched";
    const row = {
      fate,
      count: lockOut.counts[fate],
      words: FATES[fate],
      // Of very many that nothing happens to, some names say nothing.
      names: isUntouched && lockOut.counts[fate] > names.length ? [] : names,
    };
    const rest =
      fate === "not known"
        ? { ...row, count: row.count - told, names: names.filter((name) => !toldNames.has(name)) }
        : row;
    return [...(fate === "not known" ? inBreach : []), ...(rest.count > 0 ? [rest] : [])];
  });
}

/** Devices of which it is said one by one by what they are admitted now, and afterwards. */
export function isExplained({ fate }: { fate: Fate }): boolean {
  return fate === "refused" || fate === "other" || fate === "let in";
}

type RemovalHub = PlanRemoval["hubs"][number];

/** The columns of numbers in the table of hubs; what is zero in all of them is left out. */
export function hubColumns(hubs: RemovalHub[]): [title: string, of: (hub: RemovalHub) => number][] {
  const all: [string, (hub: RemovalHub) => number][] = [
    ["To be removed", ({ goes }) => goes],
    ["Kept: proven good", ({ spared }) => spared],
    ["Kept: not proven bad", ({ left }) => left],
  ];
  return all.filter(([, of], index) => index === 0 || hubs.some((hub) => of(hub) > 0));
}

/* The devices of breaches of which more is said than that it is not known. */
function doubtful(changes: PlanChange[]): PlanDevices[] {
  return changes.flatMap(({ devices }) =>
    devices === null ||
    devices.undecided.count === 0 ||
    devices.undecidedWords === FATES["not known"]
      ? []
      : [devices],
  );
}

/* Changes of which the same is to be said share a row; of many different ones less is said. */
function breachRows(changes: PlanChange[]): FateRow[] {
  const byWords = new Map<string, FateRow>();
  const told = doubtful(changes);
  const isMany = new Set(told.map(({ undecidedWords }) => undecidedWords)).size > MOST_SUMMARIES;
  for (const { undecided, undecidedWords } of told) {
    const words = isMany
      ? "in a breach, see each change: no evidence of the certificate they have"
      : undecidedWords;
    const { count, names } = byWords.get(words) ?? { count: 0, names: [] };
    byWords.set(words, {
      fate: "not known",
      words,
      count: count + undecided.count,
      names: [...names, ...undecided.names].slice(0, MOST_NAMED),
    });
  }
  return [...byWords.values()];
}

/** What is neither a certificate nor a device. */
export function otherLines({ caEntries, notKnown, resources }: Plan): string[] {
  const { azure, create, replace, same, update } = resources;
  return [
    ...(caEntries === null
      ? []
      : [
          `CA entries: ${caEntries.used} of ${caEntries.limit} are used now, ${caEntries.most} while this is carried out, ${caEntries.afterwards} afterwards; ${caEntries.limit - caEntries.afterwards} are free then.`,
        ]),
    // A program always has resources: none means that no engine was asked.
    ...(create + update + replace + resources.delete + same === 0
      ? []
      : [
          `Pulumi resources: ${create} to create, ${update} to update, ${replace} to replace, ${resources.delete} to delete, ${same} unchanged.`,
        ]),
    ...azure.map(
      ({ op, type, name, properties }) =>
        `${op} of Azure resource \`${name}\` (\`${type}\`)${properties.length > 0 ? `: ${properties.join(", ")}` : ""}`,
    ),
    ...notKnown,
  ];
}

/** Every certificate of the changes, once. */
export function certificatesOf({ changes }: Plan): NonNullable<PlanCertificate["facts"]>[] {
  const all = changes.flatMap(({ slots }) =>
    slots.flatMap(({ before, after }) => [before?.facts ?? [], after?.facts ?? []].flat()),
  );
  return [...new Map(all.map((facts) => [facts.sha256, facts])).values()];
}

/** Lists of devices that a reviewer may want to know by name. */
export function deviceLists(
  devices: PlanDevices,
): { what: string; count: number; names: string[] }[] {
  const { cutOff, edge, children, names, notKnown, onOld, shutOut, withSasKey } = devices;
  return [
    { what: "cut off", count: cutOff, names: names.cutOff },
    { what: "shut out", count: shutOut, names: names.shutOut },
    { what: "on the old certificate", count: onOld, names: names.onOld },
    { what: "not known", count: notKnown, names: names.notKnown },
    { what: "IoT Edge, which come back only when they are set to register again", ...edge },
    {
      what: "below an Edge device, which come back only when they are set to register again",
      ...children,
    },
    { what: "with a symmetric key at the hub, which no roll reaches", ...withSasKey },
  ];
}

export function certificateName({ facts, name }: PlanCertificate): string {
  return facts === null || facts.commonName === ""
    ? (facts?.subject ?? name ?? "")
    : facts.commonName;
}

/** "3136 days left" */
export function leftWords(daysLeft: number): string {
  return daysLeft < 0 ? "expired" : `${counted(daysLeft, "day")} left`;
}

function are(count: number): string {
  return count === 1 ? "is" : "are";
}

function have(count: number): string {
  return count === 1 ? "has" : "have";
}

export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : things}`;
}
