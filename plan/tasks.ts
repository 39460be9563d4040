/** What a change leaves to people: before it is carried out, and afterwards. */
import { below, type Meaning } from "./meaning";
import type { PlanTasks } from "./model";
import { counted } from "./telling";
import { isBreach } from "./words";

/** Sentences, in the order in which they are to be done. */
export function tasksOf(change: Meaning): PlanTasks {
  if (isBreach(change.procedure)) return tasksInBreach(change);
  const { arriving, entry, isGroup, phase } = change;
  if (phase !== "prepare") return { before: [], after: [] };
  return {
    before: [],
    after: [
      isGroup
        ? `Give the devices of ${entry} ${below(arriving, isGroup)}, and see with \`npm run status\` who has one; then retire the old certificate in a change of its own.`
        : `Give the device of ${entry} its next certificate, and see with \`npm run status\` whether it has it; then retire the old one in a change of its own.`,
    ],
  };
}

function tasksInBreach({ arriving, devices, entry, isClosed, isGroup, staying }: Meaning) {
  const unproven = devices?.undecided.count ?? 0;
  const away = unproven + (devices?.shutOut ?? 0);
  const set = (devices?.edge.count ?? 0) + (devices?.children.count ?? 0);
  const wanted = below(arriving === "" ? staying : arriving, isGroup);
  return {
    before: [
      "Do not wait longer than you must: until this is carried out, whoever has the stolen key gets in. " +
        "`npm run contain` closes what admits it at once, without a pull request; who is connected stays connected until this one goes on from there.",
      ...(isGroup && unproven > 0
        ? [
            "If whoever issues the certificates has a manifest of issued leaves, give it in `remove.issuedLeaves` and look at the plan again: devices that it proves good are kept.",
          ]
        : []),
    ],
    after: [
      "If `up` ends half way, run it again: what is closed stays closed, and it goes on from there.",
      ...(isClosed ? [`Give ${entry} a new certificate, in a change of its own.`] : []),
      ...(away > 0 && !isClosed
        ? [
            isGroup
              ? `See with \`npm run status\` who of ${entry} is back, and give the others ${wanted}: nothing else lets them in.`
              : `See with \`npm run status\` whether the device of ${entry} is back. If not, give it its new certificate: nothing else lets it in.`,
          ]
        : []),
      ...(isGroup && !isClosed
        ? [
            `Devices in stock that have nothing but a certificate of the stolen CA need ${wanted} as well.`,
          ]
        : []),
      ...(set > 0 && !isClosed
        ? [
            `Make ${counted(set, "device")} of ${entry} register again by hand where nothing does it: IoT Edge devices, and devices below one.`,
          ]
        : []),
    ],
  };
}
