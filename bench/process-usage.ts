/** What a process used. From /proc, so on Linux only; elsewhere NaN. */
import { readFileSync } from "node:fs";

/** Of the kernel's clock for user space: 100 on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;
const PAGE_BYTES = 4096;

/** Processor time of all its threads so far, seconds. */
export function cpuSeconds(pid: number): number {
  // Behind the name, which may hold anything: state is the first, user and system time the 12th and 13th.
  const fields = read(pid, "stat")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  return Number(read(pid, "statm").split(" ")[1]) * PAGE_BYTES;
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
