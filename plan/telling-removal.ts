/** What the plan says of hub identities that go, and of the registrations to come. */
import { listed } from "../certificates/text";
import { aMinute, ASSUMED_TIER, tierWords } from "./hub-rates";
import type { PlanRegistrations, PlanRemoval } from "./model";
import { counted } from "./telling";

export function registrationsWords({ devices, minutes }: PlanRegistrations): string[] {
  if (devices === 0) return [];
  return [
    `Registrations to come: at most ${devices}. DPS takes 1,000 a minute, so that is ${atLeast(minutes)}; whom it turns away meanwhile is told when to try again.`,
  ];
}

export function removalWords(removal: PlanRemoval): string[] {
  const { how, hubs, keep, minutes, notKnown, operations } = removal;
  const manner = {
    now: "all at once",
    waves: "in waves, each of which waits for the devices of the one before",
    evidenced: "only those that are proven to hold a compromised certificate",
  };
  return [
    how === null
      ? "How they are removed is not known, because the change was refused before that was judged; counted as if at once."
      : `How: ${manner[how]}${keep === "rekey" ? "; identities stay and get another thumbprint" : ""}.`,
    `Time: ${atLeast(minutes)} at the published rates: a device takes ${operations} operations on its hub's registry, and ${rateWords(hubs)}.`,
    ...(notKnown > 0
      ? [
          `Of ${counted(notKnown, "device")} it is not known who issued their certificate: DPS and the hub do not say. A manifest of issued leaves would.`,
        ]
      : []),
  ];
}

/* Hubs with one rate share the words. */
function rateWords(hubs: PlanRemoval["hubs"]): string {
  const byRate = new Map<string, string[]>();
  for (const { hub, tier } of hubs) {
    const known = tier ?? ASSUMED_TIER;
    const which = `${tier === null ? "its tier was not read, taken for " : ""}${tierWords(known)}`;
    const words = `${aMinute("identities", known)} a minute (${which})`;
    byRate.set(words, [...(byRate.get(words) ?? []), `\`${hub}\``]);
  }
  const parts = [...byRate].map(
    ([words, names]) => `${listed(names)} ${names.length === 1 ? "takes" : "take"} ${words}`,
  );
  return parts.join("; ");
}

function atLeast(minutes: number): string {
  return minutes <= 1 ? "about a minute" : `at least ${counted(minutes, "minute")}`;
}
