/** Both breaches: one change, and devices that get their new certificate once they are removed. */
import { type Edit, set } from "../configuration";
import type { Identity } from "../factory";
import type { FleetDevice } from "../fleet";
import { type BreachView, judgeBreach } from "../order-rules";
import type { Rehearsal } from "../rehearsal";
import type { Attempt } from "../wire";
import { Course } from "./procedure";

export interface Breach {
  procedure: string;
  entry: BreachView["entry"];
  /** New certificates of the devices that came in with the compromised key. */
  replacements: Map<FleetDevice, Identity>;
  /** Name of the compromised certificate in the configuration. */
  compromised: string;
  /** Somebody with a certificate of the compromised key, and no device. */
  thief?: { registrationId: string; identity: Identity };
  /** The replacement in the configuration. */
  edits: Edit[];
}

export async function carryOutBreach(rehearsal: Rehearsal, breach: Breach): Promise<void> {
  const devices = [...breach.replacements.keys()];
  const course = new Course(rehearsal, breach.procedure, devices);
  await course.labelTwins();
  const before = (rehearsal.configured("compromised") ?? []) as object[];
  const reason = `rehearsal of ${breach.procedure}`;
  const stopDelivering = deliverOnceRemoved(rehearsal, breach);
  const thief = tryOnceContained(rehearsal, breach);
  try {
    await rehearsal.change("Contain, replace, remove: one change", [
      ...breach.edits,
      set(["compromised"], [...before, { certificate: breach.compromised, reason }]),
    ]);
  } finally {
    stopDelivering();
    thief.stop();
  }
  const kept = devices.filter((device) => device.identity !== breach.replacements.get(device));
  course.hold(
    "every device that came in with the compromised key is removed",
    kept.length === 0,
    kept.map(({ id }) => `${id} was not`).join(", ") || `${devices.length} devices`,
  );
  for (const device of kept) {
    device.give(breach.replacements.get(device)!);
  }
  await rehearsal.allWork();
  await judge(rehearsal, breach, course);
  if (breach.thief !== undefined) {
    const tried = await thief.attempt();
    course.hold(
      "DPS refuses a new leaf under the compromised CA from the containment on (tried while the CA was still there)",
      tried?.accepted === false,
      tried?.answer ?? "not tried: nothing was contained",
    );
  }
}

async function judge(rehearsal: Rehearsal, breach: Breach, course: Course): Promise<void> {
  const { thief } = breach;
  const [[device, replacement] = []] = breach.replacements;
  const holders = [...breach.replacements.keys()].map((one) => ({
    registrationId: one.id,
    chain: course.before(one).chain,
  }));
  rehearsal.findings.addAll(
    breach.procedure,
    judgeBreach(course.window, {
      entry: breach.entry,
      compromised: [
        ...holders,
        ...(thief ? [{ registrationId: thief.registrationId, chain: thief.identity.chain }] : []),
      ],
      replacement: { registrationId: device!.id, chain: replacement!.chain },
    }),
  );
  course.judgeOthers();
  course.judgeAcceptanceOfOthers();
  await course.tryOld("DPS and every hub");
  if (thief !== undefined) {
    const { accepted, answer } = await rehearsal.wire.tryDps(thief.registrationId, thief.identity);
    course.hold("DPS refuses a new leaf under the compromised CA (tried)", !accepted, answer);
  }
  await course.judgeTwins();
  if (breach.entry.kind === "group") {
    course.judgeCaGone(breach.compromised);
  }
  course.close("removed, and back");
}

/** A thief tries his certificate right after the first write to the entry, the containment. */
function tryOnceContained(
  rehearsal: Rehearsal,
  { entry, thief }: Breach,
): { stop(): void; attempt(): Promise<Attempt | undefined> } {
  const folder = entry.kind === "group" ? "enrollmentgroups" : "enrollments";
  const path = `/${folder}/${entry.id}`.toLowerCase();
  let attempt: Promise<Attempt> | undefined;
  const stop = rehearsal.observer.listen((request) => {
    const isWrite = request.service === "dps-service" && request.method === "PUT";
    if (thief && isWrite && request.status < 300 && request.path.toLowerCase() === path) {
      attempt ??= rehearsal.wire.tryDps(thief.registrationId, thief.identity);
    }
  });
  return { stop, attempt: async () => attempt };
}

/** A device gets its new certificate at the moment in which its old life at DPS has ended. */
function deliverOnceRemoved(rehearsal: Rehearsal, { replacements }: Breach): () => void {
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
