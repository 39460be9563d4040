import { remove, set } from "../configuration";
import { issueLeaf } from "../factory";
import { Course, type Procedure } from "./procedure";

/** The new root in the second slot; the devices get leaves under it; the old root goes. */
export const rootExpiration: Procedure = {
  name: "P8",
  title: "enrollment group, expiration of its root",
  async carryOut(rehearsal) {
    const devices = rehearsal.members("sensors");
    const course = new Course(rehearsal, this.name, devices);
    await rehearsal.change("Prepare: the new root, verified, in the second slot", [
      set(["certificates", "root-b"], { dev: { commonName: "Root B", days: 730 } }),
      set(["caCertificates", "root-b"], { certificate: "root-b" }),
      set(["enrollmentGroups", "sensors", "secondary"], { ca: "root-b" }),
    ]);
    const { devCertificates } = await rehearsal.outputs();
    for (const device of devices) {
      device.give(await issueLeaf(device.id, devCertificates["root-b"]!, { days: 60 }));
    }
    await Promise.all(devices.map((device) => device.works()));
    await rehearsal.change("Retire: the old root goes", [
      set(["enrollmentGroups", "sensors"], { primary: { ca: "root-b" } }),
      remove("caCertificates", "root-a"),
      remove("certificates", "root-a"),
    ]);
    await rehearsal.allWork();
    course.judgeOverlap();
    course.judgeCaGone("root-a");
    course.judgeRefusals();
    course.judgeOthers();
    await course.tryOld("DPS");
    course.close();
  },
};
