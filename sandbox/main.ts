/** Command line of the sandbox: `npm run sandbox`, and what is asked of one that runs. */
import { relative } from "node:path";
import { Command } from "commander";
import { addCert } from "./cli/cert";
import { addClock } from "./cli/clock";
import { addFault } from "./cli/fault";
import { addLog } from "./cli/log";
import { COMMAND, DEFAULT_DIR, folderOf, invocation, withDir } from "./cli/options";
import { addShow } from "./cli/show";
import { describeSwitches, readSwitches, SwitchError } from "./common/switches";
import { mustRunIn } from "./control/client";
import { environmentOf, exportLines } from "./environment";
import { SandboxError, type SandboxFolder } from "./folder";
import { startSandbox, type RunningSandbox } from "./sandbox";

interface StartOptions {
  dir: string;
  keep: boolean;
  standardPorts: boolean;
  switch: string[];
  throttle: boolean;
  throttleScale: string;
}

function commandLine(): Command {
  const program = new Command(COMMAND)
    .description("A local emulator of Azure IoT Hub Device Provisioning Service and what it needs.")
    .enablePositionalOptions()
    .option("--dir <dir>", "folder of the sandbox", DEFAULT_DIR)
    .option("--keep", "find everything again at the next start", false)
    .option(
      "--standard-ports",
      "an own loopback address for each service, MQTT on 8883, HTTPS on 443 where permitted",
      false,
    )
    .option(
      "--switch <NAME=VALUE>",
      "set what is not known about Azure, as often as needed; see `switches`",
      (setting: string, before: string[]) => [...before, setting],
      [],
    )
    .option("--no-throttle", "without the published limits on rates")
    .option("--throttle-scale <n>", "limits n times faster: 60 makes a minute a second", "1")
    .action((options: StartOptions) => run(options));
  const env = withDir(
    program
      .command("env")
      .description(
        "print the environment variables that lead Pulumi and SDKs to the running sandbox",
      ),
  ).action(() => printEnvironment(folderOf(env)));
  addClock(program);
  addCert(program);
  addFault(program);
  addShow(program);
  addLog(program);
  program
    .command("switches")
    .description("list what is not known about Azure: names, meanings, values, defaults")
    .action(() => void process.stdout.write(describeSwitches()));
  return program;
}

async function run(options: StartOptions): Promise<void> {
  const switches = readSwitches(options.switch);
  const throttle = options.throttle ? { scale: readScale(options.throttleScale) } : false;
  let stopping = false;
  const stop = (): void => {
    // A second signal: somebody is in a hurry.
    if (stopping) {
      process.exit(1);
    }
    stopping = true;
    process.stdout.write("Stopping the sandbox.\n");
    // One that is still starting stops when it has started: nothing is left behind.
    starting
      .then((running) => running.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, stop);
  }
  // After the handlers: from its first file on, somebody has to tidy up.
  const starting = startSandbox({ ...options, switches, throttle });
  const running = await starting;
  if (!stopping) {
    process.stdout.write(banner(running, options));
  }
}

function readScale(text: string): number {
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || Number(text) === 0) {
    throw new SandboxError(`--throttle-scale ${text}: write a number above 0.`);
  }
  return Number(text);
}

function banner(running: RunningSandbox, options: StartOptions): string {
  const { arm, provisioningServices, iotHubs } = running.endpoints();
  const dir = options.dir === DEFAULT_DIR ? "" : ` --dir ${shellWord(options.dir)}`;
  const where = relative(process.cwd(), running.folder.path) || ".";
  const services = [
    ...provisioningServices.map(
      (one) => `  DPS      ${one.name}  ${one.serviceHostName}  ID scope ${one.idScope}`,
    ),
    ...iotHubs.map((one) => `  IoT hub  ${one.name}  ${one.hostName}`),
  ];
  return [
    `The DPS sandbox is running in ${where}${options.keep ? " (kept)" : ""}. Nothing here is real.`,
    `  ARM      ${arm.endpoint}  subscription ${arm.subscriptionId}`,
    ...services,
    ...options.switch.map((setting) => `  Switch   ${setting}`),
    ...(options.throttle ? [] : ["  Without the published limits on rates."]),
    ...running.notices.map((notice) => `  ${notice}`),
    "In another terminal:",
    `  eval "$(${invocation("env")}${dir})"`,
    "Stop it with Ctrl-C.",
    "",
  ].join("\n");
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function printEnvironment(folder: SandboxFolder): void {
  const { endpoints, environment } = mustRunIn(folder);
  process.stdout.write(exportLines(environmentOf(folder, endpoints, environment, process.env)));
}

function isForTerminal(error: unknown): error is Error {
  return error instanceof SandboxError || error instanceof SwitchError;
}

commandLine()
  .parseAsync()
  .catch((error: unknown) => {
    console.error(isForTerminal(error) ? error.message : error);
    process.exitCode = 1;
  });
