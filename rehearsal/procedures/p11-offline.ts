import { set } from "../configuration";
import { issueLeaf, replace } from "../factory";
import { Course } from "./course";
import { previews, refuses } from "./judging";
import type { Procedure } from "./procedure";
import { groupCanary, newRoot } from "./rolls";

const GROUP = "proved-offline";

/** The CA's key is in a safe: the code goes there in one change, and comes back signed in another. */
export const offlineProof: Procedure = {
  name: "P11-offline",
  of: ["P11"],
  title: "proof of possession offline in two changes, with a code that has gone stale",
  members: ["device-1"],
  async carryOut(rehearsal) {
    const { pki, wire } = rehearsal;
    const course = await Course.begin(rehearsal, this.name, []);
    const root = await newRoot(rehearsal, () => ({ offline: {} }));
    const name = root.certificate;
    const group = set(["enrollmentGroups", GROUP], { primary: root.slot });
    const canary = await groupCanary(rehearsal, "new", name);
    const pending = async () => (await rehearsal.outputs()).pendingProofs[name];
    const isVerified = (): boolean | undefined =>
      course.window.moments.at(-1)?.caCertificates.find((ca) => ca.name === name)?.isVerified;
    /** What the safe gives back. */
    const signed = async (code: string): Promise<ReturnType<typeof set>> => {
      const file = pki.file(`${name}-proof`);
      replace(file, (await issueLeaf(code, pki.pair(name), { days: 1 })).chain);
      return set(["caCertificates", name, "proof", "offline"], { signedFile: file });
    };
    const tryCanary = async () => wire.tryDps(canary.registrationId, canary.identity);

    const said = await rehearsal.change(
      "The CA, whose key is elsewhere: a code comes out",
      [...root.declare],
      { reviewed: previews(rehearsal, course, [`new CA \`${name}\``], [name]) },
    );
    const first = await pending();
    course.hold(
      "`up` says the code and what to do with it, and DPS has the CA as not verified",
      first !== undefined && said.includes(first.whatToDo) && isVerified() === false,
      `${first?.whatToDo ?? "no code"} Verified: ${isVerified()}`,
    );
    await refuses(rehearsal, course, "A group that names the CA already", [group], {
      code: "DPS-CERT-110",
      words: [`enrollmentGroups.${GROUP}.primary.ca`, "proof of possession"],
    });
    const early = await tryCanary();
    course.hold("nobody comes in below it (tried)", !early.accepted, early.answer);

    rehearsal.telling.step("Somebody has DPS generate another code, by hand");
    await rehearsal.byHand({ do: "new code", service: wire.serviceName, ca: name });
    const failed = await rehearsal.fails("The certificate with the first code comes back", [
      await signed(first?.code ?? ""),
      group,
    ]);
    const words = failed.split("\n").find((line) => line.includes("DPS-CERT-113"));
    const live = /the live code is ([0-9A-F]+)\./.exec(words ?? "")?.[1] ?? "";
    course.hold(
      "a stale code is explained (DPS-CERT-113), with the live one; the CA stays of no use",
      live !== "" &&
        live !== first?.code &&
        words?.includes(`for the code ${first?.code}, which has ended`) === true &&
        isVerified() === false &&
        !(await tryCanary()).accepted,
      words?.trim() ?? "not explained",
    );

    await rehearsal.change(
      "The certificate with the live code comes back: the stack has kept that code",
      [await signed(live)],
    );
    const { accepted, answer } = await tryCanary();
    course.hold(
      "the CA is verified, nothing waits any more, and a device below it is accepted (tried)",
      isVerified() === true && (await pending()) === undefined && accepted,
      `verified: ${isVerified()}; ${answer}`,
    );
    course.judgeOthers();
    course.close();
  },
};
