/**
 * What somebody else changed of an entry, and what becomes of it: towards more trust it is put right,
 * towards less trust (disabled, a slot emptied, deleted) it stays until `reenable` says otherwise.
 */
import { entryPath } from "../../certificates/slots";
import { fault, type Fault, formatFault } from "../../certificates/faults";
import { displayName } from "../../certificates/text";
import {
  describe,
  type EnrollmentInputs,
  type EnrollmentOutputs,
  type LiveEnrollment,
  type Managed,
  same,
  sameDevice,
} from "./live";
import {
  filled,
  identities,
  identity,
  type LiveSlot,
  normalised,
  reachesSlots,
  type Slot,
  type Slots,
  slotWords,
} from "./slots";

type Kind = "individual" | "group";

/**
 * What `up` brings about; undefined: somebody deleted the entry, and it stays so. That is what is
 * declared, without what somebody took away by hand since `olds` was brought about.
 * @param live the entry as it is now
 */
export function wanted(
  kind: Kind,
  olds: EnrollmentInputs,
  live: LiveEnrollment,
  news: EnrollmentInputs,
): EnrollmentInputs | undefined {
  if (isReenabled(olds, news)) {
    return news;
  }
  if (live.provisioningStatus === "deleted") {
    // A disabled entry shuts out: without it there is more trust, not less.
    const open = news.provisioningStatus === "enabled" && olds.provisioningStatus === "enabled";
    return open ? undefined : news;
  }
  const { primary, secondary, ...rest } = news;
  const taken = takenAway(olds, live, news);
  const kept = (slot: Slot | undefined): slot is Slot =>
    slot !== undefined && !taken.includes(identity(slot));
  if (taken.length > 0 && filled(news).length > 0 && !filled(news).some(kept)) {
    throw nothingLeft(kind, live, news);
  }
  return {
    ...rest,
    ...(kept(primary) && { primary }),
    ...(kept(secondary) && { secondary }),
    provisioningStatus: isHeldOff(olds, live, news) ? "disabled" : news.provisioningStatus,
  };
}

/** Does a reason stand in `reenable` that has not been carried out yet? */
export function isReenabled(olds: EnrollmentInputs, news: EnrollmentInputs): boolean {
  return news.reenable !== undefined && news.reenable !== olds.reenable;
}

/** Identities of what was brought about and is gone, when nothing else was put in its place. */
function takenAway(olds: EnrollmentInputs, live: LiveEnrollment, news: EnrollmentInputs): string[] {
  const there = identities(live);
  const known = [...identities(olds), ...identities(news)];
  const isForeign = there.some((one) => !known.includes(one));
  return isForeign ? [] : identities(olds).filter((one) => !there.includes(one));
}

/** Was it disabled by hand? What containment disabled is enabled by the change that takes the key out. */
function isHeldOff(olds: EnrollmentInputs, live: LiveEnrollment, news: EnrollmentInputs): boolean {
  return (
    live.provisioningStatus === "disabled" &&
    olds.provisioningStatus === "enabled" &&
    !takesCompromisedOut(olds, news)
  );
}

/** Is this the change that a breach asks for? */
export function takesCompromisedOut(olds: EnrollmentInputs, news: EnrollmentInputs): boolean {
  const compromised = [...olds.compromised, ...news.compromised];
  const holds = (slots: EnrollmentInputs): boolean =>
    compromised.some((key) => reachesSlots(key, slots));
  return holds(olds) && !holds(news);
}

/**
 * May a write go on from what it finds? From what this stack brought about, from what the last refresh
 * showed, and from what admits less than either: a person or a containment closed it since.
 */
export function mayGoOn(olds: EnrollmentOutputs, live: LiveEnrollment): boolean {
  return [olds.live, olds].some((known) => same(live, known) || admitsLess(live, known));
}

/** Does it admit nobody whom the other does not admit, and is it the same in all else? */
export function admitsLess(live: LiveEnrollment, known: Managed): boolean {
  if (live.provisioningStatus === "deleted") {
    return known.provisioningStatus === "enabled";
  }
  const wider = identities(known);
  return (
    identities(live).every((one) => wider.includes(one)) &&
    (live.provisioningStatus === "disabled" || known.provisioningStatus === "enabled") &&
    live.reprovisionPolicy === known.reprovisionPolicy &&
    sameDevice(live, known)
  );
}

/** What a person is told of the difference between what was brought about and what is there. */
export function findingsOf(
  kind: Kind,
  olds: EnrollmentInputs,
  live: LiveEnrollment,
  news: EnrollmentInputs,
): (string | Fault)[] {
  const path = entryPath(kind, news.enrollmentId);
  const opens = isReenabled(olds, news);
  const used = news.reenable !== undefined && !opens;
  const words: (string | Fault)[] = used ? [carriedOut(path, news.reenable ?? "")] : [];
  if (same(live, news)) {
    return words;
  }
  const { less, other } = differences(olds, live, news);
  const since =
    live.lastUpdated === "" ? "since when is not known" : `last changed ${live.lastUpdated}`;
  if (takesCompromisedOut(olds, news)) {
    // Containment has disabled it; a person may have done so before.
    const wasClosed =
      live.provisioningStatus === "disabled" && news.provisioningStatus === "enabled";
    return wasClosed && less.length > 0
      ? [...words, `${path}, disabled in DPS (${since}), is enabled without the compromised key.`]
      : words;
  }
  if (less.length > 0) {
    const found = `${less.join("; ")} (${since})`;
    const another = used ? " with another reason" : "";
    words.push(
      opens
        ? `${path} is opened again, because: ${displayName(news.reenable ?? "")}. Found: ${found}.`
        : fault(
            "DPS-CERT-123",
            path,
            `in DPS less trust than is declared, which stays so: ${found}`,
            `to open it again add { path: ${path}, reason: … } to reenable${another}; to leave it so, declare it so`,
          ),
    );
  }
  if (other.length > 0) {
    words.push(
      fault(
        "DPS-CERT-124",
        path,
        `in DPS something else than is declared: ${other.join("; ")} (${since})`,
        "`pulumi up` puts it right; to keep it, declare it",
      ),
    );
  }
  return words;
}

/** What is there less than what was brought about, and what is otherwise not the same; a clause each. */
function differences(
  olds: EnrollmentInputs,
  live: LiveEnrollment,
  news: EnrollmentInputs,
): { less: string[]; other: string[] } {
  const less: string[] = [];
  const other: string[] = [];
  const wasOpen = olds.provisioningStatus === "enabled";
  if (live.provisioningStatus === "deleted") {
    (wasOpen ? less : other).push(`the entry is gone (declared ${describe(olds)})`);
    return { less, other };
  }
  if (live.provisioningStatus !== olds.provisioningStatus) {
    const words = `status ${live.provisioningStatus} (declared ${olds.provisioningStatus})`;
    (wasOpen ? less : other).push(words);
  }
  const slots = slotDifferences(normalised<LiveSlot>(live), normalised<Slot>(olds));
  (takenAway(olds, live, news).length > 0 ? less : other).push(...slots);
  if (live.reprovisionPolicy !== olds.reprovisionPolicy) {
    other.push(`reprovisionPolicy ${live.reprovisionPolicy} (declared ${olds.reprovisionPolicy})`);
  }
  if (!sameDevice(live, olds)) {
    const found = live.deviceId === undefined ? "none" : displayName(live.deviceId);
    other.push(`deviceId ${found} (declared ${displayName(olds.deviceId ?? "")})`);
  }
  return { less, other };
}

function slotDifferences(live: Slots<LiveSlot>, declared: Slots<Slot>): string[] {
  return (["primary", "secondary"] as const).flatMap((name) =>
    identity(live[name]) === identity(declared[name])
      ? []
      : [`${name} ${slotWords(live[name])} (declared ${slotWords(declared[name])})`],
  );
}

function carriedOut(path: string, reason: string): Fault {
  return fault(
    "DPS-CERT-122",
    path,
    `a reenable that is carried out: ${displayName(reason)}`,
    "remove it from reenable",
  );
}

/** A declaration of which nothing would be left without what somebody took away. */
function nothingLeft(kind: Kind, live: LiveEnrollment, news: EnrollmentInputs): Error {
  const path = entryPath(kind, news.enrollmentId);
  return new Error(
    formatFault(
      fault(
        "DPS-CERT-128",
        path,
        `an entry out of which somebody took what is to stay in it: in DPS ${describe(live)}, last changed ${live.lastUpdated}; declared ${describe(news)}`,
        `put another certificate in a slot, or add { path: ${path}, reason: … } to reenable`,
      ),
    ),
  );
}
