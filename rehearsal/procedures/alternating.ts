/** Rolls in a row: no slot is favoured. */
import type { Rehearsal } from "../rehearsal";
import { otherwise } from "../setting";
import { slotsOf } from "../slots";
import { Course } from "./course";
import { previewsRoll } from "./judging";
import type { Procedure } from "./procedure";
import { groupRoll, individualRoll, newRoot, together } from "./rolls";

/** From the primary slot to the secondary one, and back, twice. */
export const alternating: Procedure = {
  name: "alternating",
  of: ["P5", "P8"],
  title: "rolls from one slot to the other and back, twice",
  members: ["device-1", "sensor-1", "gateway-1"],
  async carryOut(rehearsal) {
    await alternate(rehearsal, this.name, 4);
  },
};

/** The same once, in a DPS that takes an enrollment with only a secondary certificate. */
export const alternatingOtherwise: Procedure = {
  name: "alternating-secondary",
  of: ["P5", "P8"],
  title: "rolls to the other slot and back, where DPS would take a secondary certificate alone",
  members: ["device-1", "sensor-1"],
  setting: otherwise,
  async carryOut(rehearsal) {
    await alternate(rehearsal, this.name, 2);
  },
};

async function alternate(rehearsal: Rehearsal, procedure: string, rolls: number): Promise<void> {
  const devices = [...rehearsal.members("individual"), ...rehearsal.members("sensors")];
  const course = await Course.begin(rehearsal, procedure, devices);
  const filled: string[] = [];
  /** Entries whose one certificate DPS has as the secondary. */
  const withoutPrimary: string[] = [];
  for (let round = 1; round <= rolls; round += 1) {
    const roll = together([
      await individualRoll(rehearsal),
      await groupRoll(rehearsal, "sensors", await newRoot(rehearsal)),
    ]);
    const watch = await rehearsal.aviary.watch(roll.canaries);
    await rehearsal.change(
      `Roll ${round}: prepare`,
      [...roll.declare, ...roll.add],
      round === 1 ? { reviewed: previewsRoll(rehearsal, course, roll) } : {},
    );
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
    const { entries } = rehearsal.observer.moments.at(-1)!;
    withoutPrimary.push(...entries.flatMap(({ id, hasPrimary }) => (hasPrimary ? [] : [id])));
  }
  await rehearsal.allWork();
  const changes = filled.filter((slot, at) => at > 0 && slot !== filled[at - 1]).length;
  course.hold(
    "each roll fills the slot that the one before has emptied",
    changes === rolls - 1,
    filled.join(", "),
  );
  course.hold(
    "a certificate that stands alone is sent as the primary one, whichever slot it is declared in",
    withoutPrimary.length === 0,
    withoutPrimary.join(", ") || `after ${rolls} retirements`,
  );
  course.judgeNeverRefusedByDps("devices change to the new certificate in each roll");
  course.judgeOverlap();
  course.judgeCanariesOverlap({ oneWay: false });
  course.judgeOthers();
  course.close(`${rolls} times`);
}
