/** Which procedure and phase a change of one enrollment is, from its slots before and after. */
import type { Phase, Procedure } from "./declared";
import type { CertificateSummary } from "./summary";
import { displayName } from "./text";

/** What a slot admits. Two slots with one identity admit the same devices. */
export interface RollSlot {
  identity: string;
  /** Undefined while the certificate does not exist yet. */
  certificate?: CertificateSummary;
  /** Name of the CA certificate, when the slot refers to one. */
  ca?: string;
}

/** One enrollment before or after a change. */
export interface RollSide {
  primary?: RollSlot;
  secondary?: RollSlot;
  enabled: boolean;
  /** Reason of a denial of the registration ID. */
  denied?: string;
}

export interface EntryChange {
  kind: "individual" | "group";
  /** Registration ID or group ID. */
  id: string;
  /** Undefined: the entry is new. */
  before?: RollSide;
  /** Undefined: the entry is removed. */
  after?: RollSide;
}

export interface EntryRoll {
  procedure: Procedure;
  phase: Phase;
  /** One line: "expiration roll of enrollment group `sensors`: prepare". */
  words: string;
}

/**
 * The roll that a change of one enrollment is; undefined when nothing about certificates or trust
 * changes. `compromised` are SHA-256 of SubjectPublicKeyInfo, or of certificates, upper-case hex.
 */
export function inferRoll(
  change: EntryChange & { compromised: readonly string[] },
): EntryRoll | undefined {
  const compromised = new Set(change.compromised);
  const roll = classify(change, ({ certificate }) =>
    certificate === undefined
      ? false
      : compromised.has(certificate.publicKeySha256) ||
        compromised.has(certificate.sha256Thumbprint),
  );
  return roll.phase === "none" ? undefined : roll;
}

/** As `inferRoll`, but always answers, and `shutOut` says what must admit nobody any more. */
export function classify(change: EntryChange, shutOut: (slot: RollSlot) => boolean): EntryRoll {
  const { kind, before, after } = change;
  const words = entryWords(change);
  if (after?.denied !== undefined) {
    if (before?.denied !== undefined) return none(`${words} stays denied`);
    return { procedure: "P12", phase: "deny", words: `denial of ${words}` };
  }
  if (before?.denied !== undefined) {
    return { procedure: "P12", phase: "readmit", words: `re-admission of ${words}: denial lifted` };
  }
  if (after === undefined) {
    const closed = before?.enabled === true ? slots(before).filter(shutOut) : [];
    if (closed.length === 0) {
      return { procedure: "none", phase: "remove", words: `removal of ${words}` };
    }
    const procedure = breachProcedure(kind, closed);
    return {
      procedure,
      phase: "contain",
      words: `breach roll of ${words}: contain, and remove it`,
    };
  }
  if (before === undefined) {
    const disabled = after.enabled ? "" : ", disabled";
    return { procedure: "enroll", phase: "enroll", words: `new ${words}${disabled}` };
  }
  const { added, gone, moved } = compare(before, after);
  const closed = slots(before).filter(
    (slot) => shutOut(slot) && (gone.includes(slot) || (before.enabled && !after.enabled)),
  );
  if (closed.length > 0) {
    const phase = after.enabled && added.length > 0 ? "replace" : "contain";
    const procedure = breachProcedure(kind, closed);
    return { procedure, phase, words: `breach roll of ${words}: ${phase}` };
  }
  if (added.length > 0 || gone.length > 0 || moved) {
    const kept = slots(before).length > gone.length;
    const phase = expirationPhase(added.length, gone.length, kept);
    const procedure = kind === "individual" ? "P5" : slots(after).some(isRoot) ? "P8" : "P9";
    return { procedure, phase, words: `expiration roll of ${words}: ${phase}` };
  }
  if (before.enabled !== after.enabled) {
    const phase = after.enabled ? "enable" : "disable";
    return { procedure: "none", phase, words: `${words}: ${phase}` };
  }
  return none(`no change of certificates in ${words}`);
}

function breachProcedure(kind: EntryChange["kind"], closed: RollSlot[]): Procedure {
  if (kind === "individual") return "P4";
  return closed.some(isRoot) ? "P6" : "P7";
}

/** "enrollment group `sensors`" */
export function entryWords(entry: { kind: "individual" | "group"; id: string }): string {
  const kind = entry.kind === "group" ? "enrollment group" : "individual enrollment";
  return `${kind} \`${displayName(entry.id)}\``;
}

/** What comes, what goes, and whether something that stays changes its place. */
export function compare(
  before: RollSide,
  after: RollSide,
): { added: RollSlot[]; gone: RollSlot[]; moved: boolean } {
  const old = slots(before);
  const next = slots(after);
  return {
    added: next.filter((slot) => old.every((each) => each.identity !== slot.identity)),
    gone: old.filter((slot) => next.every((each) => each.identity !== slot.identity)),
    moved:
      old.length === next.length &&
      old.length > 0 &&
      before.primary?.identity !== after.primary?.identity &&
      next.every((slot) => old.some((each) => each.identity === slot.identity)),
  };
}

function expirationPhase(added: number, gone: number, kept: boolean): Phase {
  if (added === 0) return gone === 0 ? "activate" : "retire";
  return kept || gone === 0 ? "prepare" : "replace";
}

function slots(side: RollSide): RollSlot[] {
  return [side.primary, side.secondary].filter((slot) => slot !== undefined);
}

/* A reference to a CA certificate; when that is not said, a root. */
function isRoot(slot: RollSlot): boolean {
  return slot.ca !== undefined || slot.certificate?.selfSigned === true;
}

function none(words: string): EntryRoll {
  return { procedure: "none", phase: "none", words };
}
