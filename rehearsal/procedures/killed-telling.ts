/** Devices are told to register again, and the run that tells them is killed. */
import { remove, set } from "../configuration";
import type { KillPoint } from "../killing";
import type { Rehearsal } from "../rehearsal";
import { Course } from "./course";
import type { Procedure } from "./procedure";
import { groupRoll, newIntermediate, newRoot, type Target } from "./rolls";

interface Telling {
  group: string;
  how: "directMethod" | "job";
  target: (rehearsal: Rehearsal) => Promise<Target>;
  kill: KillPoint;
}

const TELLINGS: Telling[] = [
  {
    group: "sensors",
    how: "directMethod",
    target: newRoot,
    kill: at("the first direct method", "POST", /^\/twins\/[^/]+\/methods$/i),
  },
  {
    group: "gateways",
    how: "job",
    target: (rehearsal) => newIntermediate(rehearsal, "root-i"),
    kill: at("the first job", "PUT", /^\/jobs\/v2\/[^/]+$/i),
  },
];

export const killedTelling: Procedure = {
  name: "P10-killed",
  of: ["kills"],
  title:
    "reprovisioning of devices that are told, killed after the first method, after the first job",
  members: ["sensor-1", "sensor-2", "gateway-1", "device-1"],
  async carryOut(rehearsal) {
    for (const telling of TELLINGS) await tell(rehearsal, this.name, telling);
  },
};

async function tell(rehearsal: Rehearsal, procedure: string, telling: Telling): Promise<void> {
  const { group, how, target, kill } = telling;
  const roll = await groupRoll(rehearsal, group, await target(rehearsal));
  const devices = rehearsal.members(group);
  const course = await Course.begin(rehearsal, procedure, devices);
  await rehearsal.change(
    "Prepare: the new certificate beside the old one, and devices are told",
    [
      ...roll.declare,
      ...roll.add,
      set(["enrollmentGroups", group, "reprovision"], how),
      set(["reprovisioning"], { waitSeconds: 60 }),
    ],
    { kill },
  );
  for (const device of devices) {
    const mark = course.mark(device);
    const registered = device.since(mark).filter(({ event }) => event === "registered").length;
    const refused = device.refused("dps", mark) + device.refused("hub", mark);
    course.hold(
      `${device.id} has registered again, was told twice at most, and was refused by nobody`,
      registered >= 1 && registered <= 2 && refused === 0,
      `registered ${registered} times, refused ${refused} times`,
    );
  }
  const settled = await rehearsal.isSettled();
  course.hold(
    `killed after ${kill.what}: the second run finished the work, a third would change nothing`,
    settled,
    settled ? "no changes" : "changes",
  );
  await rehearsal.change("Go back, and tell nobody any more", [
    ...roll.add.map(({ path }) => remove(...path)),
    remove("enrollmentGroups", group, "reprovision"),
    remove("reprovisioning"),
  ]);
  course.judgeOverlap();
  course.judgeOthers();
  course.close("told");
}

function at(what: string, verb: string, path: RegExp): KillPoint {
  return {
    what,
    every: true,
    at: (request) =>
      request.service === "iot-hub" && request.method === verb && path.test(request.path),
  };
}
