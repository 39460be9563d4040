/** From what was read of a service to its status. Pure. */
import type { KnownCertificate } from "../certificates/declared";
import { type EntryFacts, MOST_CA_CERTIFICATES } from "../certificates/fleet-facts";
import { type Usage, usageOf, using } from "../certificates/fleet-usage";
import { atRisk } from "../certificates/retirement-rules";
import { entryPath, isAbove, type ResolvedSlot } from "../certificates/slots";
import { printable } from "../certificates/text";
import type { LiveCaCertificate } from "../clients/ca-certificates";
import type { Inventory, InventoryDevice, LiveEntry, LiveSlot } from "../plan/inventory";
import { Library } from "./certificates";
import { endingOf } from "./ending";
import { believed, type Closed, closedBelow } from "./evidence";
import type { CaStatus, CertificateStatus, DeviceCounts, EntryStatus, Status } from "./status";

export interface StatusOptions {
  target: Status["target"];
  /** Host name. */
  service: string;
  /** Default: none was looked at. */
  stack?: string;
  /** PEM of certificates that are known: by them issuers and leaves are recognised. */
  known: readonly string[];
  /** Whether the stack declares this certificate's key compromised: then no report of a device counts. */
  isCompromised: (certificate: KnownCertificate) => boolean;
  /** Entries that were closed in a breach. Default: none is known. */
  closed?: readonly Closed[];
  windowMs: number;
  /** The same for leaves that devices report. */
  leavesWindowMs: number;
  /** Without device names. Default: false. */
  withoutNames?: boolean;
}

export function statusOf(inventory: Inventory, options: StatusOptions): Status {
  const library = new Library(options.known, inventory.caCertificates);
  const read = inventory.entries.map((entry) => entryStatus(entry, inventory, library, options));
  const caCertificates = inventory.caCertificates.map((ca) => caStatus(ca, inventory, library));
  return {
    format: "dps-rotation-status",
    version: 1,
    readAt: inventory.readAt,
    target: options.target,
    service: options.service,
    stack: options.stack ?? null,
    entries: read.map(({ status }) =>
      options.withoutNames === true ? { ...status, atRisk: null } : status,
    ),
    caCertificates,
    caEntries: { used: caCertificates.length, limit: MOST_CA_CERTIFICATES },
    ending: endingOf(read, caCertificates, Date.parse(inventory.readAt), options),
    windowSeconds: options.windowMs / 1000,
    leavesWindowSeconds: options.leavesWindowMs / 1000,
    notRead: inventory.leftOut.map(printable),
  };
}

/** With the ends of the leaves that its devices report: milliseconds. */
export interface ReadEntry {
  status: EntryStatus;
  leafEnds: number[];
}

function entryStatus(
  entry: LiveEntry,
  { caCertificates, devices, facts }: Inventory,
  library: Library,
  { isCompromised, closed = [] }: StatusOptions,
): ReadEntry {
  const { kind, id, key, enabled } = entry;
  const resolved = entry.slots.map((slot) => resolve(entry, slot, caCertificates, library));
  const ends = resolved.map(({ certificate }) => timeOf(certificate.notAfter));
  const slots = resolved.map(({ name, ca, certificate }, index) => ({
    name,
    role: roleOf(index, ends),
    ca: ca ?? null,
    ...certificate,
  }));
  const records = devices.filter((one) => one.entry === key);
  const found = facts.entries[key];
  const below = closedBelow(
    entry,
    resolved.map(({ slot }) => slot),
    library.all.filter((each) => each.summary.isCa && isCompromised(each)),
    library.all,
    closed,
  );
  const usage = usageIn(
    found && believed(found, entry, records, [...closed, ...below]),
    entry,
    resolved,
    library,
    isCompromised,
  );
  const old = resolved.find((_, index) => slots[index]!.role === "old")?.slot;
  const stays = resolved.filter((_, index) => slots[index]!.role !== "old").map(({ slot }) => slot);
  const counted = counts(usage, old, stays);
  const leafEnds = leafEndsOf(records);
  const hubs = [...new Set(devicesOf(usage).map(({ hub }) => hub))].sort();
  return {
    status: {
      kind,
      id,
      enabled,
      rolling: slots.length > 1,
      slots,
      devices: counted.counts,
      hubs: hubs.map((hub) => ({ hub, ...counts(inHub(usage, hub), old, stays).counts })),
      atRisk: counted.atRisk,
      firstLeafEnds: leafEnds.length === 0 ? null : new Date(Math.min(...leafEnds)).toISOString(),
    },
    leafEnds,
  };
}

interface Resolved {
  name: LiveSlot["name"];
  ca?: string;
  certificate: CertificateStatus;
  slot: ResolvedSlot;
}

function resolve(
  entry: LiveEntry,
  live: LiveSlot,
  cas: readonly LiveCaCertificate[],
  library: Library,
): Resolved {
  const { name } = live;
  const path = `${entryPath(entry.kind, entry.id)}.${name}`;
  if ("ca" in live) {
    const held = cas.find((ca) => ca.name.toLowerCase() === live.ca.toLowerCase());
    const known = held && library.find(held.thumbprint);
    return {
      name,
      ca: live.ca,
      certificate: held === undefined ? NOTHING : ofCa(held, known),
      slot: {
        name,
        path,
        slot: { ca: live.ca },
        certificateName: undefined,
        certificate: known,
        id: known?.summary.sha256Thumbprint ?? `CA ${live.ca.toLowerCase()}`,
        words: live.ca,
      },
    };
  }
  const info = live.certificate;
  const id = info.sha256Thumbprint.toUpperCase();
  const known = library.find(id);
  return {
    name,
    certificate: known === undefined ? ofInfo(info) : ofKnown(known),
    slot: {
      name,
      path,
      slot: { certificate: id },
      certificateName: undefined,
      certificate: known,
      id,
      words: info.subjectName,
    },
  };
}

const NOTHING: CertificateStatus = {
  subject: null,
  issuer: null,
  sha1Thumbprint: null,
  sha256Thumbprint: null,
  notBefore: null,
  notAfter: null,
};

function ofKnown({ summary }: KnownCertificate): CertificateStatus {
  const { subject, issuer, sha1Thumbprint, sha256Thumbprint, notBefore, notAfter } = summary;
  return { subject, issuer, sha1Thumbprint, sha256Thumbprint, notBefore, notAfter };
}

function ofInfo(
  info: Extract<LiveSlot, { certificate: unknown }>["certificate"],
): CertificateStatus {
  return {
    subject: printable(info.subjectName),
    issuer: printable(info.issuerName),
    sha1Thumbprint: info.sha1Thumbprint.toUpperCase(),
    sha256Thumbprint: info.sha256Thumbprint.toUpperCase(),
    notBefore: info.notBeforeUtc,
    notAfter: info.notAfterUtc,
  };
}

function ofCa(
  { subject, thumbprint, expiry }: LiveCaCertificate,
  known: KnownCertificate | undefined,
): CertificateStatus {
  if (known !== undefined) return ofKnown(known);
  return {
    ...NOTHING,
    subject: printable(`CN=${subject}`),
    sha1Thumbprint: thumbprint.toUpperCase(),
    notAfter: expiry ?? null,
  };
}

function timeOf(text: string | null): number {
  return text === null ? Infinity : Date.parse(text);
}

/* Of two that end together the primary is the old one: `prepare` fills the empty slot. */
function roleOf(index: number, ends: readonly number[]): "only" | "old" | "new" {
  const [first = 0, second] = ends;
  if (second === undefined) return "only";
  return (index === 0) === first <= second ? "old" : "new";
}

function usageIn(
  found: EntryFacts | undefined,
  { kind, key }: LiveEntry,
  resolved: readonly Resolved[],
  library: Library,
  isCompromised: StatusOptions["isCompromised"],
): Usage {
  if (found === undefined) return { onRecord: 0, known: [], notKnown: [] };
  const slots = resolved.map(({ slot }) => slot);
  const inBreach = slots.some(
    ({ certificate }) => certificate?.known === true && isCompromised(certificate),
  );
  const declared = { kind, id: "", path: "", key, enabled: true, retained: false, adopted: false };
  return usageOf(found, { ...declared, slots }, library.all, inBreach);
}

function devicesOf({ known, notKnown }: Usage): { hub: string; deviceId: string }[] {
  return [...known.map(({ device }) => device), ...notKnown];
}

function inHub({ known, notKnown }: Usage, hub: string): Usage {
  const part = {
    known: known.filter(({ device }) => device.hub === hub),
    notKnown: notKnown.filter((device) => device.hub === hub),
  };
  return { ...part, onRecord: part.known.length + part.notKnown.length };
}

function counts(
  usage: Usage,
  old: ResolvedSlot | undefined,
  stays: ResolvedSlot[],
): { counts: DeviceCounts; atRisk: { onOld: string[]; notKnown: string[] } } {
  const { onOld, notKnown } =
    old === undefined
      ? {
          onOld: [],
          notKnown: [
            ...usage.known.filter(({ slots }) => slots.length === 0).map(({ device }) => device),
            ...usage.notKnown,
          ],
        }
      : atRisk(usage, old, stays);
  const ids = (devices: { deviceId: string }[]): string[] =>
    devices.map(({ deviceId }) => printable(deviceId)).sort();
  return {
    counts: {
      onRecord: usage.onRecord,
      onOld: onOld.length,
      onNew: using(usage, stays).length,
      notKnown: notKnown.length,
    },
    atRisk: { onOld: ids(onOld), notKnown: ids(notKnown) },
  };
}

/* A report counts while it is about the leaf that the hub has. */
function leafEndsOf(devices: readonly InventoryDevice[]): number[] {
  return devices.flatMap(({ assignedHub, identities }) => {
    const identity = identities.find(({ hub }) => hub === assignedHub);
    const { reported, thumbprints = [] } = identity ?? {};
    return reported?.leafNotAfter !== undefined && thumbprints.includes(reported.leafSha256)
      ? [Date.parse(reported.leafNotAfter)]
      : [];
  });
}

function caStatus(ca: LiveCaCertificate, { entries }: Inventory, library: Library): CaStatus {
  const known = library.find(ca.thumbprint);
  let isComplete = true;
  const users = entries.filter(({ enabled, slots }) =>
    slots.some((slot) => {
      if (!enabled) return false;
      if ("ca" in slot) return slot.ca.toLowerCase() === ca.name.toLowerCase();
      const below = library.find(slot.certificate.sha256Thumbprint);
      if (known !== undefined && below !== undefined) {
        return known === below || isAbove(known, below, library.all);
      }
      isComplete = false;
      return false;
    }),
  );
  return {
    name: ca.name,
    verified: ca.isVerified,
    ...ofCa(ca, known),
    usedBy: users.map(({ kind, id }) => `${kind} ${printable(id)}`),
    usedByIsComplete: isComplete,
  };
}
