import { remove, set } from "../configuration";
import { identityOf } from "../factory";
import { Course, type Procedure } from "./procedure";

/** The new leaf in the empty slot; the devices change; the old leaf goes. */
export const individualExpiration: Procedure = {
  name: "P5",
  title: "individual enrollments, expiration",
  async carryOut(rehearsal) {
    const devices = rehearsal.members("individual");
    const course = new Course(rehearsal, this.name, devices);
    const rolls = devices.map((device) => ({
      device,
      old: rehearsal.certificateOf(device.id),
      next: `${device.id}-b`,
    }));
    await rehearsal.change(
      "Prepare: the new leaf in the empty slot",
      rolls.flatMap(({ device: { id }, next }) => [
        set(["certificates", next], { dev: { commonName: id, ca: false, days: 60 } }),
        set(["individualEnrollments", id, "secondary"], { certificate: next }),
      ]),
      { preview: true },
    );
    const { devCertificates } = await rehearsal.outputs();
    for (const { device, next } of rolls) {
      device.give(identityOf(devCertificates[next]!));
    }
    await Promise.all(devices.map((device) => device.works()));
    await rehearsal.change(
      "Retire: the old leaf goes",
      rolls.flatMap(({ device: { id }, old }) => [
        remove("individualEnrollments", id, "primary"),
        remove("certificates", old),
      ]),
    );
    await rehearsal.allWork();
    course.judgeOverlap();
    course.judgeRefusals();
    course.judgeOthers();
    await course.tryOld("DPS");
    course.close();
  },
};
