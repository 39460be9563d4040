import { remove, set } from "../configuration";
import { Course } from "./course";
import { previewsRoll } from "./judging";
import type { Procedure } from "./procedure";
import { groupRoll, newIntermediate, newRoot, together } from "./rolls";

/**
 * Devices are told to register again when a new certificate stands beside the old one: those of one
 * group by direct methods, those of another by jobs of their hubs. They keep the certificate that they have,
 * so that nothing but being told makes them register.
 */
export const told: Procedure = {
  name: "P10-told",
  of: ["P10"],
  title: "reprovisioning of devices that are told to register again",
  members: ["sensor-1", "sensor-2", "gateway-1"],
  async carryOut(rehearsal) {
    const roll = together([
      await groupRoll(rehearsal, "sensors", await newRoot(rehearsal)),
      await groupRoll(rehearsal, "gateways", await newIntermediate(rehearsal, "root-i")),
    ]);
    const devices = [...rehearsal.members("sensors"), ...rehearsal.members("gateways")];
    const course = await Course.begin(rehearsal, this.name, devices);
    const printed = await rehearsal.change(
      "Prepare: the new certificates beside the old ones, and devices are told",
      [
        ...roll.declare,
        ...roll.add,
        set(["enrollmentGroups", "sensors", "reprovision"], "directMethod"),
        set(["enrollmentGroups", "gateways", "reprovision"], "job"),
        set(["reprovisioning"], { waitSeconds: 60 }),
      ],
      { reviewed: previewsRoll(rehearsal, course, roll) },
    );
    for (const group of ["sensors", "gateways"]) {
      const counts = new RegExp(
        `Reprovisioning of enrollment group "${group}": (\\d+) of (\\d+) devices? registered since it was written\\.`,
      ).exec(printed);
      course.hold(
        `\`up\` says that each device of ${group} has registered again`,
        counts !== null && counts[1] === counts[2] && Number(counts[1]) > 0,
        counts?.[0] ?? "it does not say so",
      );
    }
    for (const device of devices) {
      const mark = course.mark(device);
      const registered = device.since(mark).filter(({ event }) => event === "registered");
      const refused = device.refused("dps", mark) + device.refused("hub", mark);
      course.hold(
        `${device.id} was told once, and registered again with the certificate that it has`,
        registered.length === 1 &&
          registered[0]?.thumbprint === device.identity?.thumbprint &&
          refused === 0,
        `registered ${registered.length} times, refused ${refused} times`,
      );
    }
    const settled = await rehearsal.isSettled();
    course.hold("Pulumi sees nothing to change", settled, settled ? "no changes" : "changes");
    const marks = new Map(devices.map((device) => [device, device.mark()]));
    await rehearsal.change("Go back: the new certificates leave the slots again", [
      ...roll.add.map(({ path }) => remove(...path)),
    ]);
    const again = devices.filter((device) =>
      device.since(marks.get(device)!).some(({ event }) => event === "registered"),
    );
    course.hold(
      "going back tells nobody anything",
      again.length === 0,
      again.map(({ id }) => id).join(", ") || "nobody registered",
    );
    await rehearsal.change("Devices are not told any more", [
      remove("enrollmentGroups", "sensors", "reprovision"),
      remove("enrollmentGroups", "gateways", "reprovision"),
      remove("reprovisioning"),
    ]);
    course.judgeOverlap();
    course.judgeOthers();
    course.close("told");
  },
};
