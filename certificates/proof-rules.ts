/** CA certificates of DPS that are not what they seem: not verified yet, or still there afterwards. */
import type { Breaches } from "./compromise";
import type { Declared } from "./declared";
import { fault, type Fault } from "./faults";
import { anchorFaults } from "./slot-rules";
import { own, wordsOf, type Entry, type ResolvedSlot } from "./slots";
import { displayName, listed, pathOf } from "./text";

/** A CA whose key is not in the stack, and nothing says how possession of it is proved. */
export function missingProof(name: string): Fault {
  return fault(
    "DPS-CERT-029",
    pathOf("caCertificates", name, "proof"),
    "no proof of possession for a CA whose key is not in the stack",
    "give proof: { keyFile: … }, { command: […] }, { signatureCommand: […] } or { offline: {} }, or { selfAttested: true } to do without",
  );
}

/** A CA certificate whose proof of possession is not there yet admits nobody. */
export function waitingFaults(after: Declared, entries: readonly Entry[]): Fault[] {
  const waiting = Object.entries(after.caCertificates).flatMap(([name, { waits }]) =>
    waits === true ? [name] : [],
  );
  if (waiting.length === 0) return [];
  const proved: Declared = {
    ...after,
    caCertificates: Object.fromEntries(
      Object.entries(after.caCertificates).filter(([name]) => !waiting.includes(name)),
    ),
  };
  return entries
    .filter(({ kind, enabled }) => kind === "group" && enabled)
    .flatMap(({ slots }) => slots)
    .flatMap((slot) => {
      if ("ca" in slot.slot) {
        return own(after.caCertificates, slot.slot.ca)?.waits === true
          ? [waitingFault(slot, slot.words, [slot.slot.ca])]
          : [];
      }
      const onlyThere =
        anchorFaults(undefined, after, slot).length === 0 &&
        anchorFaults(undefined, proved, slot).length > 0;
      const words = `a signing certificate that chains to nothing else: ${slot.words}`;
      return onlyThere ? [waitingFault(slot, words, waiting)] : [];
    });
}

function waitingFault({ path }: ResolvedSlot, words: string, waiting: string[]): Fault {
  const names = listed(waiting.map((name) => `\`${displayName(name)}\``));
  const paths = listed(
    waiting.map((name) => `${pathOf("caCertificates", name)}.proof.offline.signedFile`),
  );
  return fault(
    "DPS-CERT-110",
    path,
    `${words}, while CA ${names} waits for its proof of possession`,
    `run \`pulumi up\` without this slot, have the code of the output pendingProofs signed, and give ${paths} in the change that fills the slot`,
  );
}

/**
 * A retained CA certificate that was declared compromised once and is let go of now. While it is declared
 * so, `up` deletes it.
 */
export function retainedFaults(
  before: Declared | undefined,
  after: Declared,
  breaches: Breaches,
): Fault[] {
  return Object.entries(before?.caCertificates ?? {}).flatMap(([name, ca]) => {
    if (ca.retained !== true || own(after.caCertificates, name) !== undefined) return [];
    const certificate = own(before?.certificates ?? {}, ca.certificate);
    const breach = breaches.of(ca.certificate, certificate);
    if (breach === undefined || breach.declared) return [];
    return [
      fault(
        "DPS-CERT-119",
        pathOf("caCertificates", name),
        `a CA that ${breach.words}, and that is let go of: ${wordsOf(ca.certificate, certificate)}`,
        "keep it in compromised, and it is deleted from DPS; or delete it there",
      ),
    ];
  });
}
