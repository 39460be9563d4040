import { remove, set } from "../configuration";
import type { FleetDevice } from "../fleet";
import type { Rehearsal } from "../rehearsal";
import { otherwise } from "../setting";
import { mainSlot } from "../slots";
import { Course } from "./course";
import { previews } from "./judging";
import type { Procedure } from "./procedure";

const GROUP = "sensors";
/** A device that nobody has, whose certificate is denied. */
const CANARY = "canary-denied";

type Matching = "registration-id" | "certificate";

/**
 * Devices of a group are shut out with no replacement: one by its certificate, and one by its
 * registration ID, because its certificate is lost. Later both are let in again.
 *
 * @param by what a disabled individual enrollment denies in this sandbox: not known of Azure
 */
async function denyAndLift(rehearsal: Rehearsal, procedure: string, by: Matching): Promise<void> {
  const { pki, wire } = rehearsal;
  const [known, lost] = rehearsal.members(GROUP) as [FleetDevice, FleetDevice];
  const course = await Course.begin(rehearsal, procedure, [known, lost]);
  const { certificate: issuer } = mainSlot(rehearsal, "enrollmentGroups", GROUP);
  const denied = await pki.leafBelow(issuer, CANARY);
  const another = await pki.leafBelow(issuer, CANARY);
  const names = [
    [known.id, known.identity!],
    [CANARY, denied],
  ].map(([id, identity]) => {
    const name = pki.nextName(id as string);
    pki.name(name, identity as typeof denied);
    return name;
  });
  const reason = `rehearsal of ${procedure}`;
  const mark = new Map([known, lost].map((device) => [device, device.mark()]));
  const said = await rehearsal.change(
    "Deny a certificate, and a registration ID whose certificate is lost",
    [
      ...names.map((name) => set(["certificates", name], { file: pki.file(name) })),
      set(
        ["denied"],
        [
          ...names.map((certificate) => ({ certificate, reason })),
          { registrationId: lost.id, reason },
        ],
      ),
    ],
    {
      reviewed: previews(
        rehearsal,
        course,
        [known.id, CANARY, lost.id].map((id) => `denial of registration ID \`${id}\``),
        names,
      ),
    },
  );
  const warned = said.split("\n").filter((line) => line.includes("DPS-CERT-086"));
  course.hold(
    "Pulumi says that the whole registration ID is denied, and warns where that hangs on the ID alone (DPS-CERT-086)",
    [known, lost].every(({ id }) => said.includes(`denial of registration ID \`${id}\``)) &&
      warned.some((line) => line.includes(lost.id)) &&
      !warned.some((line) => line.includes(known.id)),
    warned[0]?.trim() ?? "not warned",
  );
  const tries = [
    { what: "the denied certificate", id: known.id, identity: known.identity!, isDenied: true },
    { what: "the denied certificate", id: CANARY, identity: denied, isDenied: true },
    {
      what: "another certificate of its registration ID",
      id: CANARY,
      identity: another,
      isDenied: by === "registration-id",
    },
  ];
  for (const { what, id, identity, isDenied } of tries) {
    const { accepted, answer } = await wire.tryDps(id, identity);
    course.hold(
      `${what} is ${isDenied ? "refused" : "accepted, where an entry denies certificates"} (${id}, tried)`,
      accepted !== isDenied,
      answer,
    );
  }

  const refusedBy = (device: FleetDevice): ("hub" | "dps")[] =>
    by === "registration-id" || device === known ? ["hub", "dps"] : ["hub"];
  await Promise.all(
    [known, lost].map((device) =>
      device.until(`is refused by ${refusedBy(device).join(" and ")}`, () =>
        refusedBy(device).every((where) => device.refused(where, mark.get(device)!) > 0),
      ),
    ),
  );
  course.hold(
    by === "registration-id"
      ? "both devices are shut out, of DPS and of their hubs"
      : "both devices are shut out of their hubs; DPS refuses the denied certificate alone, as was warned",
    [known, lost].every(
      (device) =>
        device.refused("dps", mark.get(device)!) > 0 === refusedBy(device).includes("dps"),
    ),
    [known, lost]
      .map((device) => `${device.id}: ${device.refused("dps", mark.get(device)!)} × refused by DPS`)
      .join("; "),
  );

  const lifted = await rehearsal.change("Lift the denials", [
    remove("denied"),
    ...names.map((name) => remove("certificates", name)),
  ]);
  const unsaid = [known.id, lost.id].filter(
    (id) => !lifted.includes(`re-admission of \`${id}\`: its denial is lifted`),
  );
  course.hold(
    "Pulumi calls it a re-admission, and names the group that admits them then",
    unsaid.length === 0 && lifted.includes(`enrollment group \`${GROUP}\``),
    unsaid.length === 0 ? "it does" : `not said of ${unsaid.join(", ")}`,
  );
  await rehearsal.allWork();
  const left = course.window.moments
    .at(-1)!
    .entries.filter(({ id }) => [known.id, lost.id, CANARY].includes(id));
  course.hold(
    "the devices come back through the group, and no entry of theirs is left",
    left.length === 0,
    left.map(({ id }) => id).join(", ") || "none",
  );
  course.judgeOthers();
  course.judgeAcceptanceOfOthers();
  course.close("denied, and back");
}

export const deniedById = procedureOf(
  "P12-denied",
  "devices denied with no replacement, and let in again",
  "registration-id",
);

export const deniedByCertificate: Procedure = {
  ...procedureOf(
    "P12-denied-by-certificate",
    "the same, where a disabled entry denies the certificate in it and not the registration ID",
    "certificate",
  ),
  setting: otherwise,
};

function procedureOf(name: string, title: string, by: Matching): Procedure {
  return {
    name,
    of: ["P12"],
    title,
    members: ["sensor-1", "sensor-2", "device-1"],
    async carryOut(rehearsal) {
      await denyAndLift(rehearsal, name, by);
    },
  };
}
