/** What was measured, as a Markdown table. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";

export interface Round {
  count: number;
  seconds: number;
  /** Processor time of the server and of the devices, seconds; NaN where it cannot be read. */
  serverCpu: number;
  clientCpu: number;
}

export interface Measured {
  what: string;
  rounds: Round[];
}

export interface Results {
  /** The first is what the others are compared with, round by round. */
  measured: Measured[];
  /** Devices that were connected at once, how long it took, and the memory that the sandbox took for them. */
  crowd: { count: number; seconds: number; bytes: number };
}

const PAGE = join(__dirname, "README.md");
const BEGIN = "<!-- measured: begin -->";
const END = "<!-- measured: end -->";

export function report({ measured, crowd }: Results): string {
  const base = measured[0]!;
  const lines = measured.map((one) => {
    const total = sum(one.rounds);
    const ratios = one.rounds.map((round, at) => rate(round) / rate(base.rounds[at]!));
    const cells = [
      one.what,
      total.count,
      rate(total).toFixed(0),
      (rate(total) / rate(sum(base.rounds))).toFixed(2),
      `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
      milliseconds(total.serverCpu / total.count),
      milliseconds(total.clientCpu / total.count),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const { count, seconds, bytes } = crowd;
  const [cpu] = cpus();
  return [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${availableParallelism()} cores (${cpu?.model.trim()}), ${process.platform}.`,
    "",
    "| | count | a second | beside bare TLS | of the rounds | server, CPU ms each | devices, CPU ms each |",
    "|---|---:|---:|---:|---:|---:|---:|",
    ...lines,
    "",
    `${count} devices connected to their hub at once, ${(count / seconds).toFixed(0)} a second, and each was answered its twin then. ${memoryWords(bytes, count)}`,
  ].join("\n");
}

/* What the registrations before them have left may be collected meanwhile: then less is in use than before. */
function memoryWords(bytes: number, count: number): string {
  return bytes > 0
    ? `The sandbox's memory grew by ${(bytes / count / 1024).toFixed(0)} KiB for each.`
    : "The sandbox's memory did not grow.";
}

/** Puts the report in its place on the page. */
export function publish(results: Results): void {
  const page = readFileSync(PAGE, "utf8");
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before === -1 || after === -1) throw new Error(`${PAGE} has no place for the results`);
  const head = page.slice(0, before + BEGIN.length);
  writeFileSync(PAGE, `${head}\n\n${report(results)}\n\n${page.slice(after)}`);
}

function sum(rounds: Round[]): Round {
  const total = { count: 0, seconds: 0, serverCpu: 0, clientCpu: 0 };
  for (const round of rounds) {
    for (const name of Object.keys(total) as (keyof Round)[]) total[name] += round[name];
  }
  return total;
}

function rate({ count, seconds }: Round): number {
  return count / seconds;
}

function milliseconds(seconds: number): string {
  return Number.isNaN(seconds) ? "not known" : (seconds * 1000).toFixed(1);
}
