import { set } from "../configuration";
import { freeSlot } from "../slots";
import { Course } from "./course";
import { previewsRoll, refuses } from "./judging";
import type { Procedure } from "./procedure";
import { individualRoll } from "./rolls";

/** A new leaf for a device: under its own name, or it would be another device. */
export const leafOnDevice: Procedure = {
  name: "P2",
  of: ["P2"],
  title: "leaf rolled on the device, same common name",
  members: ["device-1", "sensor-1"],
  async carryOut(rehearsal) {
    const { pki } = rehearsal;
    const [device] = rehearsal.members("individual");
    const { id } = device!;
    const roll = await individualRoll(rehearsal);
    const course = await Course.begin(
      rehearsal,
      this.name,
      [...roll.identities.keys()],
      roll.canaries,
    );
    const other = pki.nextName(`${id}-other`);
    await pki.selfSignedLeaf(other, `${id}-other`);
    await refuses(
      rehearsal,
      course,
      "A new leaf with another common name",
      [
        set(["certificates", other], { file: pki.file(other) }),
        set(freeSlot(rehearsal, "individualEnrollments", id), { certificate: other }),
      ],
      { code: "DPS-CERT-045", words: [`individualEnrollments.${id}.`, `${id}-other`] },
    );
    await rehearsal.change(
      "The new leaf with the same common name, in the empty slot",
      [...roll.declare, ...roll.add],
      { reviewed: previewsRoll(rehearsal, course, roll) },
    );
    for (const [one, identity] of roll.identities) {
      one.give(identity);
    }
    await Promise.all([...roll.identities.keys()].map((one) => one.works()));
    const { registrations, identities } = rehearsal.recordsOf(id);
    course.hold(
      "the device comes back under the same registration ID and device ID, and is there once",
      registrations.join() === id && identities === 1,
      `registrations: ${registrations.join(", ")}; ${identities} hub identities`,
    );
    await rehearsal.change("The old leaf goes", [...roll.release, ...roll.forget]);
    await rehearsal.allWork();
    course.judgeOverlap();
    course.judgeCanariesOverlap({ oneWay: true });
    course.judgeRefusals();
    course.judgeOthers();
    course.close();
  },
};
