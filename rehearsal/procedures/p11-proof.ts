import { set } from "../configuration";
import { Course } from "./course";
import { previews } from "./judging";
import type { Procedure } from "./procedure";
import { groupCanary, newRoot } from "./rolls";

/** A CA counts once its owner has shown that he has its key. */
export const proof: Procedure = {
  name: "P11",
  of: ["P11"],
  title: "proof of possession of a CA: with its key, by a signing command, and self-attested",
  members: ["device-1"],
  async carryOut(rehearsal) {
    const { pki, wire } = rehearsal;
    const course = await Course.begin(rehearsal, this.name, []);
    const byKey = await newRoot(rehearsal);
    // The command prints the certificate that it has issued; the request is on its standard input.
    const byCommand = await newRoot(rehearsal, (name) => ({
      command: [
        ...["openssl", "x509", "-req", "-CA", pki.file(name), "-CAkey", pki.keyFile(name)],
        ...["-set_serial", "1", "-days", "1"],
      ],
    }));
    const byWord = await newRoot(rehearsal, () => ({ selfAttested: true }));
    const all = [
      { group: "proved-by-key", root: byKey },
      { group: "proved-by-command", root: byCommand },
      { group: "proved-by-word", root: byWord },
    ];
    const said = await rehearsal.change(
      "Three CAs, each with a group",
      all.flatMap(({ group, root }) => [
        ...root.declare,
        set(["enrollmentGroups", group], { primary: root.slot }),
      ]),
      {
        reviewed: previews(
          rehearsal,
          course,
          all.map(({ group }) => `new enrollment group \`${group}\``),
          all.map(({ root }) => root.certificate),
        ),
      },
    );
    const { requests } = course.window;
    const asked = (ca: string, operation: string): number[] =>
      requests.flatMap(({ service, method, path, status }, at) =>
        service === "arm" &&
        method === "POST" &&
        status < 300 &&
        path.toLowerCase().endsWith(`/certificates/${ca}/${operation}`.toLowerCase())
          ? [at]
          : [],
      );
    for (const { group, root } of all.slice(0, 2)) {
      const codes = asked(root.certificate, "generateVerificationCode");
      const [verified = -1] = asked(root.certificate, "verify");
      const used = requests.findIndex(
        ({ method, path }) => method === "PUT" && path.endsWith(`/${group}`),
      );
      course.hold(
        `${group}: DPS gave one code, and got it back signed, before the group was pointed at the CA`,
        codes.length === 1 && codes[0]! < verified && verified < used,
        `request ${codes.join(", ")}: code; ${verified}: verify; ${used}: group`,
      );
    }
    course.hold(
      "a self-attested CA is not verified but said to be, and Pulumi warns of it (DPS-CERT-053)",
      asked(byWord.certificate, "verify").length === 0 && said.includes("DPS-CERT-053"),
      said
        .split("\n")
        .find((line) => line.includes("DPS-CERT-053"))
        ?.trim() ?? "not warned",
    );
    for (const { root } of all) {
      const { registrationId, identity } = await groupCanary(rehearsal, "new", root.certificate);
      const { accepted, answer } = await wire.tryDps(registrationId, identity);
      course.hold(`a device below the CA is accepted (${registrationId}, tried)`, accepted, answer);
    }
    course.judgeOthers();
    course.close();
  },
};
