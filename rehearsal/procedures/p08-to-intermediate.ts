import { set, remove } from "../configuration";
import { mainSlot } from "../slots";
import { Course } from "./course";
import type { Procedure } from "./procedure";
import { previews, refuses, waive } from "./judging";
import { groupCanary, newIntermediate } from "./rolls";

/** A group that names a root comes to hold an intermediate below it, and names the root again. */
export const toIntermediate: Procedure = {
  name: "P8-to-intermediate",
  of: ["P8", "P9"],
  title: "enrollment group, from a root to an intermediate below it and back",
  members: ["sensor-1", "sensor-2", "device-1"],
  async carryOut(rehearsal) {
    const { pki } = rehearsal;
    const group = ["enrollmentGroups", "sensors"] as const;
    const devices = rehearsal.members("sensors");
    const { ca, certificate: root } = mainSlot(rehearsal, ...group);
    const target = await newIntermediate(rehearsal, root);
    const course = await Course.begin(rehearsal, this.name, devices, [
      await groupCanary(rehearsal, "new", target.certificate),
    ]);
    rehearsal.telling.step(
      "The devices get leaves below the new intermediate, still below the root",
    );
    for (const device of devices) {
      device.give(await pki.leafBelow(target.certificate, device.id));
    }
    await rehearsal.allWork();
    const there = [...target.declare, set([...group], { primary: target.slot })];
    await refuses(rehearsal, course, "From the root to an intermediate, just so", there, {
      code: "DPS-CERT-048",
      words: ["enrollmentGroups.sensors.primary", "Intermediate"],
    });
    await rehearsal.change(
      "From the root to the intermediate, in one write, with a waiver",
      [
        ...there,
        waive(rehearsal, "every device has a leaf below the intermediate", [
          { code: "DPS-CERT-048", path: "enrollmentGroups.sensors.primary.certificate" },
        ]),
      ],
      {
        reviewed: previews(
          rehearsal,
          course,
          ["expiration roll of enrollment group `sensors`: replace"],
          [root, target.certificate],
        ),
      },
    );
    const direct = await groupCanary(rehearsal, "old", root);
    const { accepted, answer } = await rehearsal.wire.tryDps(
      direct.registrationId,
      direct.identity,
    );
    course.hold("a leaf of the root itself is refused now (tried)", !accepted, answer);
    await rehearsal.change("And back to the root", [
      set([...group], { primary: { ca } }),
      remove("certificates", target.certificate),
      remove("waivers"),
    ]);
    for (const device of devices) {
      device.give(await pki.leafBelow(root, device.id));
    }
    await rehearsal.allWork();
    course.judgeNeverRefusedByDps("devices change to the intermediate's leaves and back");
    course.judgeOverlap();
    course.judgeCanariesOverlap({ oneWay: false });
    course.judgeOthers();
    course.close("there and back");
  },
};
