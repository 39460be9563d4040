/** `sandbox show`: what is in the sandbox. */
import Table from "cli-table3";
import type { Command } from "commander";
import { control, mustRunIn } from "../control/client";
import type { ShownHub, ShownService, ShownSlot, Snapshot } from "../control/snapshot";
import { folderOf, printable, withDir } from "./options";

export function addShow(program: Command): void {
  const show = withDir(
    program
      .command("show")
      .description("print what is in the sandbox: services, certificates, entries, devices"),
  ).option("--json", "as JSON", false);
  show.action(async ({ json }: { json: boolean }) => {
    const found = await control<Snapshot>(mustRunIn(folderOf(show)), "GET", "/snapshot");
    process.stdout.write(`${json ? JSON.stringify(found, undefined, 2) : describe(found)}\n`);
  });
}

export function describe({ now, provisioningServices, iotHubs }: Snapshot): string {
  const sections = [
    ...provisioningServices.map(describeService),
    ...iotHubs.map(describeHub),
    ...(provisioningServices.length + iotHubs.length === 0 ? ["Nothing is here yet."] : []),
  ];
  return [`Sandbox time ${now}`, ...sections].join("\n\n");
}

function describeService(service: ShownService): string {
  return [
    `DPS ${service.name}  ID scope ${service.idScope}  ${service.hostName}`,
    `  allocation ${service.allocationPolicy}; linked hubs: ${service.linkedHubs.join(", ") || "none"}`,
    table(
      ["CA certificate", "subject", "SHA-256", "until", "verified"],
      service.caCertificates.map((ca) => [
        ca.name,
        ca.subject,
        short(ca.sha256Thumbprint),
        day(ca.notAfter),
        ca.isVerified ? "yes" : "no",
      ]),
    ),
    table(
      ["entry", "status", "primary", "secondary"],
      service.entries.map((entry) => [
        `${entry.kind} ${entry.id}`,
        entry.status,
        describeSlot(entry.primary),
        describeSlot(entry.secondary),
      ]),
    ),
    table(
      ["registration", "status", "hub", "device ID", "last updated"],
      service.registrations.map((one) => [
        one.registrationId,
        one.status,
        one.assignedHub ?? "",
        one.deviceId ?? "",
        one.lastUpdatedDateTimeUtc,
      ]),
    ),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function describeHub({ name, hostName, devices }: ShownHub): string {
  const rows = devices.map((device) => [
    device.deviceId,
    device.status,
    device.authentication,
    device.thumbprints.map(short).join(" "),
    device.connected ? "yes" : "no",
  ]);
  const head = `IoT hub ${name}  ${hostName}`;
  if (rows.length === 0) return `${head}\n  no devices`;
  return `${head}\n${table(["device", "status", "authentication", "thumbprints", "connected"], rows)}`;
}

function describeSlot(slot: ShownSlot): string {
  if (typeof slot === "string") return slot;
  if ("ca" in slot) return `CA ${slot.ca}`;
  return `${slot.subject} (${short(slot.sha256Thumbprint)}, until ${day(slot.notAfter)})`;
}

function table(head: string[], rows: string[][]): string {
  if (rows.length === 0) return "";
  const made = new Table({ head, style: { head: [], border: [], compact: true } });
  made.push(...rows.map((row) => row.map(printable)));
  return made.toString();
}

function short(thumbprint: string): string {
  return `${thumbprint.slice(0, 8)}…`;
}

function day(time: string): string {
  return time.slice(0, 10);
}
