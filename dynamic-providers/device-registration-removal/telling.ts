/** What a removal tells the person at the terminal. */
import { devicesWords } from "../../certificates/fleet-usage";
import type { JournalEntry } from "../device-twin-journal/journal";
import { candidateId } from "./candidates";
import type { DeviceRegistrationRemovalInputs, Progress } from "./provider";

export function summaryOf(
  { compromised, waiting }: DeviceRegistrationRemovalInputs,
  entries: JournalEntry[],
  progress: Record<string, Progress>,
  failed: number,
): string {
  const outcomes = entries.map((entry) => progress[candidateId(entry)]?.outcome);
  const count = (...wanted: Progress["outcome"][]): number =>
    outcomes.filter((one) => one !== undefined && wanted.includes(one)).length;
  const keys = new Set(entries.flatMap((entry) => entry.keys));
  const named = compromised.filter(({ key }) => keys.has(key)).map(({ subject }) => subject);
  const subjects = [...new Set(named)].join(", ");
  const parts = [
    `Removed ${count("removed", "restored")} of ${entries.length} device ${entries.length === 1 ? "registration" : "registrations"} that came in with ${subjects}`,
    ...(count("rekeyed") > 0 ? [`rekeyed ${count("rekeyed")}`] : []),
    ...(count("cleaned") > 0 ? [`removed what ${count("cleaned")} had left behind`] : []),
    ...(count("spared") > 0 ? [`spared ${count("spared")} with a leaf that is good`] : []),
    ...(count("left") > 0
      ? [`left ${count("left")}, because nothing proves that their leaf is compromised`]
      : []),
    ...(failed > 0 ? [`failed with ${failed}`] : []),
    ...(waiting > 0
      ? [`${devicesWords(waiting)} left for a later wave; run \`pulumi up\` again`]
      : []),
  ];
  return `${parts.join("; ")}.`;
}
