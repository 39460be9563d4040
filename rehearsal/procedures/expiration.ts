/** An expiration: the new certificate beside the old one, the devices, and the old one goes. */
import { declareEach, previewsRoll } from "./judging";
import { Course } from "./course";
import type { Rehearsal } from "../rehearsal";
import type { Roll } from "./rolls";

export async function carryOutExpiration(
  rehearsal: Rehearsal,
  procedure: string,
  roll: Roll,
): Promise<void> {
  const devices = [...roll.identities.keys()];
  const course = await Course.begin(rehearsal, procedure, devices, roll.canaries);
  const prepared = await rehearsal.change(
    "Prepare: the new certificate beside the old one",
    [...roll.declare, ...roll.add],
    { reviewed: previewsRoll(rehearsal, course, roll) },
  );
  declareEach(course, roll, "prepare", prepared);
  for (const [device, identity] of roll.identities) {
    device.give(identity);
  }
  await Promise.all(devices.map((device) => device.works()));
  const retired = await rehearsal.change("Retire: the old certificate goes", [
    ...roll.release,
    ...roll.forget,
  ]);
  declareEach(course, roll, "retire", retired);
  await rehearsal.allWork();
  course.judgeOverlap();
  course.judgeCanariesOverlap({ oneWay: true });
  const own = roll.oldCas.filter((ca) => !roll.adoptedCas.includes(ca));
  own.forEach((ca) => course.judgeCaGone(ca));
  course.judgeRefusals();
  course.judgeOthers();
  await course.tryOld("DPS");
  course.close();
}
