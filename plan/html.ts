/** The plan as one HTML page: no script, nothing loaded from elsewhere, good to print. */
import { glossaryFor } from "./glossary";
import { codeOf, listOf, sentenceOf, tableOf } from "./html-text";
import type {
  Plan,
  PlanCertificate,
  PlanChange,
  PlanDevices,
  PlanFinding,
  PlanLockOut,
  PlanRemoval,
} from "./model";
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
import { timelineOf } from "./plan-timeline";
import { escaped, timelineSvg } from "./timeline-svg";
import { timelineTable } from "./timeline-table";

const STYLE = `
:root{color-scheme:light}
body{font:16px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",Arial,sans-serif;color:#1a1a1a;background:#fff;max-width:66rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid #c8c8c8}
code{font:.92em ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;background:#f2f2f2;padding:0 .2em;border-radius:3px;overflow-wrap:anywhere}
table{border-collapse:collapse;margin:.5rem 0;width:100%}caption{text-align:left;font-weight:600;padding:.25rem 0}
th,td{border:1px solid #c8c8c8;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:break-word}th{background:#f2f2f2;white-space:nowrap}td:first-child{min-width:6rem}
.number{text-align:right;white-space:nowrap}.wide{overflow-x:auto}.date,.fault{white-space:nowrap}
.head{border-left:.4rem solid #3b6ea5;background:#eef3f9;padding:.5rem 1rem}
.refused,.failed{border-color:#8a1c00;background:#fbeeea}.cut{font-weight:600;color:#8a1c00}
.picture svg{max-width:100%;min-width:46rem;height:auto}summary{cursor:pointer;font-weight:600}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f2f2f2;padding:.5rem}
@media print{.picture svg{min-width:0}body{max-width:none;padding:0;font-size:10.5pt}h2{break-after:avoid}tr,svg,.head{break-inside:avoid}details{display:none}code{background:none}}`;

export function html(plan: Plan): string {
  const title = `Certificate plan for stack ${plan.stack}`;
  const timeline = timelineOf(plan);
  const body = `<h1>Certificate plan for stack ${codeOf(plan.stack)}</h1>
<p>${whereWords(plan).map(sentenceOf).join(" ")}</p>
<div class="head ${plan.verdict}">${listOf(headline(plan).map(emphasised))}</div>
${findings("Refused", plan.refusals)}
${plan.errors.length === 0 ? "" : section("The preview broke off", plan.errors.map((text) => `<pre>${escaped(text.replaceAll("\\u{a}", "\n"))}</pre>`).join("\n"))}
${tasks(plan)}
${plan.lockOut === null ? "" : fates(plan, plan.lockOut)}
${removal(plan)}
${timeline.entries.length === 0 ? "" : section("Certificates over time", `<div class="wide picture">${timelineSvg(timeline)}</div>\n<details><summary>The same as a table</summary>\n<div class="wide">${timelineTable(timeline)}</div></details>`)}
${findings("Warnings", plan.warnings)}
${findings("Waived", plan.waived)}
${plan.changes.map(change).join("\n")}
${order(plan)}
${certificates(plan)}
${section("Besides", listOf(otherLines(plan).map(sentenceOf)))}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
${section(
  "What the words mean",
  `<dl>${glossaryFor(body)
    .map(
      ([word, meaning]) =>
        `<dt><strong>${escaped(word)}</strong></dt><dd>${sentenceOf(meaning)}</dd>`,
    )
    .join("\n")}</dl>`,
)}
</body>
</html>
`;
}

function tasks(plan: Plan): string {
  const { before, after } = tasksWords(plan);
  const list = (title: string, all: string[]): string =>
    all.length === 0 ? "" : `<p>${title}:</p>${listOf(all.map(sentenceOf))}`;
  return section(
    "What is left to you",
    list("Before it is carried out", before) + list("Afterwards", after),
  );
}

function section(title: string, content: string): string {
  return content === "" ? "" : `<section><h2>${escaped(title)}</h2>\n${content}</section>`;
}

function emphasised(line: string): string {
  const text = sentenceOf(line);
  return /CUT OFF|disconnected|^Nothing replaces|^Refused|broke off/.test(line)
    ? `<span class="cut">${text}</span>`
    : text;
}

function findings(title: string, all: PlanFinding[]): string {
  const rows = all.map(({ code, title: what, path, found, fix, waived }) => [
    `<strong class="fault">${escaped(code)}</strong> ${escaped(what)}<br>at ${codeOf(path)}`,
    sentenceOf(found),
    waived === null
      ? sentenceOf(fix)
      : `waived until ${escaped(waived.until)}: ${escaped(waived.reason)}`,
  ]);
  return rows.length === 0
    ? ""
    : section(
        title,
        tableOf(counted(rows.length, "finding"), ["What", "Found", "What to do"], rows),
      );
}

function fates(plan: Plan, { depends, devices }: PlanLockOut): string {
  const rows = fateRows(plan).map(({ fate, count, words, names }) => [
    String(count),
    fate === "refused" ? `<span class="cut">${sentenceOf(words)}</span>` : sentenceOf(words),
    named(names, count),
  ]);
  const why = devices
    .filter(isExplained)
    .map(
      ({ device, before, after }) =>
        `${device === null ? "one device" : codeOf(device)}: now ${sentenceOf(before)}; then ${sentenceOf(after)}`,
    );
  const unsure = depends.map(
    ({ switch: name, count }) =>
      `${counted(count, "device")} would fare otherwise if DPS decided otherwise what is not known of it (${codeOf(name)}).`,
  );
  const table =
    rows.length === 0
      ? "<p>No device is on record with this service.</p>"
      : tableOf(
          "At their next registration",
          ["Devices", "What becomes of them", "Which"],
          rows,
          [0],
        );
  return section("Devices on record", table + listOf(why) + listOf(unsure));
}

function named(names: string[], count: number): string {
  const more = count - names.length;
  return `${names.map(codeOf).join(", ")}${more > 0 && names.length > 0 ? ` and ${more} more` : ""}`;
}

function removal({ removal: found, registrations }: Plan): string {
  const lines = registrations === null ? [] : registrationsWords(registrations);
  if (found === null) return lines.map((line) => `<p>${sentenceOf(line)}</p>`).join("\n");
  return section(
    "Hub identities that are removed",
    listOf([...lines, ...removalWords(found)].map(sentenceOf)) +
      hubs(found) +
      `<p>What becomes of each of them:</p>${listOf(found.loses.map(sentenceOf))}`,
  );
}

function hubs({ hubs: all }: PlanRemoval): string {
  const columns = hubColumns(all);
  const rows = all.map((one) => [
    codeOf(one.hub),
    ...columns.map(([, of]) => String(of(one))),
    named(one.names, one.goes),
  ]);
  return tableOf(
    "By hub",
    ["Hub", ...columns.map(([title]) => title), "Which"],
    rows,
    columns.map((_, index) => index + 1),
  );
}

function change(one: PlanChange, index: number): string {
  const {
    back,
    devices,
    meaning,
    overlap,
    path,
    phaseWords,
    procedure,
    procedureWords,
    slots,
    steps,
    words,
  } = one;
  const status = [statusWords(one) ?? [], pastWords(one) ?? []].flat();
  const number = /^P\d/.test(procedure) ? ` (${procedure})` : "";
  const rows = slots.map(({ slot, before, after }) => [
    slot,
    cell(before),
    before?.facts?.sha256 !== undefined && before.facts.sha256 === after?.facts?.sha256
      ? "the same"
      : cell(after),
  ]);
  return section(
    `${index + 1}. ${procedureWords}${number}`,
    [
      `<p>${sentenceOf(words)}, at ${codeOf(path)}. Phase <strong>${sentenceOf(phaseWords)}</strong>.</p>`,
      ...meaning.map((each) => `<p>${sentenceOf(each)}</p>`),
      ...(rows.length === 0 ? [] : [tableOf("Slots", ["Slot", "Now", "After"], rows)]),
      ...status.map((each) => `<p>${sentenceOf(each)}</p>`),
      ...(overlap === null ? [] : [`<p>${sentenceOf(overlapWords(overlap, procedure))}</p>`]),
      ...(devices === null ? [] : [deviceList(devices)]),
      ...(steps.length === 0 ? [] : [`<p>What happens:</p>${listOf(steps.map(sentenceOf), true)}`]),
      ...(back === "" ? [] : [`<p>To go back: ${sentenceOf(back)}.</p>`]),
    ].join("\n"),
  );
}

function cell(certificate: PlanCertificate | null): string {
  if (certificate === null) return "empty";
  const { ca, facts, name } = certificate;
  const reference = ca === null ? "" : `CA ${codeOf(ca)}: `;
  if (facts === null) return `${reference}${codeOf(name ?? "")}, made during up`;
  return `${reference}${codeOf(certificateName(certificate))}<br>SHA-256 ${codeOf(facts.sha256.slice(0, 8))}…, ${datesOf(facts)} (${leftWords(facts.daysLeft)})`;
}

function datesOf({ notAfter, notBefore }: { notAfter: string; notBefore: string }): string {
  const [from, to] = [notBefore, notAfter].map(
    (time) => `<span class="date">${escaped(time.slice(0, 10))}</span>`,
  );
  return `${from} to ${to}`;
}

function deviceList(devices: PlanDevices): string {
  const lines = deviceLists(devices).flatMap(({ what, count, names }) =>
    count === 0
      ? []
      : [`${escaped(what)} (${count})${names.length === 0 ? "" : `: ${named(names, count)}`}`],
  );
  return `<p>${sentenceOf(deviceWords(devices))}</p>${listOf(lines)}`;
}

function order({ changes, order: steps }: Plan): string {
  if (changes.length < 2) return "";
  const lines = steps.map(({ stage, words }) => `<em>${stage}</em>: ${sentenceOf(words)}`);
  return section("In which order", listOf(lines, true));
}

function certificates(plan: Plan): string {
  const rows = certificatesOf(plan).map(
    ({ chainsTo, issuer, key, notAfter, notBefore, sha1, sha256, signature, subject }) => [
      codeOf(subject),
      codeOf(issuer),
      codeOf(sha1),
      codeOf(sha256),
      datesOf({ notAfter, notBefore }),
      escaped(`${key}, ${signature}`),
      chainsTo === null ? "no CA of this DPS" : codeOf(chainsTo),
    ],
  );
  const head = ["Subject", "Issuer", "SHA-1", "SHA-256", "Valid", "Key, signature", "Chains to"];
  return rows.length === 0
    ? ""
    : section("Certificates", tableOf(counted(rows.length, "certificate"), head, rows));
}
