/**
 * How far rolls are and what ends when, as plain JSON: what `--json` writes. `status.schema.json` says the
 * same; both are of version 1, and a property that is taken away or changes its meaning makes it version
 * 2. Names have control characters escaped as `\u{hex}`; whoever prints them has to quote them.
 */
import type { SlotName } from "../certificates/declared";
import type { EntryKind } from "../certificates/slots";

export interface Status {
  format: "dps-rotation-status";
  version: 1;
  /** When it was read, by the target's clock: ISO 8601. */
  readAt: string;
  target: "sandbox" | "azure";
  /** Host name of the DPS instance. */
  service: string;
  /** Null: no stack was looked at. */
  stack: string | null;
  /** In the order of DPS: groups, then individual enrollments. */
  entries: EntryStatus[];
  caCertificates: CaStatus[];
  caEntries: { used: number; limit: number };
  /** What ends within the window, or has ended; the soonest first. */
  ending: Ending[];
  /** The window, seconds. */
  windowSeconds: number;
  /** The window for leaves that devices report, seconds. */
  leavesWindowSeconds: number;
  /** What could not be read, and why. Empty: everything was. */
  notRead: string[];
}

export interface EntryStatus {
  kind: EntryKind;
  /** Group ID or registration ID. */
  id: string;
  enabled: boolean;
  /** Two different certificates stand in its slots. */
  rolling: boolean;
  slots: SlotStatus[];
  devices: DeviceCounts;
  /** The same by the hub that devices are assigned to; the soonest name first. */
  hubs: ({ hub: string } & DeviceCounts)[];
  /** Device IDs that a retirement of the old certificate would put at risk. Null: left out on request. */
  atRisk: { onOld: string[]; notKnown: string[] } | null;
  /** When the first leaf ends of those that devices report: ISO 8601. Null: none is reported. */
  firstLeafEnds: string | null;
}

/**
 * Devices on record under an entry. Evidence is the leaf that the hub has; for a group, who issued that
 * very leaf: the manifest of issued leaves, or the device's report in its twin.
 */
export interface DeviceCounts {
  onRecord: number;
  /** Admitted by the old certificate only. */
  onOld: number;
  /** Admitted by the new one; by the only one, when there is one. */
  onNew: number;
  /** Without evidence, or with evidence of a certificate that stands in no slot. */
  notKnown: number;
}

export interface SlotStatus extends CertificateStatus {
  name: SlotName;
  /** Of two certificates the one that ends first is the old one. */
  role: "only" | "old" | "new";
  /** Name of the CA certificate that the slot refers to; null: it holds a certificate. */
  ca: string | null;
}

/** Null is what neither DPS nor a known certificate tells. */
export interface CertificateStatus {
  subject: string | null;
  issuer: string | null;
  /** Upper-case hex. */
  sha1Thumbprint: string | null;
  /** Upper-case hex. */
  sha256Thumbprint: string | null;
  /** ISO 8601. */
  notBefore: string | null;
  /** ISO 8601. */
  notAfter: string | null;
}

export interface CaStatus extends CertificateStatus {
  /** Name in DPS. */
  name: string;
  verified: boolean;
  /** `group ID` of enabled entries that refer to it, or whose certificate is known to be below it. */
  usedBy: string[];
  /** False: nothing can tell whether more is below it, because certificates are not known. */
  usedByIsComplete: boolean;
}

export interface Ending {
  /** `slot`, `ca`: a certificate in DPS. `leaves`: those that devices of an entry report. */
  what: "slot" | "ca" | "leaves";
  /** `group sensors, primary`, `CA certificate root-a`. */
  where: string;
  subject: string | null;
  /** ISO 8601; of leaves the first one. */
  notAfter: string;
  /** Devices that depend on it, or may; of leaves those whose leaf ends within the window. */
  devices: number;
  /** `covered`: what stands in the other slot lasts longer, and every device has it. */
  urgency: "ended" | "due" | "covered";
}
