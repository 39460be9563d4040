/** `sandbox fault`: makes requests fail, to see what a program does then. */
import Table from "cli-table3";
import { type Command, InvalidArgumentError, Option } from "commander";
import { FAULT_KINDS, type FaultOrder, type InjectedFault } from "../common/injected-faults";
import { control, mustRunIn } from "../control/client";
import { folderOf, withDir } from "./options";

export function addFault(program: Command): void {
  const fault = program.command("fault").description("make requests fail on purpose");
  const add = withDir(fault.command("add").description("order a fault"))
    .requiredOption("--on <request>", 'method and path, as "PUT enrollments/*" (see `log`)')
    .addOption(
      new Option("--kind <kind>", "what happens").choices(FAULT_KINDS).makeOptionMandatory(),
    )
    .option("--service <service>", "only of this service, as in the log")
    .option("--nth <n>", "the first request to strike; default: 1", toNumber)
    .option("--times <n>", "how many in a row; default: 1", toNumber)
    .option("--wait <n>", "latency: milliseconds (2000); throttle: seconds (1)", toNumber);
  add.action(async ({ dir: _dir, ...order }: FaultOrder & { dir: string }) => {
    const made = await control<InjectedFault>(mustRunIn(folderOf(add)), "POST", "/faults", order);
    process.stdout.write(`fault ${made.id}: ${describe(made)}\n`);
  });
  const list = withDir(fault.command("list").description("print the faults that were ordered"));
  list.action(async () => {
    const all = await control<InjectedFault[]>(mustRunIn(folderOf(list)), "GET", "/faults");
    if (all.length === 0) return void process.stdout.write("No faults are ordered.\n");
    const table = new Table({
      head: ["fault", "what", "matched", "struck"],
      style: { head: [], border: [], compact: true },
    });
    table.push(...all.map((one) => [one.id, describe(one), one.matched, one.struck]));
    process.stdout.write(`${table.toString()}\n`);
  });
  const clear = withDir(
    fault.command("clear").description("take faults back").argument("[id]", "one; default: all"),
  );
  clear.action(async (id: string | undefined) => {
    const path = id === undefined ? "/faults" : `/faults/${encodeURIComponent(id)}`;
    const { cleared } = await control<{ cleared: number }>(
      mustRunIn(folderOf(clear)),
      "DELETE",
      path,
    );
    process.stdout.write(`${cleared === 1 ? "1 fault" : `${cleared} faults`} taken back.\n`);
  });
}

function describe({ on, kind, service, nth, times, wait }: InjectedFault): string {
  const which = times === 1 ? `request ${nth}` : `requests ${nth} to ${nth + times - 1}`;
  const how =
    kind === "latency" ? ` of ${wait} ms` : kind === "throttle" ? ` (Retry-After ${wait})` : "";
  return `${kind}${how} at ${which} of ${on}${service === undefined ? "" : ` (${service})`}`;
}

function toNumber(text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number)) throw new InvalidArgumentError("a number.");
  return number;
}
