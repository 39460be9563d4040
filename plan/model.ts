/**
 * The plan of a change for reviewers, as plain JSON: what `--json` writes. `plan.schema.json` says the same;
 * both are of version 1, and a property that is taken away or changes its meaning makes it version 2.
 * Names that come from certificates have control characters escaped as `\u{hex}`, and are otherwise as
 * they are: whoever prints them has to quote them.
 */
import type { Phase, Procedure, Stage } from "../certificates/declared";
import type { Fate } from "./lock-out";

export interface Plan {
  format: "dps-rotation-plan";
  version: 1;
  stack: string;
  /** Null when the program refused its configuration before it said where it works. */
  target: "sandbox" | "azure" | null;
  /** Host of the DPS instance; null when there is none yet. */
  service: string | null;
  /** ISO 8601, by the target's clock. */
  madeAt: string;
  /**
   * `refused`: nothing of it will happen. `failed`: the preview broke off for another reason.
   * `changes`, `nothing`: of certificates and trust; `resources` counts everything else.
   */
  verdict: "refused" | "failed" | "changes" | "nothing";
  /** Whether device names were left out on request. */
  namesLeftOut: boolean;
  changes: PlanChange[];
  /** All steps of all changes, in the order in which `up` takes them. */
  order: PlanStep[];
  refusals: PlanFinding[];
  warnings: PlanFinding[];
  waived: PlanFinding[];
  /** What the engine or the program said when it broke off. */
  errors: string[];
  /** Null: the service was not read (there is none yet, or it did not answer). */
  lockOut: PlanLockOut | null;
  /** Null: no hub identity is removed. */
  removal: PlanRemoval | null;
  /** Null: the service was not read. */
  registrations: PlanRegistrations | null;
  /** CA certificates of the service: now, at most meanwhile, afterwards, and how many it may have. */
  caEntries: { used: number; most: number; afterwards: number; limit: number } | null;
  resources: PlanResources;
  /** What could not be read, or is not known, in sentences. */
  notKnown: string[];
}

export interface PlanChange {
  /** Where it stands in the configuration. */
  path: string;
  kind: "individual" | "group" | "ca";
  procedure: Procedure;
  /** The procedure in words. */
  procedureWords: string;
  phase: Phase;
  phaseWords: string;
  /** One line. */
  words: string;
  /** What a reviewer has to know of it first, in sentences. */
  summary: string[];
  /** What it means for devices, in sentences. */
  meaning: string[];
  /** Of the entry; null there: there is none. Null: a CA certificate, which has none. */
  status: { before: EntryStatus | null; after: EntryStatus | null } | null;
  slots: PlanSlot[];
  /** Null: there is no certificate before and after to overlap. */
  overlap: PlanOverlap | null;
  /** Null: no device is on record under it, or the service was not read. */
  devices: PlanDevices | null;
  steps: string[];
  /** What it leaves to people. */
  tasks: PlanTasks;
  /** How to go back, a sentence without its full stop. */
  back: string;
  /** Rolls of it that were carried out before, oldest first; as far as the stack remembers them. */
  past: PlanPastRoll[];
}

export interface PlanPastRoll {
  procedure: Procedure;
  phase: Phase;
  /** When `up` began it: ISO 8601, by the target's clock. */
  at: string;
}

/** Sentences, in the order in which they are to be done. */
export interface PlanTasks {
  /** Before `up`. */
  before: string[];
  /** After `up`. */
  after: string[];
}

export type EntryStatus = "enabled" | "disabled";

export interface PlanSlot {
  slot: "primary" | "secondary" | "certificate";
  before: PlanCertificate | null;
  after: PlanCertificate | null;
}

export interface PlanCertificate {
  /** Its name in `certificates`. */
  name: string | null;
  /** Name of the CA in DPS, when the slot refers to one. */
  ca: string | null;
  /** Null: it is made during `up`. */
  facts: {
    subject: string;
    commonName: string;
    issuer: string;
    sha1: string;
    sha256: string;
    notBefore: string;
    notAfter: string;
    key: string;
    signature: string;
    /** CA of this DPS that its chain ends at; null: none, as for a self-signed leaf. */
    chainsTo: string | null;
    /** Whole days from now until it expires; negative: since. */
    daysLeft: number;
  } | null;
}

export interface PlanOverlap {
  /** Whole days in which DPS accepts both: still to come, or of a retirement so far. 0: there is none, in a breach a gap. Null: not known. */
  days: number | null;
  words: string;
}

/** Devices on record under one entry. */
export interface PlanDevices {
  onRecord: number;
  /** Proven to have a certificate that stays or comes. */
  onNew: number;
  /** Proven to have only what goes. */
  onOld: number;
  /** Without evidence. */
  notKnown: number;
  /** Refused after it, and not meant to be. */
  cutOff: number;
  /** Refused after it because their certificate is compromised, or they are denied. */
  shutOut: number;
  /** Known to be admitted after it, by this entry or another. */
  admitted: number;
  /** Whether they are admitted after it is not known. */
  undecided: NamedDevices;
  /** What becomes of those, in words. */
  undecidedWords: string;
  /** Their hub identity is removed. */
  disconnected: number;
  /** At most 20 each. */
  names: { cutOff: string[]; shutOut: string[]; onOld: string[]; notKnown: string[] };
  /** They come back only when they are set to. */
  edge: NamedDevices;
  children: NamedDevices;
  /** With a symmetric key at the hub: a roll does not reach them. */
  withSasKey: NamedDevices;
}

export interface NamedDevices {
  count: number;
  /** At most 20. */
  names: string[];
}

export interface PlanLockOut {
  /** Devices on record, by what becomes of them. */
  counts: Record<Fate, number>;
  /** Of every fate but `stays refused`: device by device, at most 20 each. */
  devices: PlanDeviceFate[];
  /** Devices that fare otherwise when what nobody knows about DPS is otherwise, by the sandbox's switch. */
  depends: { switch: string; count: number; names: string[] }[];
}

export interface PlanDeviceFate {
  /** Null: names were left out. */
  device: string | null;
  fate: Fate;
  before: string;
  after: string;
}

/** Hub identities that go after a breach. */
export interface PlanRemoval {
  how: "now" | "waves" | "evidenced" | null;
  keep: "delete" | "rekey" | null;
  hubs: {
    hub: string;
    /** Null: it could not be read. */
    tier: { sku: string; units: number } | null;
    goes: number;
    /** Proven to have another certificate. */
    spared: number;
    /** Kept because nothing proves them compromised (`how: evidenced`). */
    left: number;
    /** At most 20. */
    names: string[];
  }[];
  /** Devices of which no evidence tells who issued their leaf. */
  notKnown: number;
  /** What a device loses with its identity, and gets back. */
  loses: string[];
  /** How many operations on the hub's identity registry each device takes. */
  operations: number;
  /** At the published rates of the hubs' tiers, minutes; at least. A tier that is not known is taken for one unit of S1. */
  minutes: number;
}

export interface PlanRegistrations {
  /** Devices that have to register again because of this change; at most, where evidence lacks. */
  devices: number;
  /** Until the last of them is through, at 1,000 registrations a minute: minutes. */
  minutes: number;
}

export interface PlanStep {
  stage: Stage;
  words: string;
}

export interface PlanFinding {
  code: string;
  title: string;
  path: string;
  found: string;
  fix: string;
  waived: { reason: string; until: string } | null;
}

export interface PlanResources {
  create: number;
  update: number;
  replace: number;
  delete: number;
  same: number;
  /** Azure resources that change: everything but entries, CA certificates and what belongs to them. */
  azure: { op: string; type: string; name: string; properties: string[] }[];
}

/** As many names as a person reads through. */
export const MOST_NAMED = 20;
