/** Groups above a compromised CA that change in the same update, while nothing shuts its chain out. */
import { slotBreach } from "./change-rules";
import { allKnown, keysOf, type Breaches } from "./compromise";
import type { Declared } from "./declared";
import { fault, type Fault } from "./faults";
import { heldCas } from "./held-cas";
import { entriesOf, identity, isAbove, knownCertificates, wordsOf, type Entry } from "./slots";

/**
 * The writes of an update come in no order: when the group that holds a compromised CA is written
 * before one above it is, the chain falls through to that one. A group that is taken away even goes
 * after the devices. So the groups above stay as they are while the CA is shut out by a group of its
 * own (`heldCas`), which is made first.
 */
export function opensAboveFaults(
  before: Declared | undefined,
  after: Declared,
  oldEntries: Entry[],
  entries: Entry[],
  breaches: Breaches,
): Fault[] {
  if (before === undefined) return [];
  const among = allKnown(before, after);
  const held = new Set(heldCas(after, breaches).map(({ name }) => name));
  const already = new Set(before.compromised.flatMap((each) => keysOf(each, before, among)));
  return knownCertificates(after).flatMap(([name, certificate]) => {
    const breach = breaches.of(name, certificate);
    const { isCa, publicKeySha256 } = certificate.summary;
    if (!isCa || breach?.by !== "key" || !breach.declared || held.has(name)) return [];
    const id = identity(name, certificate);
    const wasHeld = entriesOf(before).some(
      ({ kind, enabled, slots }) =>
        kind === "group" && !enabled && slots.some((slot) => slot.id === id),
    );
    if (wasHeld) return [];
    const above = oldEntries.filter(
      (old) =>
        old.kind === "group" &&
        old.enabled &&
        (!already.has(publicKeySha256) || entries.every(({ key }) => key !== old.key)) &&
        old.slots.some(
          (slot) =>
            slot.certificate?.known === true &&
            slotBreach(breaches, slot) === undefined &&
            isAbove(slot.certificate, certificate, among),
        ),
    );
    return above.map((group) =>
      fault(
        "DPS-CERT-082",
        group.path,
        `a group that this change alters or takes away, and that admits until then a CA that ${breach.words}: ${wordsOf(name, certificate)}`,
        already.has(publicKeySha256)
          ? "set its status to disabled in this change, and take it away in a later one"
          : "leave the group as it is in this change: then a disabled group of its own shuts that CA out first; alter it in a later change",
      ),
    );
  });
}
