/** Four rolls in a row: no slot is favoured. */
import { slotsOf } from "../slots";
import { Course } from "./course";
import type { Procedure } from "./procedure";
import { groupRoll, individualRoll, newRoot, together } from "./rolls";

const ROLLS = 4;

/** From the primary slot to the secondary one, and back, twice. */
export const alternating: Procedure = {
  name: "alternating",
  of: ["P5", "P8"],
  title: "rolls from one slot to the other and back, twice",
  members: ["device-1", "sensor-1", "gateway-1"],
  async carryOut(rehearsal) {
    const devices = [...rehearsal.members("individual"), ...rehearsal.members("sensors")];
    const course = await Course.begin(rehearsal, this.name, devices);
    const filled: string[] = [];
    for (let round = 1; round <= ROLLS; round += 1) {
      const roll = together([
        await individualRoll(rehearsal),
        await groupRoll(rehearsal, "sensors", await newRoot(rehearsal)),
      ]);
      const watch = await rehearsal.aviary.watch(roll.canaries);
      await rehearsal.change(`Roll ${round}: prepare`, [...roll.declare, ...roll.add]);
      for (const [device, identity] of roll.identities) {
        device.give(identity);
      }
      await Promise.all(devices.map((device) => device.works()));
      await rehearsal.change(`Roll ${round}: retire`, [...roll.release, ...roll.forget]);
      watch();
      filled.push(
        slotsOf(rehearsal, "enrollmentGroups", "sensors")
          .map(({ name }) => name)
          .join("+"),
      );
    }
    await rehearsal.allWork();
    const changes = filled.filter((slot, at) => at > 0 && slot !== filled[at - 1]).length;
    course.hold(
      "each roll fills the slot that the one before has emptied",
      changes === ROLLS - 1,
      filled.join(", "),
    );
    course.judgeNeverRefusedByDps("devices change to the new certificate in each roll");
    course.judgeOverlap();
    course.judgeCanariesOverlap({ oneWay: false });
    course.judgeOthers();
    course.close(`${ROLLS} times`);
  },
};
