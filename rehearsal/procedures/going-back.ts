/** The reverse change of each phase of an expiration, and what it does to the devices. */
import { type Edit, type Path, remove, set } from "../configuration";
import type { Identity } from "../factory";
import type { FleetDevice } from "../fleet";
import type { Rehearsal } from "../rehearsal";
import { mainSlot } from "../slots";
import { Course } from "./course";
import { previewsRoll } from "./judging";
import type { Procedure } from "./procedure";
import {
  declarationOf,
  groupRoll,
  individualRoll,
  newIntermediate,
  newRoot,
  together,
} from "./rolls";

/** P5, P8 and P9 at once, there and back. */
export const goingBack: Procedure = {
  name: "going-back",
  of: ["P5", "P8", "P9"],
  title: "expirations of all kinds, each phase taken back",
  members: ["device-1", "sensor-1", "gateway-1"],
  async carryOut(rehearsal) {
    const { certificate } = mainSlot(rehearsal, "enrollmentGroups", "gateways");
    const issuer = rehearsal.pki.issuerOf(certificate)!;
    const roll = together([
      await individualRoll(rehearsal),
      await groupRoll(rehearsal, "sensors", await newRoot(rehearsal)),
      await groupRoll(rehearsal, "gateways", await newIntermediate(rehearsal, issuer)),
    ]);
    const devices = [...roll.identities.keys()];
    const before = new Map(devices.map((device) => [device, device.identity!]));
    const old = [...roll.forget, ...roll.release].map(({ path }) => declarationOf(rehearsal, path));
    const prepare = [...roll.declare, ...roll.add];
    const withdraw = [...roll.add, ...roll.declare].map(({ path }) => remove(...path));
    const course = await Course.begin(rehearsal, this.name, devices, roll.canaries);

    // Like the devices, canaries register last with what stays: what is in use is not taken away.
    const settleOnOld = async (): Promise<void> => {
      const stop = await rehearsal.aviary.watch(roll.canaries.filter(({ role }) => role === "old"));
      stop();
    };

    await rehearsal.change("Prepare", prepare, {
      reviewed: previewsRoll(rehearsal, course, roll),
    });
    await settleOnOld();
    await rehearsal.change("Prepare, taken back: the new certificates go", withdraw);
    course.judgeUndisturbed(devices, "taking back the prepare phase disturbs no device");
    await rehearsal.change("Prepare again", prepare);
    await rollAll(roll.identities);
    await rollAll(before);
    course.judgeNeverRefusedByDps("devices change to the new certificate and back to the old one");
    await rollAll(roll.identities);
    await rehearsal.change("Retire", [...roll.release, ...roll.forget]);
    await rehearsal.change("Retire, taken back: the old certificates beside the new ones", old);
    await rollAll(before);
    const swap = (): Edit[] => roll.add.flatMap(({ path }) => swapped(rehearsal, path));
    await rehearsal.change("Activate: the slots change places", swap());
    await rehearsal.change("Activate, taken back: they change places again", swap());
    await settleOnOld();
    await rehearsal.change("And the new ones go", withdraw);
    await rehearsal.allWork();
    course.judgeNeverRefusedByDps("after retiring was taken back the old certificates work again");
    course.judgeOverlap();
    course.judgeCanariesOverlap({ oneWay: false });
    course.judgeOthers();
    course.close("there and back");
  },
};

/** The slots of the entry that has a slot at this place change places. */
function swapped(rehearsal: Rehearsal, [section, id]: Path): Edit[] {
  const entry = rehearsal.configured(section, id as string) as Record<string, unknown>;
  return [
    set([section, id as string, "primary"], entry["secondary"]),
    set([section, id as string, "secondary"], entry["primary"]),
  ];
}

/** All change to what they are given. */
async function rollAll(identities: Map<FleetDevice, Identity>): Promise<void> {
  for (const [device, identity] of identities) {
    device.give(identity);
  }
  await Promise.all([...identities.keys()].map((device) => device.works()));
}
