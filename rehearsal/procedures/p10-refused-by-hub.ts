import { Course } from "./course";
import type { Procedure } from "./procedure";

/** Somebody deletes a device at its hub: the device is refused there, and goes back to DPS. */
export const refusedByHub: Procedure = {
  name: "P10-refused",
  of: ["P10"],
  title: "reprovisioning of a device that is refused by its hub",
  members: ["sensor-1", "gateway-1"],
  async carryOut(rehearsal) {
    const [device] = rehearsal.members("sensors");
    const { id, hub } = device!;
    const course = await Course.begin(rehearsal, this.name, [device!]);
    rehearsal.telling.step(`Delete ${id} at its hub, by hand`);
    const mark = course.mark(device!);
    await rehearsal.wire.deleteIdentity(hub!, id);
    const happened = (event: string): boolean =>
      device!.since(mark).some((each) => each.event === event);
    await device!.until("registers again", () => happened("registered"));
    await device!.works();
    const refused = device!.refused("hub", mark);
    course.hold(
      "the device is refused by its hub, and registers again by itself",
      refused > 0 && happened("registered") && device!.refused("dps", mark) === 0,
      `refused ${refused} times by its hub, never by DPS`,
    );
    const { registrations, identities } = rehearsal.recordsOf(id);
    course.hold(
      "it comes back under the same registration ID and device ID, and is there once",
      registrations.join() === id && identities === 1,
      `registrations: ${registrations.join(", ")}; ${identities} hub identities`,
    );
    const settled = await rehearsal.isSettled();
    course.hold("Pulumi sees nothing to change", settled, settled ? "no changes" : "changes");
    course.judgeOthers();
    course.close("refused, and back");
  },
};
