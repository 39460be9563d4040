/** A CA certificate whose proof of possession is not there yet admits nobody. */
import type { Declared } from "./declared";
import { fault, type Fault } from "./faults";
import { anchorFaults } from "./slot-rules";
import { own, type Entry, type ResolvedSlot } from "./slots";
import { displayName, listed, pathOf } from "./text";

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
