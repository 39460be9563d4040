import { mainSlot } from "../slots";
import { Course } from "./course";
import type { Procedure } from "./procedure";

/** New leaves under a CA that stays: DPS needs to know nothing of it. */
export const leafBelowCa: Procedure = {
  name: "P3",
  of: ["P3"],
  title: "leaf rolled under an unchanged group CA",
  members: ["sensor-1", "sensor-2", "device-1"],
  async carryOut(rehearsal) {
    const devices = rehearsal.members("sensors");
    const course = await Course.begin(rehearsal, this.name, devices);
    const { certificate } = mainSlot(rehearsal, "enrollmentGroups", "sensors");
    for (const device of devices) {
      device.give(await rehearsal.pki.leafBelow(certificate, device.id));
    }
    await rehearsal.allWork();
    const settled = await rehearsal.isSettled();
    course.hold("Pulumi sees nothing to change", settled, settled ? "no changes" : "changes");
    const { moments, requests } = course.window;
    const registered = requests.filter(
      ({ service, path }) => service === "dps-device" && path.includes("register"),
    );
    course.hold(
      "nothing is written to DPS: the devices register through their chain",
      moments.length === 0 && registered.length > 0,
      `${moments.length} writes, ${registered.length} registrations`,
    );
    course.judgeRefusals();
    course.judgeOthers();
    course.close();
  },
};
