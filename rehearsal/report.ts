/** The tables at the end. */
import Table from "cli-table3";
import type { DeviceRow, Findings } from "./findings";

/** Both tables and a last line, as text without colours. */
export function report(findings: Findings, seconds: number): string {
  const { rules, devices, failures } = findings;
  const verdict =
    failures.length === 0
      ? `All ${rules.length} rules held, in ${seconds.toFixed(0)} s.`
      : [
          `${failures.length} of ${rules.length} rules did not hold:`,
          ...failures.map(
            ({ procedure, rule, evidence }) => `  ${procedure}: ${rule} (${evidence})`,
          ),
        ].join("\n");
  return [
    deviceTable(devices),
    table(
      ["", "rule", "held", "seen"],
      rules.map(({ procedure, rule, held, evidence }) => [
        procedure,
        rule,
        held ? "yes" : "NO",
        evidence,
      ]),
      [undefined, 44, undefined, 52],
    ),
    verdict,
    "",
  ].join("\n");
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
