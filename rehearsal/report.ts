/** The tables at the end. */
import Table from "cli-table3";
import type { DeviceRow, Findings } from "./findings";
import { wayInto } from "./keeping";

/**
 * Both tables and the verdict, as text without colours.
 *
 * @param options.evidence what was seen of each rule. Default: true
 */
export function report(
  findings: Findings,
  procedures: number,
  seconds: number,
  { evidence = true } = {},
): string {
  const { rules, devices, failures, kept } = findings;
  const what = `${rules.length} rules of ${procedures} procedure${procedures === 1 ? "" : "s"}`;
  const verdict =
    failures.length === 0
      ? `All ${what} held, in ${duration(seconds)}.`
      : [
          ...kept.map(wayInto),
          `${failures.length} of ${what} did not hold, in ${duration(seconds)}:`,
          ...failures.map(
            ({ procedure, rule, evidence }) => `  ${procedure}: ${rule} (${short(evidence)})`,
          ),
        ].join("\n");
  return [
    deviceTable(devices),
    evidence
      ? table(
          ["", "rule", "held", "seen"],
          rules.map((each) => [each.procedure, each.rule, heldWord(each), short(each.evidence)]),
          [undefined, 44, undefined, 52],
        )
      : table(
          ["", "rule", "held"],
          rules.map((each) => [each.procedure, each.rule, heldWord(each)]),
          [undefined, 96, undefined],
        ),
    verdict,
    "",
  ].join("\n");
}

function heldWord({ held }: { held: boolean }): string {
  return held ? "yes" : "NO";
}

/** `8 min 12 s`, `41 s`. */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes === 0 ? `${whole} s` : `${minutes} min ${whole % 60} s`;
}

/** The beginning of what has several lines; all of it was told when it happened. */
function short(evidence: string): string {
  const lines = evidence.split("\n").map((line) => line.trim());
  return lines.length <= 3 ? lines.join(" ") : `${lines.slice(0, 3).join(" ")} …`;
}

function deviceTable(devices: DeviceRow[]): string {
  return table(
    ["", "device", "", "before", "after", "hub", "refused hub/DPS", "s without connection"],
    devices.map((row) => [
      row.procedure,
      row.device,
      row.role,
      certificate(row.before),
      row.before.thumbprint === row.after.thumbprint ? "the same" : certificate(row.after),
      row.hub.split(".")[0] ?? row.hub,
      `${row.refused.hub} / ${row.refused.dps}`,
      row.secondsWithoutConnection.toFixed(1),
    ]),
    [undefined, undefined, 20, undefined, undefined, undefined, 11, 12],
  );
}

function certificate({ thumbprint, expires }: DeviceRow["before"]): string {
  return `${thumbprint.slice(0, 8)}… to ${expires.slice(0, 10)}`;
}

function table(head: string[], rows: string[][], widths: (number | undefined)[]): string {
  const made = new Table({
    head,
    colWidths: widths.map((width) => width ?? null),
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  made.push(...rows);
  return made.toString();
}
