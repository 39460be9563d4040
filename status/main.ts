/** Command line: `npm run status`. Reads only: no lock, no write to Azure or to a state. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { parseIssuedLeaves } from "../certificates/issued-leaves";
import { formatFault } from "../certificates/faults";
import { displayName } from "../certificates/text";
import { serviceWanted, withResourceGroup, WhichServiceError } from "../clients/service-lookup";
import { type Connection, describeTarget } from "../clients/target";
import { askTargetTime } from "../clients/target-time";
import { endWith } from "../containment/command-ending";
import { readKnown, UsageError } from "../containment/sought";
import { readInventory } from "../plan/inventory";
import { timelineSvg } from "../plan/timeline-svg";
import { windowOf } from "./ending";
import { HistoryError, record } from "./history";
import { writePrometheus } from "./prometheus";
import { statusOf } from "./roll-status";
import { exportStack, type ManagedService, managedServices, StackError } from "./stack";
import type { Status } from "./status";
import { told } from "./telling";
import { timelineOf } from "./timeline";

/** Exit codes; documented in the help. */
export const EXIT = { fine: 0, failed: 1, usage: 2, unseen: 3, ending: 4 } as const;

interface Flags {
  stack?: string | false;
  state?: string;
  cwd?: string;
  service?: string;
  host?: string;
  resourceGroup?: string;
  subscription?: string;
  auth: Connection["auth"];
  known: string[];
  issuedLeaves?: string;
  failWithin?: string;
  failLeavesWithin?: string;
  history?: string;
  prometheus?: string;
  timeline?: string;
  json?: true;
  names: boolean;
}

const HELP = `
Which DPS: that of the Pulumi stack, whose certificates tell who issued a leaf. Without a stack
(--no-stack, or one of --service, --host) in a shell attached to a sandbox the sandbox's, otherwise the
one in Azure that is named, and --known names the certificates.

Evidence that a device has the new certificate: the leaf that its hub has; for a group, who issued that
very leaf, by the manifest of issued leaves or by what the device reports in its twin. Everything else is
"not known". That a device is connected is no evidence.

Exit codes:
  0  read, and nothing ends within --fail-within or --fail-leaves-within
  1  it failed
  2  what was given cannot be understood; nothing was read
  3  read, but something could not be looked at
  4  something ends within, or has ended, and devices depend on it or may

Examples:
  npm run status
  npm run status -- --stack prod --fail-within 30d --history prod.jsonl
  npm run status -- --prometheus /var/lib/node_exporter/dps.prom
  npm run status -- --service contoso-dps --known pki/intermediates.pem --json
`;

function commandLine(): Command {
  const several = (value: string, before: string[]): string[] => [...before, value];
  return new Command("status")
    .description("How far rolls of certificates are, and what ends when.")
    .option("--stack <name>", "the Pulumi stack; default: the selected one")
    .option("--no-stack", "look at the service alone")
    .option("--state <file>", "the stack's state, as `pulumi stack export` prints it")
    .option("--cwd <folder>", "folder of the Pulumi program; default: this one")
    .addOption(new Option("--service <name>", "the DPS instance, by its name in Azure"))
    .addOption(new Option("--host <host>", "host of its service API"))
    .addOption(new Option("--resource-group <name>", "its group").env("DPS_RESOURCE_GROUP"))
    .option("--subscription <id>", "its subscription; default: ARM_ or AZURE_SUBSCRIPTION_ID")
    .addOption(
      new Option("--auth <kind>", "how to sign in without a stack")
        .choices(["entra", "keys"])
        .default("entra"),
    )
    .option("--known <file>", "PEM of CA certificates by which issuers are recognised", several, [])
    .option("--issued-leaves <file>", "the manifest of issued leaves; default: the stack's")
    .option("--fail-within <time>", "exit code 4 when a certificate ends within 30d, 12h, 2w")
    .option("--fail-leaves-within <time>", "the same for the leaves that devices report")
    .option("--history <file>", "add this reading to a JSON lines file, and show it over time")
    .option("--prometheus <file>", "write metrics for node_exporter's textfile collector")
    .option("--timeline <file>", "write a picture (SVG) of certificates over time")
    .option("--no-names", "leave device names out")
    .option("--json", "the status as one JSON object (status/status.schema.json)")
    .addHelpText("after", HELP)
    .exitOverride();
}

const DEFAULT_WINDOW = "30d";

async function main(): Promise<number> {
  const flags = commandLine().parse().opts<Flags>();
  const within = windowMs("--fail-within", flags.failWithin);
  const leavesWithin = windowMs("--fail-leaves-within", flags.failLeavesWithin);
  const { connection, ...managed } = await serviceOf(flags);
  // What people read goes where it does not disturb what programs read.
  const say = (text: string): void => (flags.json ? console.error(text) : console.log(text));
  say(describeTarget(connection.target));
  say(`DPS: ${connection.serviceHostName}.`);
  const time = await askTargetTime(connection.target);
  if (time !== undefined) say(time);
  for (const { ca, whatToDo } of managed.toSign) {
    say(`CA certificate ${displayName(ca)} waits for its proof of possession. ${whatToDo}`);
  }
  const leavesFile = flags.issuedLeaves ?? managed.issuedLeaves;
  const known = [...managed.known, ...readKnown(flags.known)];
  const inventory = await readInventory(await withResourceGroup(connection), {
    issued: leavesFile === undefined ? [] : issuedLeaves(leavesFile),
    say,
  });
  const status = statusOf(inventory, {
    target: connection.target,
    service: connection.serviceHostName,
    ...(managed.stack !== undefined && { stack: managed.stack }),
    known,
    isCompromised: managed.isCompromised,
    closed: managed.closed,
    windowMs: within ?? windowMs("", DEFAULT_WINDOW)!,
    leavesWindowMs: leavesWithin ?? within ?? windowMs("", DEFAULT_WINDOW)!,
    withoutNames: !flags.names,
  });
  const history = flags.history === undefined ? undefined : record(flags.history, status);
  if (flags.prometheus !== undefined) writePrometheus(flags.prometheus, status);
  if (flags.timeline !== undefined) {
    writeFileSync(
      flags.timeline,
      timelineSvg(
        timelineOf(status, { pastRolls: managed.pastRolls, ...(history && { history }) }),
      ),
    );
  }
  console.log(flags.json ? JSON.stringify(status) : told(status, history));
  return exitCode(status, within !== undefined, leavesWithin !== undefined);
}

function exitCode(status: Status, slots: boolean, leaves: boolean): number {
  const ends = status.ending.some(
    ({ what, urgency }) => urgency !== "covered" && (what === "leaves" ? leaves : slots),
  );
  if (ends) return EXIT.ending;
  return status.notRead.length > 0 ? EXIT.unseen : EXIT.fine;
}

function windowMs(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const window = windowOf(text);
  if (window === undefined) {
    throw new UsageError(`${flag} ${text} is no time: write it as 30d, 12h or 2w.`);
  }
  return window;
}

async function serviceOf(flags: Flags): Promise<ManagedService & { stack?: string }> {
  const { stack, state, service, host } = flags;
  if (stack === false || service !== undefined || host !== undefined) {
    if (state !== undefined || typeof stack === "string") {
      throw new UsageError(
        "Give a stack (--stack, --state) or a service (--service, --host), not both.",
      );
    }
    return {
      connection: serviceWanted(flags),
      known: [],
      pastRolls: [],
      isCompromised: () => false,
      closed: [],
      toSign: [],
    };
  }
  const source = state ?? (stack === undefined ? "the selected stack" : `stack ${stack}`);
  const text = state === undefined ? await exportStack(stack, flags.cwd) : fileText(state);
  const [one, ...others] = managedServices(text, source);
  if (one === undefined || others.length > 0) {
    const found = [one, ...others].flatMap((each) => each?.connection.service ?? []);
    throw new StackError(
      found.length === 0
        ? `${source} manages no DPS instance, or has not been brought up yet. --no-stack looks at a service alone.`
        : `${source} manages ${found.join(" and ")}: look at one with --no-stack --service NAME.`,
    );
  }
  const { issuedLeaves: leaves } = one;
  return {
    ...one,
    stack: stack ?? source,
    ...(leaves !== undefined && { issuedLeaves: resolve(flags.cwd ?? ".", leaves) }),
  };
}

function issuedLeaves(file: string): ReturnType<typeof parseIssuedLeaves>["leaves"] {
  const { leaves, faults } = parseIssuedLeaves(fileText(file), file);
  if (faults.length > 0) throw new UsageError(faults.map(formatFault).join("\n"));
  return leaves;
}

function fileText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

endWith(main(), EXIT, [UsageError, WhichServiceError, StackError, HistoryError]);
