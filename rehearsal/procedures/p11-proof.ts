import { set } from "../configuration";
import type { Canary } from "../canaries";
import { Course } from "./course";
import type { Procedure } from "./procedure";
import { groupCanary, newRoot } from "./rolls";

/** A CA counts once its owner has shown that he has its key. */
export const proof: Procedure = {
  name: "P11",
  of: ["P11"],
  title: "proof of possession of a CA: with its key, and self-attested",
  members: ["device-1"],
  async carryOut(rehearsal) {
    const course = await Course.begin(rehearsal, this.name, []);
    const byKey = await newRoot(rehearsal);
    const byWord = await newRoot(rehearsal);
    const groups = [
      ["proved-by-key", byKey],
      ["proved-by-word", byWord],
    ] as const;
    const said = await rehearsal.change("Two CAs, each with a group", [
      ...byKey.declare,
      ...byWord.declare,
      set(["caCertificates", byWord.certificate, "proof"], { selfAttested: true }),
      ...groups.map(([id, { slot }]) => set(["enrollmentGroups", id], { primary: slot })),
    ]);
    const asked = (ca: string, operation: string): number =>
      course.window.requests.findIndex(
        ({ service, method, path, status }) =>
          service === "arm" &&
          method === "POST" &&
          status < 300 &&
          path.toLowerCase().endsWith(`/certificates/${ca}/${operation}`.toLowerCase()),
      );
    const used = course.window.requests.findIndex(
      ({ method, path }) => method === "PUT" && path.endsWith("/proved-by-key"),
    );
    const code = asked(byKey.certificate, "generateVerificationCode");
    const verified = asked(byKey.certificate, "verify");
    course.hold(
      "DPS gave a code, and got it back signed, before a group was pointed at the CA",
      code >= 0 && code < verified && verified < used,
      `request ${code}: code; ${verified}: verify; ${used}: group`,
    );
    course.hold(
      "a self-attested CA is not verified but said to be, and Pulumi warns of it (DPS-CERT-053)",
      asked(byWord.certificate, "verify") === -1 && said.includes("DPS-CERT-053"),
      said
        .split("\n")
        .find((line) => line.includes("DPS-CERT-053"))
        ?.trim() ?? "not warned",
    );
    const canaries: Canary[] = await Promise.all(
      groups.map(async ([, { certificate }]) => groupCanary(rehearsal, "new", certificate)),
    );
    for (const { registrationId, identity } of canaries) {
      const { accepted, answer } = await rehearsal.wire.tryDps(registrationId, identity);
      course.hold(`a device below the CA is accepted (${registrationId}, tried)`, accepted, answer);
    }
    await rehearsal.change("The groups are disabled: they have devices on record", [
      ...groups.map(([id]) => set(["enrollmentGroups", id, "status"], "disabled")),
    ]);
    course.judgeOthers();
    course.close();
  },
};
