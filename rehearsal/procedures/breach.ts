/** A breach in one change; the devices get their new certificate once they are removed. */
import { X509Certificate } from "node:crypto";
import type { Canary } from "../canaries";
import { type Edit, set } from "../configuration";
import type { Identity } from "../factory";
import type { FleetDevice } from "../fleet";
import { admits } from "../admission";
import { type BreachView, isRemoval } from "../order-rules";
import type { KillPoint } from "../killing";
import type { Rehearsal } from "../rehearsal";
import { Course } from "./course";
import { declaredIn, previews } from "./judging";

export interface Breach {
  procedure: string;
  entries: BreachView["entries"];
  /** Default: disabling. */
  closedBy?: BreachView["closedBy"];
  /** New certificates of the devices that came in with the compromised key. */
  replacements: Map<FleetDevice, Identity>;
  /** Names of the compromised certificates in the configuration. */
  compromised: string[];
  /** Old: with a certificate of a compromised key, of the observer's own. */
  canaries: Canary[];
  /** The replacement in the configuration. */
  edits: Edit[];
  /** CA certificates that have to be gone at the end. */
  cas?: string[];
  /** Names of CA certificates that have to be kept in a disabled group of their own at the end. */
  held?: string[];
  /** What somebody does who has read the preview, before the update. Default: nothing. */
  reviewed?: (preview: string) => Promise<void>;
  /** Where the first run is killed. Default: it is not. */
  kill?: Kill;
  /** `remove` in the configuration. Default: what it is. */
  remove?: object;
}

/** More runs than a removal in waves of this fleet takes. */
const MOST_RUNS = 5;

/** Places at which a breach is cut. */
export type Kill = "the containment" | "the replacement" | "the first removal" | "the last removal";

/** Resolves to the course, judged and closed. */
export async function carryOutBreach(rehearsal: Rehearsal, breach: Breach): Promise<Course> {
  const devices = [...breach.replacements.keys()];
  const course = await Course.begin(rehearsal, breach.procedure, devices, breach.canaries);
  await course.labelTwins();
  const stopDelivering = deliverOnceRemoved(rehearsal, breach);
  try {
    await rehearsal.change(
      "Contain, replace, remove: one change",
      [
        ...breach.edits,
        ...(breach.remove === undefined ? [] : [set(["remove"], breach.remove)]),
        compromise(rehearsal, breach.procedure, breach.compromised),
      ],
      {
        reviewed: breach.kill ? undefined : (preview) => review(rehearsal, breach, course, preview),
        kill: breach.kill && killPoint(rehearsal, breach, breach.kill),
      },
    );
    for (let run = 1; breach.remove !== undefined && run <= MOST_RUNS; run += 1) {
      await returned(devices);
      if (await rehearsal.isSettled()) break;
      await rehearsal.up();
    }
  } finally {
    stopDelivering();
  }
  judgeRemoved(course, breach);
  await rehearsal.allWork();
  await judge(rehearsal, breach, course);
  if (breach.kill !== undefined) {
    const settled = await rehearsal.isSettled();
    course.hold(
      breach.remove === undefined
        ? `killed after ${breach.kill}: the second run finished the work, a third would change nothing`
        : `killed after ${breach.kill}: the runs after it finished the work, another one would change nothing`,
      settled,
      settled ? "no changes" : "changes",
    );
  }
  return course;
}

/** Those that have their new certificate work with it: the next wave waits for them. */
async function returned(devices: FleetDevice[]): Promise<void> {
  await Promise.all(devices.map((device) => device.works()));
}

async function review(rehearsal: Rehearsal, breach: Breach, course: Course, preview: string) {
  const how = breach.closedBy === "shadowing" ? "replace, which shadows" : "replace";
  const words = breach.entries.map(({ kind, id }) => {
    const what = kind === "group" ? "enrollment group" : "individual enrollment";
    return `breach roll of ${what} \`${id}\`: ${how}`;
  });
  const certificates = [...breach.compromised, ...declaredIn(breach.edits)];
  previews(rehearsal, course, words, certificates)(preview);
  await breach.reviewed?.(preview);
}

/** These certificates become compromised, beside those that are already. */
export function compromise(rehearsal: Rehearsal, procedure: string, names: string[]): Edit {
  const before = (rehearsal.configured("compromised") ?? []) as object[];
  const reason = `rehearsal of ${procedure}`;
  return set(
    ["compromised"],
    [...before, ...names.map((certificate) => ({ certificate, reason }))],
  );
}

/** Who was not removed has its new certificate only now. */
function judgeRemoved(course: Course, { replacements }: Breach): void {
  const kept = [...replacements].filter(([device, identity]) => device.identity !== identity);
  course.hold(
    "every device that came in with the compromised key is removed",
    replacements.size > 0 && kept.length === 0,
    kept.map(([{ id }]) => `${id} was not`).join(", ") || `${replacements.size} devices`,
  );
  for (const [device, identity] of kept) {
    device.give(identity);
  }
}

async function judge(rehearsal: Rehearsal, breach: Breach, course: Course): Promise<void> {
  const denials = denialsOf(rehearsal, breach);
  course.judgeBreach(viewOf(breach, course, denials));
  course.judgeOthers();
  course.judgeAcceptanceOfOthers();
  await course.tryOld("DPS and every hub");
  await course.judgeTwins();
  breach.cas?.forEach((ca) => course.judgeCaGone(ca));
  denials.forEach((group, ca) =>
    course.hold(
      `${ca} is kept in a disabled group of its own`,
      group !== undefined,
      group ?? "there is none",
    ),
  );
  course.close("removed, and back");
}

/** IDs of the disabled groups that hold what has to be held, by its name. */
function denialsOf(
  { observer, pki }: Rehearsal,
  { held = [], entries }: Breach,
): Map<string, string | undefined> {
  const groups = (observer.moments.at(-1)?.entries ?? []).filter(
    ({ kind, id, enabled }) =>
      kind === "group" && !enabled && entries.every((each) => each.id !== id),
  );
  return new Map(
    held.map((name) => {
      const { raw } = new X509Certificate(pki.pair(name).certificate);
      const isIn = (slot: string | Buffer): boolean => slot instanceof Buffer && slot.equals(raw);
      return [name, groups.find(({ slots }) => slots.some(isIn))?.id];
    }),
  );
}

function viewOf(
  breach: Breach,
  course: Course,
  denials: ReadonlyMap<string, string | undefined>,
): BreachView {
  const [[device, replacement] = []] = breach.replacements;
  return {
    entries: breach.entries,
    denials: [...denials.values()].filter((id) => id !== undefined),
    closedBy: breach.closedBy ?? "disabling",
    compromised: [
      ...[...breach.replacements.keys()].map((one) => ({
        registrationId: one.id,
        chain: course.before(one).chain,
      })),
      ...breach.canaries
        .filter(({ role }) => role === "old")
        .map(({ registrationId, identity: { chain } }) => ({ registrationId, chain })),
    ],
    replacement: device && replacement && { registrationId: device.id, chain: replacement.chain },
  };
}

function killPoint(rehearsal: Rehearsal, { replacements }: Breach, what: Kill): KillPoint {
  const [[device, replacement] = []] = replacements;
  return {
    what,
    at(request) {
      switch (what) {
        case "the containment":
          return true;
        case "the replacement": {
          const moment = rehearsal.observer.moments.at(-1)!;
          const { chain } = replacement!;
          return admits(moment, { registrationId: device!.id, chain });
        }
        case "the first removal":
          return isRemoval(request);
        case "the last removal":
          return request.method === "DELETE" && request.path.startsWith("/registrations/");
      }
    },
  };
}

/** A device gets its new certificate at the moment in which its old life at DPS has ended. */
export function deliverOnceRemoved(
  rehearsal: Rehearsal,
  { replacements }: Pick<Breach, "replacements">,
): () => void {
  return rehearsal.observer.listen(({ service, method, path, status }) => {
    if (service === "dps-service" && method === "DELETE" && status < 300) {
      for (const [device, identity] of replacements) {
        if (path.toLowerCase() === `/registrations/${device.id.toLowerCase()}`) {
          device.give(identity);
        }
      }
    }
  });
}
