/** The plan as Markdown for a comment on a pull request. */
import { glossaryFor } from "./glossary";
import { code, sentence, table } from "./markdown-text";
import {
  certificateName,
  certificatesOf,
  counted,
  deviceLists,
  deviceWords,
  fateRows,
  headline,
  hubColumns,
  isExplained,
  leftWords,
  otherLines,
  overlapWords,
  pastWords,
  statusWords,
  tasksWords,
  whereWords,
} from "./telling";
import { registrationsWords, removalWords } from "./telling-removal";
import type {
  Plan,
  PlanCertificate,
  PlanChange,
  PlanDevices,
  PlanFinding,
  PlanLockOut,
} from "./model";

/** Longest comment that GitHub takes, characters. */
const LONGEST = 65_536;

/** How much is left out, so that the plan fits: more with each level. */
interface Folding {
  certificates: boolean;
  /** Names of devices in one list. */
  names: number;
  steps: boolean;
  /** Changes that are written out; the others are one line each. */
  changes: number;
}

const FOLDINGS: (Folding & { says: string })[] = [
  { certificates: true, names: 20, steps: true, changes: Infinity, says: "" },
  { certificates: true, names: 5, steps: true, changes: Infinity, says: "long lists of devices" },
  {
    certificates: false,
    names: 5,
    steps: true,
    changes: Infinity,
    says: "long lists of devices and the table of certificates",
  },
  {
    certificates: false,
    names: 0,
    steps: false,
    changes: 25,
    says: "names of devices, the table of certificates, and the steps of each change",
  },
  {
    certificates: false,
    names: 0,
    steps: false,
    changes: 0,
    says: "everything about each change but one line",
  },
];

/** @param longest characters; what does not fit is left out, and that is said */
export function markdown(plan: Plan, longest = LONGEST): string {
  for (const folding of FOLDINGS) {
    const text = page(plan, folding, folding.says);
    if (text.length <= longest) return text;
  }
  const last = page(plan, FOLDINGS.at(-1)!, FOLDINGS.at(-1)!.says);
  const note =
    "\n\n_The rest was left out, because the plan is longer than a comment may be: see its HTML page or its JSON._\n";
  return `${last.slice(0, last.lastIndexOf("\n", longest - note.length))}${note}`;
}

function page(plan: Plan, folding: Folding, says: string): string {
  const sections = [
    `## Certificate plan for stack ${code(plan.stack)}`,
    intro(plan),
    ...(says === ""
      ? []
      : [
          `_Left out, so that this fits a comment: ${says}. The HTML page and the JSON have everything._`,
        ]),
    findings(
      "Refused",
      plan.refusals,
      "Nothing of this plan happens until these are mended or waived.",
    ),
    ...(plan.errors.length === 0
      ? []
      : [`### The preview broke off\n\n${plan.errors.map((text) => fenced(text)).join("\n\n")}`]),
    tasks(plan),
    plan.lockOut === null ? "" : fates(plan, plan.lockOut, folding),
    removal(plan, folding),
    findings("Warnings", plan.warnings),
    findings("Waived", plan.waived, "Accepted for a time, each with its reason."),
    ...plan.changes
      .slice(0, folding.changes)
      .map((change, index) => section(change, index, folding)),
    rest(plan.changes.slice(folding.changes)),
    order(plan, folding),
    folding.certificates ? certificates(plan) : "",
    other(plan),
  ];
  const text = sections.filter((one) => one !== "").join("\n\n");
  const words = glossaryFor(text).map(([word, meaning]) => `- **${word}**: ${meaning}`);
  return `${text}\n\n<details><summary>What the words mean</summary>\n\n${words.join("\n")}\n\n</details>\n`;
}

function intro(plan: Plan): string {
  const lines = headline(plan).map((line) => `- ${sentence(line)}`);
  return `${whereWords(plan).map(sentence).join(" ")}\n\n${lines.join("\n")}`;
}

function tasks(plan: Plan): string {
  const { before, after } = tasksWords(plan);
  const list = (title: string, all: string[]): string[] =>
    all.length === 0 ? [] : [`${title}:\n\n${all.map((one) => `- ${sentence(one)}`).join("\n")}`];
  const lists = [...list("Before it is carried out", before), ...list("Afterwards", after)];
  return lists.length === 0 ? "" : ["### What is left to you", ...lists].join("\n\n");
}

function findings(title: string, all: PlanFinding[], about = ""): string {
  if (all.length === 0) return "";
  const lines = all.map(({ code: number, title: what, path, found, fix, waived }) =>
    [
      `- **${number}** ${sentence(what)}, at ${code(path)}`,
      `  - found: ${sentence(found)}`,
      waived === null
        ? `  - what to do: ${sentence(fix)}`
        : `  - waived until ${sentence(waived.until)}: ${sentence(waived.reason)}`,
    ].join("\n"),
  );
  return `### ${title}\n\n${about === "" ? "" : `${about}\n\n`}${lines.join("\n")}`;
}

function fates(plan: Plan, { depends, devices }: PlanLockOut, folding: Folding): string {
  const rows = fateRows(plan).map(({ count, words, names: ids }) => [
    count,
    sentence(words),
    names(ids, count, folding),
  ]);
  if (rows.length === 0) return "### Devices\n\nNo device is on record with this service.";
  const why = devices
    .filter(isExplained)
    .slice(0, folding.names)
    .map(
      ({ device, before, after }) =>
        `- ${device === null ? "one device" : code(device)}: now ${sentence(before)}; then ${sentence(after)}`,
    );
  const unsure = depends.map(
    ({ switch: name, count }) =>
      `${counted(count, "device")} would fare otherwise if DPS decided otherwise what is not known of it (${code(name)}).`,
  );
  return [
    "### Devices on record, at their next registration",
    table([["Devices", "number"], ["What becomes of them"], ["Which"]], rows),
    ...(why.length === 0 ? [] : [why.join("\n")]),
    ...unsure,
  ].join("\n\n");
}

function names(all: string[], count: number, { names: most }: Folding): string {
  const shown = all.slice(0, most);
  if (shown.length === 0) return "";
  const more = count - shown.length;
  return `${shown.map(code).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function removal({ removal: found, registrations }: Plan, folding: Folding): string {
  const lines = [
    ...(registrations === null ? [] : registrationsWords(registrations)),
    ...(found === null ? [] : removalWords(found)),
  ];
  if (found === null) return lines.map(sentence).join("\n\n");
  const columns = hubColumns(found.hubs);
  const hubs = found.hubs.map((one) => [
    code(one.hub),
    ...columns.map(([, of]) => of(one)),
    names(one.names, one.goes, folding),
  ]);
  return [
    "### Hub identities that are removed",
    lines.map((line) => `- ${sentence(line)}`).join("\n"),
    table([["Hub"], ...columns.map(([title]) => [title, "number"] as const), ["Which"]], hubs),
    `What becomes of each of them:\n\n${found.loses.map((what) => `- ${sentence(what)}`).join("\n")}`,
  ].join("\n\n");
}

function section(change: PlanChange, index: number, folding: Folding): string {
  const { back, devices, overlap, path, phaseWords, procedure, procedureWords, steps, words } =
    change;
  const number = /^P\d/.test(procedure) ? ` (${procedure})` : "";
  return [
    `### ${index + 1}. ${sentence(procedureWords)}${number}`,
    `${sentence(words)}, at ${code(path)}. Phase **${sentence(phaseWords)}**.`,
    ...change.meaning.map(sentence),
    slots(change),
    sentence(statusWords(change) ?? ""),
    sentence(pastWords(change) ?? ""),
    ...(overlap === null ? [] : [sentence(overlapWords(overlap, procedure))]),
    ...(devices === null ? [] : [deviceList(devices, folding)]),
    ...(folding.steps && steps.length > 0
      ? [`What happens:\n\n${steps.map((step, at) => `${at + 1}. ${sentence(step)}`).join("\n")}`]
      : []),
    ...(back === "" ? [] : [`To go back: ${sentence(back)}.`]),
  ]
    .filter((one) => one !== "")
    .join("\n\n");
}

function slots({ slots: all }: PlanChange): string {
  if (all.length === 0) return "";
  const rows = all.map(({ slot, before, after }) => [
    slot,
    cell(before),
    isSame(before, after) ? "the same" : cell(after),
  ]);
  return table([["Slot"], ["Now"], ["After"]], rows);
}

function isSame(one: PlanCertificate | null, other: PlanCertificate | null): boolean {
  return one?.facts !== null && one?.facts?.sha256 === other?.facts?.sha256 && one !== null;
}

function cell(certificate: PlanCertificate | null): string {
  if (certificate === null) return "empty";
  const { ca, facts, name } = certificate;
  const reference = ca === null ? "" : `CA ${code(ca)}: `;
  if (facts === null) return `${reference}${code(name ?? "")}, made during up`;
  const { notAfter, notBefore, sha256, daysLeft } = facts;
  return `${reference}${code(certificateName(certificate))}, SHA-256 ${code(sha256.slice(0, 8))}…, ${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)} (${leftWords(daysLeft)})`;
}

function deviceList(devices: PlanDevices, folding: Folding): string {
  const lines = deviceLists(devices).flatMap(({ what, count, names: ids }) => {
    const shown = names(ids, count, folding);
    return count === 0 ? [] : [`- ${what} (${count})${shown === "" ? "" : `: ${shown}`}`];
  });
  return [sentence(deviceWords(devices)), ...(lines.length === 0 ? [] : [lines.join("\n")])].join(
    "\n\n",
  );
}

function rest(changes: PlanChange[]): string {
  if (changes.length === 0) return "";
  const lines = changes.map(({ words, path }) => `- ${sentence(words)}, at ${code(path)}`);
  return `### ${lines.length} more changes\n\n${lines.join("\n")}`;
}

function order({ changes, order: steps }: Plan, folding: Folding): string {
  if (changes.length < 2 || !folding.steps) return "";
  const lines = steps.map(
    ({ stage, words }, index) => `${index + 1}. _${stage}_: ${sentence(words)}`,
  );
  return `### In which order\n\n<details><summary>${steps.length} steps of ${changes.length} changes</summary>\n\n${lines.join("\n")}\n\n</details>`;
}

function certificates(plan: Plan): string {
  const all = certificatesOf(plan);
  if (all.length === 0) return "";
  const rows = all.map((one) => [
    code(one.subject),
    code(one.issuer),
    code(one.sha1),
    code(one.sha256),
    `${one.notBefore.slice(0, 10)} to ${one.notAfter.slice(0, 10)}`,
    sentence(`${one.key}, ${one.signature}`),
    one.chainsTo === null ? "no CA of this DPS" : code(one.chainsTo),
  ]);
  const columns = ["Subject", "Issuer", "SHA-1", "SHA-256", "Valid", "Key, signature", "Chains to"];
  const shown = table(
    columns.map((title) => [title] as const),
    rows,
  );
  return `<details><summary>Certificates (${all.length})</summary>\n\n${shown}\n\n</details>`;
}

function other(plan: Plan): string {
  const lines = otherLines(plan).map((line) => `- ${sentence(line)}`);
  return `### Besides\n\n${lines.join("\n")}`;
}

function fenced(text: string): string {
  return `    ${text.split("\\u{a}").join("\n    ")}`;
}
