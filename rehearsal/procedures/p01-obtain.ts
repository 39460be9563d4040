import { set } from "../configuration";
import { standard } from "../setting";
import { Course } from "./course";
import { previews, refuses } from "./judging";
import type { Procedure } from "./procedure";
import { newRoot } from "./rolls";

/** Made in the stack for the sandbox; PEM files from any CA for everything else. */
export const obtain: Procedure = {
  name: "P1",
  of: ["P1"],
  title: "obtain certificates: made in the stack, or from a CA outside it",
  members: ["device-1", "gateway-1"],
  // A sandbox of its own: what it enrolls stays.
  setting: { ...standard },
  async carryOut(rehearsal) {
    const { pki } = rehearsal;
    const course = await Course.begin(rehearsal, this.name, []);
    await rehearsal.change("A leaf below root and intermediate, all made in the stack", [
      set(["certificates", "made-root"], { dev: { commonName: "Made Root", days: 365 } }),
      set(["certificates", "made-intermediate"], {
        dev: { commonName: "Made Intermediate", issuer: "made-root", ca: true, days: 180 },
      }),
      set(["certificates", "device-3-a"], {
        dev: { issuer: "made-intermediate", commonName: "device-3", days: 30 },
      }),
      set(["caCertificates", "made-root"], { certificate: "made-root" }),
      set(["enrollmentGroups", "made"], { primary: { certificate: "made-intermediate" } }),
      set(["individualEnrollments", "device-3"], { primary: { certificate: "device-3-a" } }),
    ]);
    const outputs = await rehearsal.outputs();
    const made = rehearsal.join(
      { registrationId: "device-3", rollFirst: "register" },
      pki.identity("device-3-a"),
      outputs,
    );
    await made.works();
    course.hold("a device works with a leaf that was made in the stack", true, `${made.hub}`);
    await refuses(
      rehearsal,
      course,
      "The same stack for a real target",
      [set(["target"], "azure")],
      { code: "DPS-CERT-024", words: ["certificates."] },
    );
    const root = await newRoot(rehearsal);
    const leaf = pki.nextName("device-4");
    await pki.selfSignedLeaf(leaf, "device-4");
    await rehearsal.change(
      "A root and a leaf from PEM files",
      [
        ...root.declare,
        set(["certificates", leaf], { file: pki.file(leaf) }),
        set(["enrollmentGroups", "cameras"], { primary: root.slot }),
        set(["individualEnrollments", "device-4"], { primary: { certificate: leaf } }),
      ],
      {
        reviewed: previews(
          rehearsal,
          course,
          ["new enrollment group `cameras`", "new individual enrollment `device-4`"],
          [root.certificate, leaf],
        ),
      },
    );
    const joined = [
      ["device-4", pki.identity(leaf)],
      ["camera-1", await pki.leafBelow(root.certificate, "camera-1")],
    ] as const;
    for (const [registrationId, identity] of joined) {
      const device = rehearsal.join({ registrationId, rollFirst: "register" }, identity, outputs);
      await device.works();
      course.hold(
        `${registrationId} works with a leaf from outside, enrolled by a PEM file`,
        device.last("connected")?.thumbprint === identity.thumbprint,
        `${device.hub}`,
      );
    }
    course.judgeOthers();
    course.close();
  },
};
