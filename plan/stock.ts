/** Devices that have never registered: nobody counts them, and a breach shuts them out as well. */
import type { Answer } from "../certificates/admission";
import { entryWords } from "../certificates/entry-roll";
import type { ResolvedSlot } from "../certificates/slots";
import { listed } from "../certificates/text";

/** What becomes of devices in stock that have only a certificate below one of these slots. */
export function stockWords(
  slots: ResolvedSlot[],
  answer: ((issuer: string) => Answer) | undefined,
  nameOf: (slot: ResolvedSlot) => string,
): string[] {
  const about = "Devices in stock, which have never registered, are not counted here.";
  if (answer === undefined) return [about];
  return [
    [
      about,
      ...slots.flatMap((slot) => {
        const { certificate } = slot;
        if (certificate?.known !== true) return [];
        const one = `One that has only a certificate below ${nameOf(slot)}`;
        const found = answer(certificate.summary.sha256Thumbprint);
        if (!found.known) return [`${one}: whether an entry admits it afterwards is not known.`];
        const by = found.outcomes.flatMap((each) => (each.admitted ? [entryWords(each)] : []));
        return by.length === 0
          ? [`${one} is refused afterwards: no other entry of this DPS admits it.`]
          : [
              `${one} is admitted as well by ${listed([...new Set(by)])}. The breach closes every entry of this DPS that holds ${nameOf(slot)}, declared here or not; see that none is left that admits it by a certificate above.`,
            ];
      }),
    ].join(" "),
  ];
}
