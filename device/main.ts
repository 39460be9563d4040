/** Command line of the reference device: `npm run device -- --help`. */
import { Command, InvalidArgumentError, Option } from "commander";
import { readPair } from "./certificate-files";
import {
  ReferenceDevice,
  type ReferenceDeviceEvents,
  type ReferenceDeviceOptions,
} from "./reference-device";

interface Flags {
  idScope: string;
  provisioningHost: string;
  chain: string;
  key: string;
  registrationId?: string;
  rollFirst: "register" | "connect";
  telemetryInterval: number;
  watchInterval: number;
  backoffFirst: number;
  backoffMaximum: number;
  json?: true;
}

const EVENTS: (keyof ReferenceDeviceEvents)[] = [
  "registered",
  "connected",
  "refused",
  "fault",
  "disconnected",
  "telemetry",
  "rolled",
];
/** For connections that are half open; then the process ends without saying goodbye. */
const STOP_MS = 10_000;

async function main(): Promise<void> {
  const flags = readFlags();
  const device = new ReferenceDevice(await deviceOptions(flags));
  const print = (event: string, details: object): void => {
    const time = new Date().toISOString();
    console.log(
      flags.json
        ? JSON.stringify({ time, event, ...details })
        : `${time} ${event.padEnd(12)} ${words(details)}`,
    );
  };
  for (const event of EVENTS) {
    device.on(event, (details: object) => print(event, details));
  }
  const stop = (): void => {
    setTimeout(() => process.exit(1), STOP_MS).unref();
    void device.stop().then(() => print("stopped", { ...device.counters.toJSON() }));
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  await device.start();
}

function readFlags(): Flags {
  return new Command("device")
    .description("A device that provisions itself through DPS and reprovisions by itself.")
    .requiredOption("--id-scope <scope>", "ID scope of the DPS instance")
    .requiredOption(
      "--provisioning-host <host>",
      "global.azure-devices-provisioning.net, or the DPS's own",
    )
    .requiredOption("--chain <file>", "PEM: leaf and intermediates; watched")
    .requiredOption("--key <file>", "PEM: private key of the leaf; watched")
    .option("--registration-id <id>", "default: the leaf's common name")
    .addOption(
      new Option("--roll-first <step>", "what to do first with a new certificate")
        .choices(["register", "connect"])
        .default("register"),
    )
    .addOption(seconds("--telemetry-interval <seconds>", "between two messages", 60))
    .addOption(seconds("--watch-interval <seconds>", "between two looks at the files", 5))
    .addOption(seconds("--backoff-first <seconds>", "longest first wait after a failure", 1))
    .addOption(seconds("--backoff-maximum <seconds>", "longest wait after failures", 300))
    .option("--json", "one JSON object a line")
    .parse()
    .opts<Flags>();
}

/** An option in seconds whose value is in milliseconds. */
function seconds(flags: string, description: string, byDefault: number): Option {
  return new Option(flags, description)
    .default(byDefault * 1000, String(byDefault))
    .argParser((text) => {
      const given = Number(text);
      if (!(given > 0)) {
        throw new InvalidArgumentError("A number of seconds above 0 is needed.");
      }
      return given * 1000;
    });
}

async function deviceOptions(flags: Flags): Promise<ReferenceDeviceOptions> {
  const pair = await readPair(flags.chain, flags.key);
  const registrationId = flags.registrationId ?? pair?.commonName;
  if (!registrationId) {
    throw new Error(`${flags.chain} and ${flags.key} are not a certificate and its key`);
  }
  return {
    registrationId,
    provisioningHost: flags.provisioningHost,
    idScope: flags.idScope,
    chainFile: flags.chain,
    keyFile: flags.key,
    rollFirst: flags.rollFirst,
    telemetryIntervalMs: flags.telemetryInterval,
    watchIntervalMs: flags.watchInterval,
    backoff: { firstMs: flags.backoffFirst, maximumMs: flags.backoffMaximum },
  };
}

function words(details: object): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(", ");
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
