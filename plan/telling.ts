/** What the plan says in sentences, in Markdown and in HTML alike. */
import type {
  Plan,
  PlanCertificate,
  PlanDevices,
  PlanOverlap,
  PlanRegistrations,
  PlanRemoval,
} from "./model";

/** Where the plan is for, and of when it is. */
export function whereWords({ madeAt, service, target }: Plan): string[] {
  return [
    ...(target === "azure" ? ["Target: Azure. What `up` changes is real."] : []),
    ...(target === "sandbox" ? ["Target: the sandbox. Nothing real is changed."] : []),
    ...(service === null ? [] : [`DPS: \`${service}\`.`]),
    `As of ${madeAt.slice(0, 16).replace("T", " ")} UTC.`,
  ];
}

/** What a reviewer has to know first. */
export function headline(plan: Plan): string[] {
  const { changes, lockOut, refusals, verdict, waived, warnings } = plan;
  const what = {
    refused: `Refused: ${counted(refusals.length, "fault")}. What follows is what the change would be.`,
    failed: "The preview broke off, so this plan is not complete.",
    nothing: "No certificate, entry or denial changes.",
    changes: `${counted(changes.length, "change")}: ${short(changes.map(({ words }) => words))}.`,
  }[verdict];
  return [
    what,
    ...(lockOut === null ? [] : lockOutLines(lockOut)),
    ...(plan.removal === null
      ? []
      : [
          `${counted(
            plan.removal.hubs.reduce((sum, { goes }) => sum + goes, 0),
            "hub identity",
            "hub identities",
          )} in ${counted(plan.removal.hubs.length, "hub")} will be removed: those devices are disconnected.`,
        ]),
    ...(warnings.length + waived.length === 0
      ? []
      : [`${counted(warnings.length, "warning")}, ${waived.length} waived.`]),
  ];
}

function lockOutLines({ counts, depends }: NonNullable<Plan["lockOut"]>): string[] {
  const all = Object.values(counts).reduce((sum, each) => sum + each, 0);
  if (all === 0) return [];
  const unsure = depends.reduce((sum, { count }) => sum + count, 0);
  const parts = [
    counts.refused === 0
      ? "none that is known would be cut off by mistake"
      : `${counts.refused} would be CUT OFF: they can register now and cannot afterwards`,
    ...(counts["shut out"] > 0 ? [`${counts["shut out"]} shut out as it is meant`] : []),
    ...(counts.other > 0 ? [`${counts.other} come in by another entry than now`] : []),
    ...(counts["let in"] > 0 ? [`${counts["let in"]} are let in that are refused now`] : []),
    ...(counts["not known"] > 0 ? [`of ${counts["not known"]} it is not known`] : []),
    ...(counts["not touched"] > 0
      ? [`${counts["not touched"]} are not known either, but nothing changes for their group`]
      : []),
  ];
  return [
    `Of ${counted(all, "device")} on record ${parts.join("; ")}.`,
    ...(unsure > 0 ? [`For some it depends on what is not known about DPS.`] : []),
  ];
}

function short(all: string[]): string {
  const shown = all.slice(0, 3);
  const more = all.length - shown.length;
  return `${shown.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}

export function deviceWords({
  cutOff,
  notKnown,
  onNew,
  onOld,
  onRecord,
  shutOut,
}: PlanDevices): string {
  if (onRecord === 0) return "No device is on record under it.";
  const parts = [
    `${onNew} have what is accepted afterwards`,
    `${onOld} have only the old certificate`,
    `of ${notKnown} it is not known`,
  ];
  const ends = [
    cutOff > 0 ? ` ${cutOff} would be cut off.` : "",
    shutOut > 0 ? ` ${shutOut} are shut out, as it is meant.` : "",
  ];
  return `Devices on record under it: ${onRecord}. ${parts.join(", ")}.${ends.join("")}`;
}

export function overlapWords({ days, words }: PlanOverlap): string {
  return days === null ? `Overlap: ${words}.` : `Overlap: ${counted(days, "day")} (${words}).`;
}

export function registrationsWords({ devices, minutes }: PlanRegistrations): string[] {
  if (devices === 0) return [];
  return [
    `Registrations to come: at most ${devices}; at 1,000 a minute that takes DPS ${atLeast(minutes)}, and a device that tries meanwhile waits.`,
  ];
}

export function removalWords({ how, keep, minutes, notKnown }: PlanRemoval): string[] {
  const manner = {
    now: "all at once",
    waves: "in waves, each of which waits for the devices of the one before",
    evidenced: "only those that are proven to hold a compromised certificate",
  };
  return [
    how === null
      ? "How they are removed is not known, because the change was refused before that was judged; counted as if at once."
      : `How: ${manner[how]}${keep === "rekey" ? "; identities stay and get another thumbprint" : ""}.`,
    `Time: ${atLeast(minutes)}, at 100 registry operations a minute and unit of an S1 or S2 hub.`,
    ...(notKnown > 0
      ? [
          `Of ${counted(notKnown, "device")} it is not known who issued their certificate: DPS and the hub do not say. A manifest of issued leaves would.`,
        ]
      : []),
  ];
}

function atLeast(minutes: number): string {
  return minutes <= 1 ? "about a minute" : `at least ${counted(minutes, "minute")}`;
}

/** What is neither a certificate nor a device. */
export function otherLines({ caEntries, notKnown, resources }: Plan): string[] {
  const { azure, create, replace, same, update } = resources;
  return [
    ...(caEntries === null
      ? []
      : [
          `CA entries: ${caEntries.used} of ${caEntries.limit} are used, ${caEntries.afterwards} afterwards; ${caEntries.limit - caEntries.afterwards} are free then.`,
        ]),
    `Pulumi resources: ${create} to create, ${update} to update, ${replace} to replace, ${resources.delete} to delete, ${same} unchanged.`,
    ...azure.map(
      ({ op, type, name, properties }) =>
        `${op} of Azure resource \`${name}\` (\`${type}\`)${properties.length > 0 ? `: ${properties.join(", ")}` : ""}`,
    ),
    ...notKnown,
  ];
}

/** Every certificate of the changes, once. */
export function certificatesOf({ changes }: Plan): NonNullable<PlanCertificate["facts"]>[] {
  const all = changes.flatMap(({ slots }) =>
    slots.flatMap(({ before, after }) => [before?.facts ?? [], after?.facts ?? []].flat()),
  );
  return [...new Map(all.map((facts) => [facts.sha256, facts])).values()];
}

/** Lists of devices that a reviewer may want to know by name. */
export function deviceLists(
  devices: PlanDevices,
): { what: string; count: number; names: string[] }[] {
  const { cutOff, edge, children, names, notKnown, onOld, shutOut, withSasKey } = devices;
  return [
    { what: "cut off", count: cutOff, names: names.cutOff },
    { what: "shut out", count: shutOut, names: names.shutOut },
    { what: "on the old certificate", count: onOld, names: names.onOld },
    { what: "not known", count: notKnown, names: names.notKnown },
    { what: "IoT Edge, which come back only when they are set to", ...edge },
    { what: "below an Edge device, the same", ...children },
    { what: "with a symmetric key at the hub, which no roll reaches", ...withSasKey },
  ];
}

export function certificateName({ facts, name }: PlanCertificate): string {
  return facts === null || facts.commonName === ""
    ? (facts?.subject ?? name ?? "")
    : facts.commonName;
}

export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : things}`;
}

export const GLOSSARY: readonly [string, string][] = [
  [
    "DPS",
    "Azure's Device Provisioning Service: a device shows it its certificate, and is told which IoT hub it belongs to.",
  ],
  [
    "registration",
    "a device's visit to DPS. It happens at first start, and whenever its hub refuses the device. Between two registrations DPS has no say.",
  ],
  ["individual enrollment", "an entry that lets in one device, by its own certificate."],
  [
    "enrollment group",
    "an entry that lets in every device whose certificate was issued below a CA certificate (a root, or an intermediate).",
  ],
  [
    "slot",
    "each entry has two, primary and secondary: either certificate is accepted. That is how one is replaced without a gap.",
  ],
  [
    "hub identity",
    "what an IoT hub knows of a device, with the certificate that it registered with last. Removing it ends the device's connection.",
  ],
  ["on record", "DPS remembers that the device has registered under this entry."],
  [
    "not known",
    "neither DPS nor the hub tells which CA issued a device's certificate; it is known when the device reports it, or a manifest of issued leaves says it.",
  ],
];
