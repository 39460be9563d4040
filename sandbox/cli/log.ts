/** `sandbox log`: who asked what, and how it was answered. */
import { createReadStream, existsSync, statSync, watch } from "node:fs";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import type { LoggedRequest } from "../common/request-log";
import { SandboxError } from "../folder";
import { folderOf, printable, withDir } from "./options";

export function addLog(program: Command): void {
  const log = withDir(
    program.command("log").description("print the requests that the sandbox answered (no secrets)"),
  )
    .option("-f, --follow", "go on with new ones, until Ctrl-C", false)
    .option("--json", "as JSON lines", false);
  log.action(async ({ follow, json }: { follow: boolean; json: boolean }) => {
    const { requestsFile: file, path } = folderOf(log);
    if (!existsSync(file) && !follow) {
      throw new SandboxError(`No request was logged in ${path}.`);
    }
    const print = (line: string): void => {
      process.stdout.write(`${json ? line : describe(JSON.parse(line) as LoggedRequest)}\n`);
    };
    const end = existsSync(file) ? await printFrom(file, 0, print) : 0;
    if (follow) await followFrom(file, path, end, print);
  });
}

/** "21:14:03.120  dps-service my-dps  PUT /enrollments/device-1  200  note" */
function describe({ time, service, instance, method, path, status, note }: LoggedRequest): string {
  const who = [service, instance].filter((word) => word !== "").join(" ");
  const tail = note === undefined ? "" : `  ${note}`;
  return printable(
    `${time.replace("T", " ").replace("Z", "")}  ${who}  ${method} ${path}  ${status}${tail}`,
  );
}

/** Prints the whole lines from `start` on; where the next one begins. */
async function printFrom(
  file: string,
  start: number,
  print: (line: string) => void,
): Promise<number> {
  const size = statSync(file).size;
  // A log that began anew: the sandbox was started again.
  let at = size < start ? 0 : start;
  if (size === at) return at;
  const lines = createInterface({ input: createReadStream(file, { start: at, end: size - 1 }) });
  for await (const line of lines) {
    const bytes = Buffer.byteLength(line) + 1;
    // The last line may be half written: it is read again when it is whole.
    if (at + bytes > size) break;
    at += bytes;
    print(line);
  }
  return at;
}

async function followFrom(
  file: string,
  folder: string,
  start: number,
  print: (line: string) => void,
): Promise<never> {
  let at = start;
  let reading = Promise.resolve();
  const read = (): void => {
    reading = reading.then(async () => {
      if (existsSync(file)) at = await printFrom(file, at, print);
    });
  };
  // The folder, because the file may not be there yet, or be made anew.
  watch(folder, (_event, name) => {
    if (name === null || file.endsWith(name)) read();
  });
  read();
  return new Promise<never>(() => undefined);
}
