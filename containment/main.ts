/**
 * Command line: `npm run contain -- <PEM file | thumbprint | registration ID>`. For the first minute of
 * a breach: needs no stack, no state and no lock.
 */
import { Command, Option } from "commander";
import { serviceWanted, WhichServiceError } from "../clients/service-lookup";
import { type Connection, describeTarget } from "../clients/target";
import { endWith } from "./command-ending";
import { contain } from "./contain";
import { isClean, report } from "./report";
import { readContained, readKnown, readLines, readSought, type Sought, UsageError } from "./sought";
import { EXIT, exitCode, reportExitCode, told, toldReport } from "./telling";

interface Flags {
  registrationId?: string;
  known?: string[];
  caName?: string[];
  onlyTheKey?: true;
  service?: string;
  host?: string;
  resourceGroup?: string;
  subscription?: string;
  auth: Connection["auth"];
  dryRun?: true;
  report?: true;
  contained?: string;
  knownIds?: string;
  since?: string;
  json?: true;
}

const HELP = `
Which DPS: in a shell attached to a sandbox, the sandbox's. Otherwise one in Azure that is named, with
the identity that DefaultAzureCredential finds (az login, managed identity, AZURE_*), or with its access
keys (--auth keys; these are listed through the resource manager).

Exit codes:
  0  everything that admits it is closed, as a read shows
  1  it failed; what was closed until then was said
  2  what was given cannot be understood; nothing was done
  3  what was found is closed, but something could not be looked at
  4  nothing admits it; nothing was changed
  5  dry run: something is open that a run would close; report: something still holds the key

Examples:
  npm run contain -- stolen-leaf.pem
  npm run contain -- plant-ca.pem --service contoso-dps --resource-group plants
  npm run contain -- 9A3F12CD… --dry-run
  npm run contain -- --registration-id truck-7
  npm run -s pulumi -- stack output contained --json > contained.json
  npm run contain -- plant-ca.pem --report --contained contained.json --known-ids fleet.txt
`;

function commandLine(): Command {
  // Without a default, which the help would show as "[]".
  const several = (value: string, before: string[] = []): string[] => [...before, value];
  return new Command("contain")
    .description("Closes every entry of a DPS that admits a compromised key or a device.")
    .argument("[what]", "PEM file of the certificate, its thumbprint, or a registration ID")
    .option("--registration-id <id>", "a registration ID, whatever it looks like")
    .option("--known <file>", "PEM of other certificates: same key, or issued below", several)
    .option("--ca-name <name>", "a CA certificate of the DPS that has the key", several)
    .option("--only-the-key", "leave alone what was issued below a CA")
    .addOption(new Option("--service <name>", "the DPS instance").env("DPS_SERVICE"))
    .addOption(new Option("--host <host>", "host of its service API").env("DPS_SERVICE_HOST"))
    .addOption(new Option("--resource-group <name>", "its group").env("DPS_RESOURCE_GROUP"))
    .option("--subscription <id>", "its subscription; default: ARM_ or AZURE_SUBSCRIPTION_ID")
    .addOption(
      new Option("--auth <kind>", "how to sign in").choices(["entra", "keys"]).default("entra"),
    )
    .option("--dry-run", "only say what would be closed")
    .option("--report", "read only: the closing report of a breach")
    .option("--contained <file>", "for the report: the stack's output `contained`, as JSON")
    .option("--known-ids <file>", "for the report: known registration IDs, one a line")
    .option("--since <time>", "for the report: beginning of the window, ISO 8601")
    .option("--json", "the result as one JSON object")
    .addHelpText("after", HELP)
    .exitOverride();
}

async function main(): Promise<number> {
  const program = commandLine().parse();
  const flags = program.opts<Flags>();
  const [argument] = program.args;
  const what = flags.registrationId ?? argument;
  if (what === undefined || (flags.registrationId !== undefined && argument !== undefined)) {
    throw new UsageError(
      "Name one thing to contain: a PEM file, a thumbprint, or a registration ID (--help shows examples).",
    );
  }
  // What people read goes where it does not disturb what programs read.
  const say = (text: string): void => (flags.json ? console.error(text) : console.log(text));
  const connection = serviceWanted(flags);
  say(describeTarget(connection.target));
  const known = readKnown(flags.known ?? []);
  const sought = readSought({ what, isRegistrationId: flags.registrationId !== undefined, known });
  say(`DPS: ${connection.serviceHostName}. To be contained: ${sought.words}.`);
  if (flags.report) return reported(connection, sought, flags, known, say);
  const outcome = await contain(connection, sought, {
    caNames: flags.caName ?? [],
    known,
    onlyTheKey: flags.onlyTheKey ?? false,
    dryRun: flags.dryRun ?? false,
    say,
  });
  if (flags.json) {
    const { target, serviceHostName } = connection;
    console.log(JSON.stringify({ target, serviceHostName, sought: sought.words, ...outcome }));
  } else {
    console.log(told(sought, outcome, flags.dryRun ?? false));
  }
  return exitCode(outcome);
}

async function reported(
  connection: Connection,
  sought: Sought,
  flags: Flags,
  known: string[],
  say: (text: string) => void,
): Promise<number> {
  if (sought.kind === "registration ID") {
    throw new UsageError("A report is about a key: give the certificate, or its thumbprint.");
  }
  if (flags.since !== undefined && Number.isNaN(Date.parse(flags.since))) {
    throw new UsageError(`--since ${flags.since} is no time: write it as 2026-11-24T20:00:00Z.`);
  }
  const knownIds = flags.knownIds === undefined ? undefined : readLines(flags.knownIds);
  const one = await report(connection, sought, {
    caNames: flags.caName ?? [],
    known,
    closed: flags.contained === undefined ? [] : readContained(flags.contained, sought.key.key),
    knownIds,
    since: flags.since,
  });
  if (flags.json)
    console.log(JSON.stringify({ sought: sought.words, clean: isClean(one), ...one }));
  else say(toldReport(sought, one, knownIds !== undefined));
  return reportExitCode(one);
}

endWith(main(), EXIT, [UsageError, WhichServiceError]);
