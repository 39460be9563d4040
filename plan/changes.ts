/** One roll, as a reviewer reads it: its certificates, its overlap, its devices. */
import { chainTo } from "../certificates/chain";
import { allKnown } from "../certificates/compromise";
import type { Declared, KnownCertificate, Roll } from "../certificates/declared";
import { type EntryFacts } from "../certificates/fleet-facts";
import type { PastRoll } from "../certificates/past-rolls";
import { minus } from "../certificates/roll-steps";
import { entriesOf, type Entry, own, type ResolvedSlot } from "../certificates/slots";
import { displayName, listed, pathOf } from "../certificates/text";
import type { Answer } from "../certificates/admission";
import { entryWords } from "../certificates/entry-roll";
import { devicesOf } from "./change-devices";
import type { Inventory } from "./inventory";
import type { DeviceFate } from "./lock-out";
import { type Meaning, meaningOf, summaryOf, undecidedWords } from "./meaning";
import { stockWords } from "./stock";
import { tasksOf } from "./tasks";
import type { PlanCertificate, PlanChange, PlanOverlap, PlanSlot } from "./model";
import { isBreach, phaseWords, PROCEDURES } from "./words";

const DAY_MS = 86_400_000;

export interface ChangeContext {
  before: Declared | undefined;
  after: Declared;
  now: Date;
  /** Rolls before this change, oldest first. */
  past: readonly PastRoll[];
  /** Devices whose hub identity goes, by the key of their entry. */
  removed: ReadonlyMap<string, ReadonlySet<string>>;
  /** What DPS answers afterwards to a device it has never seen, by who issued its leaf. Absent: not read. */
  strangers?: (issuer: string) => Answer;
}

export function changeOf(
  roll: Roll,
  context: ChangeContext,
  inventory: Inventory | undefined,
  fates: DeviceFate[] | undefined,
): PlanChange {
  const { before, after } = context;
  const old = before && entriesOf(before).find(({ path }) => path === roll.entry);
  const entry = entriesOf(after).find(({ path }) => path === roll.entry);
  const { procedure, phase, words, steps, back } = roll;
  const facts = old && inventory?.facts.entries[old.key];
  const devices =
    old === undefined || facts === undefined || fates === undefined
      ? null
      : devicesOf(old, entry, facts, fates, context);
  const leaving = minus(old?.slots ?? [], entry?.slots ?? []);
  const meaning: Meaning = {
    entry: entryOf(roll, entry ?? old),
    procedure,
    phase,
    isGroup: roll.kind === "group",
    removes: steps.some(({ action }) => action.do === "remove devices"),
    isClosed: entry?.enabled !== true,
    arriving: listed(minus(entry?.slots ?? [], old?.slots ?? []).map(slotName)),
    // What an entry that is only disabled holds goes as well.
    leaving: listed((leaving.length === 0 ? (old?.slots ?? []) : leaving).map(slotName)),
    staying: listed((entry?.slots ?? []).map(slotName)),
    devices,
    stock:
      isBreach(procedure) && roll.kind === "group" && old !== undefined
        ? stockWords(leaving.length === 0 ? old.slots : leaving, context.strangers, slotName)
        : [],
  };
  return {
    path: roll.entry,
    kind: roll.kind,
    procedure,
    procedureWords: PROCEDURES[procedure],
    phase,
    phaseWords: phaseWords(procedure, phase),
    words,
    summary: summaryOf(meaning),
    meaning: meaningOf(meaning),
    status:
      old === undefined && entry === undefined
        ? null
        : { before: statusOf(old), after: statusOf(entry) },
    slots:
      old === undefined && entry === undefined
        ? caSlots(roll, context)
        : slots(old, entry, context),
    overlap: overlapOf(roll, old, entry, facts, context.now),
    devices: devices && { ...devices, undecidedWords: undecidedWords(meaning) },
    steps: steps.map((each) => each.words),
    tasks: tasksOf(meaning),
    back,
    past: context.past
      .filter((each) => each.entry === roll.entry)
      .map(({ at, phase: was, procedure: by }) => ({ procedure: by, phase: was, at })),
  };
}

/* A denial is no declared entry; it is named by its place. */
function entryOf({ entry: path }: Roll, entry: Entry | undefined): string {
  return entry === undefined ? `\`${displayName(path)}\`` : entryWords(entry);
}

function statusOf(entry: Entry | undefined): "enabled" | "disabled" | null {
  if (entry === undefined) return null;
  return entry.enabled ? "enabled" : "disabled";
}

function slots(
  old: Entry | undefined,
  entry: Entry | undefined,
  context: ChangeContext,
): PlanSlot[] {
  return (["primary", "secondary"] as const).map((name) => {
    const before = old?.slots.find((slot) => slot.name === name);
    const after = entry?.slots.find((slot) => slot.name === name);
    const shown = (slot: ResolvedSlot | undefined, declared: Declared | undefined) =>
      slot === undefined || declared === undefined
        ? null
        : certificate(slot, declared, context.now);
    return {
      slot: name,
      before: shown(before, context.before),
      after: shown(after, context.after),
    };
  });
}

/** The certificate's own name in a sentence. */
function slotName({ certificate: each, certificateName = "" }: ResolvedSlot): string {
  const name = each?.known === true ? each.summary.subjectCommonName : (each?.commonName ?? "");
  return displayName(name === "" ? certificateName : name);
}

/** A CA certificate has no slots: it is there, or it is not. */
function caSlots({ entry }: Roll, { before, after, now }: ChangeContext): PlanSlot[] {
  const shown = (declared: Declared | undefined): PlanCertificate | null => {
    if (declared === undefined) return null;
    const name = Object.keys(declared.caCertificates).find(
      (each) => pathOf("caCertificates", each) === entry,
    );
    const ca = name === undefined ? undefined : own(declared.caCertificates, name);
    if (name === undefined || ca === undefined) return null;
    const found = own(declared.certificates, ca.certificate);
    return shownAs(ca.certificate, name, found?.known === true ? found : undefined, declared, now);
  };
  const slot = { slot: "certificate" as const, before: shown(before), after: shown(after) };
  return slot.before === null && slot.after === null ? [] : [slot];
}

function certificate(slot: ResolvedSlot, declared: Declared, now: Date): PlanCertificate {
  const known = slot.certificate?.known === true ? slot.certificate : undefined;
  const ca = "ca" in slot.slot ? slot.slot.ca : null;
  return shownAs(slot.certificateName ?? null, ca, known, declared, now);
}

function shownAs(
  name: string | null,
  ca: string | null,
  known: KnownCertificate | undefined,
  declared: Declared,
  now: Date,
): PlanCertificate {
  if (known === undefined) return { name, ca, facts: null };
  const { summary } = known;
  return {
    name,
    ca,
    facts: {
      subject: summary.subject,
      commonName: summary.subjectCommonName,
      issuer: summary.issuer,
      sha1: summary.sha1Thumbprint,
      sha256: summary.sha256Thumbprint,
      notBefore: summary.notBefore,
      notAfter: summary.notAfter,
      key: summary.keyType,
      signature: summary.signatureAlgorithm,
      chainsTo: anchorOf(known, declared),
      daysLeft: Math.floor((new Date(summary.notAfter).getTime() - now.getTime()) / DAY_MS),
    },
  };
}

/** Name of the CA of this DPS that its chain ends at. */
function anchorOf({ pem }: KnownCertificate, declared: Declared): string | null {
  const anchors = Object.entries(declared.caCertificates).flatMap(([name, ca]) => {
    const found = own(declared.certificates, ca.certificate);
    return found?.known === true && ca.waits !== true ? [[found.pem, name] as const] : [];
  });
  const known = allKnown(undefined, declared).map((each) => each.pem);
  const end = chainTo(
    pem,
    anchors.map(([each]) => each),
    known,
  )?.at(-1);
  return anchors.find(([each]) => each === end)?.[1] ?? null;
}

function overlapOf(
  { kind, phase, procedure, steps }: Roll,
  old: Entry | undefined,
  entry: Entry | undefined,
  facts: EntryFacts | undefined,
  now: Date,
): PlanOverlap | null {
  if (old === undefined || entry === undefined) return null;
  const gone = minus(old.slots, entry.slots);
  const added = minus(entry.slots, old.slots);
  if (isBreach(procedure)) {
    const from = steps.findIndex(({ action }) => action.do === "disable") + 1;
    const to = steps.findIndex(({ action }) => action.do === "write") + 1;
    const out = steps.findIndex(({ action }) => action.do === "remove devices") + 1;
    if (!entry.enabled || from === 0 || to === 0 || out === 0) return null;
    const [nobody, whoever] =
      kind === "group"
        ? ["nobody of this group can", "whoever is connected, a thief as well, stays"]
        : ["the device cannot", "whoever is connected as this device, a thief as well, stays"];
    return {
      days: 0,
      words: `from step ${from} to step ${to} ${nobody} register; ${whoever} connected until step ${out}`,
    };
  }
  if (phase === "replace" && gone.length > 0 && added.length > 0) {
    return {
      days: 0,
      words: "none: the old certificate is refused from the moment the new one is accepted",
    };
  }
  if (phase === "retire") {
    const since = facts?.lastWritten;
    if (since === undefined) return { days: null, words: "not known: the entry was not read" };
    const days = Math.floor((now.getTime() - new Date(since).getTime()) / DAY_MS);
    return {
      days,
      words: `it ends now; DPS has accepted both since ${since.slice(0, 10)}, or before`,
    };
  }
  if (phase !== "prepare" && phase !== "activate") return null;
  const shared = minus(old.slots, gone);
  const ends = [...shared, ...added].map(({ certificate: each }) =>
    each?.known === true ? new Date(each.summary.notAfter).getTime() : Infinity,
  );
  const begins = [...added].map(({ certificate: each }) =>
    each?.known === true ? new Date(each.summary.notBefore).getTime() : now.getTime(),
  );
  const end = Math.min(...ends);
  const begin = Math.max(now.getTime(), ...begins);
  if (!Number.isFinite(end))
    return { days: null, words: "not known: a certificate is made during up" };
  return {
    days: Math.max(0, Math.floor((end - begin) / DAY_MS)),
    words: `until ${new Date(end).toISOString().slice(0, 10)}, when the first of them expires`,
  };
}
