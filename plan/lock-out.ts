/**
 * Who is locked out: DPS's matching over all devices on record, before a change and after it. A device
 * whose chain is not known is counted as such, never guessed.
 */
import {
  Admission,
  type Answer,
  ASSUMED,
  type Assumptions,
  type Outcome,
  type PresentingDevice,
  type ServiceHoldings,
} from "../certificates/admission";
import type { ChainCertificate } from "../certificates/chain-certificate";
import { mayHaveAdmittedThief } from "../certificates/change-rules";
import { allKnown, Breaches } from "../certificates/compromise";
import type { Declared, KnownCertificate, Roll } from "../certificates/declared";
import { entryWords } from "../certificates/entry-roll";
import { entriesOf, entryKey } from "../certificates/slots";
import { foldCase } from "../certificates/text";
import { Holdings, Library } from "./holdings";
import type { Inventory } from "./inventory";
import { Presenters } from "./presenters";

/**
 * `same`: the same entry admits it. `other`: another entry does. `refused`: it was admitted and is refused.
 * `shut out`: the same, as it is meant, because its certificate is compromised or it is denied. `let in`:
 * it was refused and is admitted. `stays refused`. `not known`. `not touched`: not known either, but the
 * certificates of the group that it is on record under are admitted as before.
 */
export type Fate =
  | "same"
  | "other"
  | "refused"
  | "shut out"
  | "let in"
  | "stays refused"
  | "not known"
  | "not touched";

export interface DeviceFate {
  registrationId: string;
  deviceId: string;
  /** Key of the entry under which it is on record. */
  entry: string;
  fate: Fate;
  /** For people: what admits it now, or why it is refused. */
  before: string;
  after: string;
  /** Names of switches: with another value of them, which nobody knows, it would fare otherwise. */
  depends: (keyof Assumptions)[];
}

/** What is not known of disabled entries; everything else touches few devices. */
const VARIANTS: Partial<Assumptions>[] = [
  { disabledIndividualDenies: "certificate" },
  { disabledGroupDenies: "anywhere" },
];

export interface Change {
  before: Declared | undefined;
  after: Declared;
  rolls: readonly Roll[];
  now: Date;
}

export function lockOut(
  { before, after, rolls, now }: Change,
  inventory: Inventory,
  heldOff: ReadonlySet<string>,
): DeviceFate[] {
  const library = new Library(before, after, inventory);
  const holdings = new Holdings(inventory, library);
  const old = holdings.service;
  holdings.carryOut(rolls, after, heldOff);
  const next = holdings.service;
  const { certificates, commonNames } = library;
  const matching = (service: typeof old, assumptions: Assumptions): Admission =>
    new Admission(service, { now, certificates, commonNames, assumptions });
  const beforeIt = matching(old, ASSUMED);
  const afterIt = matching(next, ASSUMED);
  const variants = VARIANTS.map((variant) => {
    const assumptions = { ...ASSUMED, ...variant };
    const [name] = Object.keys(variant) as (keyof Assumptions)[];
    return { name: name!, before: matching(old, assumptions), after: matching(next, assumptions) };
  });
  const inBreach = entriesInBreach(before, after);
  const presenters = new Presenters(inventory, library, inBreach);
  const meant = new Meant(before, after, library);
  /** Whether a device with a certificate right below this one comes in as before. */
  const staysSame = (registrationId: string) => (issuer: string) => {
    const standIn = presenters.below(registrationId, issuer);
    const [was, is] = [beforeIt.of(standIn), afterIt.of(standIn)];
    return (
      isSameAnswer(was, is) && admittedBy(was) !== undefined && admittedBy(was) !== "not known"
    );
  };
  return inventory.devices.map((device) => {
    const presented = presenters.of(device);
    const { registrationId, deviceId, entry } = device;
    const common = { registrationId, deviceId, entry };
    if (typeof presented === "string" || !isProven(presented, library, old)) {
      const held = old.groups.find(({ id }) => entryKey("group", id) === entry)?.certificates ?? [];
      const why =
        typeof presented === "string" ? presented : "there is no evidence of who issued its leaf";
      // Below what stays admitted there may be what is shut out, and whose leaf is below it is not known.
      const isTouched = inBreach.has(entry) || held.length === 0;
      const fate =
        !isTouched && held.every(staysSame(registrationId)) ? "not touched" : "not known";
      return { ...common, fate, before: why, after: why, depends: [] };
    }
    const was = beforeIt.of(presented);
    const is = afterIt.of(presented);
    const fate = fateOf(was, is, () => meant.isShutOut(presented));
    const depends = variants
      .filter(({ before: b, after: a }) => {
        const other = fateOf(b.of(presented), a.of(presented), () => meant.isShutOut(presented));
        return isOpen(other) !== isOpen(fate);
      })
      .map(({ name }) => name);
    return { ...common, fate, before: wordsOf(was), after: wordsOf(is), depends };
  });
}

/** Of a device that has never registered, so that it is on record nowhere. */
const STRANGER = "a device in stock";

/** What DPS answers after a change to a device that it has never seen, by the certificate right above its leaf. */
export function strangers(
  { before, after, rolls, now }: Change,
  inventory: Inventory,
  heldOff: ReadonlySet<string>,
): (issuer: string) => Answer {
  const library = new Library(before, after, inventory);
  const holdings = new Holdings(inventory, library);
  holdings.carryOut(rolls, after, heldOff);
  const { certificates, commonNames } = library;
  const admission = new Admission(holdings.service, {
    now,
    certificates,
    commonNames,
    assumptions: ASSUMED,
  });
  const presenters = new Presenters(inventory, library, new Set());
  return (issuer) => admission.of(presenters.below(STRANGER, issuer));
}

function isSameAnswer(one: Answer, other: Answer): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/* An individual enrollment decides by the leaf alone, and a disabled one by the registration ID. */
function isProven(
  { issuer, leaf, registrationId }: PresentingDevice,
  { certificates }: Library,
  { individuals }: ServiceHoldings,
): boolean {
  const has = individuals.some(({ id }) => foldCase(id) === foldCase(registrationId));
  return has || issuer !== undefined || certificates.has(leaf);
}

/** Keys of entries through which a thief may have come in, as the change says. */
export function entriesInBreach(before: Declared | undefined, after: Declared): Set<string> {
  if (before === undefined) return new Set();
  const breaches = new Breaches(before, after);
  const among = allKnown(before, after);
  const reached = entriesOf(before).filter((entry) =>
    mayHaveAdmittedThief(entry, before, breaches, among),
  );
  return new Set(reached.map(({ key }) => key));
}

function isOpen(fate: Fate): boolean {
  return fate === "same" || fate === "other" || fate === "let in";
}

function fateOf(was: Answer, is: Answer, isMeant: () => boolean): Fate {
  const [old, next] = [admittedBy(was), admittedBy(is)];
  if (old === "not known" || next === "not known") return "not known";
  if (next === undefined) {
    if (old === undefined) return "stays refused";
    return isMeant() ? "shut out" : "refused";
  }
  if (old === undefined) return "let in";
  return old === next ? "same" : "other";
}

/* Where DPS may decide one way or the other, it is not known whether the device comes in. */
function admittedBy(answer: Answer): string | undefined {
  if (!answer.known) return "not known";
  const all = answer.outcomes.map((outcome) =>
    outcome.admitted ? `${outcome.kind}:${foldCase(outcome.id)}` : undefined,
  );
  if (all.every((one) => one === undefined)) return undefined;
  return all.every((one) => one !== undefined)
    ? [...new Set(all)].sort().join(" or ")
    : "not known";
}

function wordsOf(answer: Answer): string {
  return answer.known ? answer.outcomes.map(outcomeWords).join(", or ") : answer.why;
}

function outcomeWords(outcome: Outcome): string {
  return outcome.admitted ? `by ${entryWords(outcome)}` : `refused: ${outcome.words}`;
}

/** Whether a device is shut out because the change says so. */
class Meant {
  private readonly breaches: Breaches;
  private readonly denied: Set<string>;

  constructor(
    before: Declared | undefined,
    after: Declared,
    private readonly library: Library,
  ) {
    this.breaches = new Breaches(before, after);
    this.denied = new Set(
      after.denied.flatMap((each) =>
        "registrationId" in each ? [foldCase(each.registrationId)] : [],
      ),
    );
  }

  isShutOut({ registrationId, leaf, above }: PresentingDevice): boolean {
    return (
      this.denied.has(foldCase(registrationId)) ||
      [leaf, ...above].some((id) => {
        const found = this.library.certificates.get(id);
        return found !== undefined && this.breaches.shutsOut(id, declaredOf(found));
      })
    );
  }
}

function declaredOf({ pem, summary }: ChainCertificate): KnownCertificate {
  return { known: true, pem, summary };
}
