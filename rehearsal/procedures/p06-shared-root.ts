import { remove, set } from "../configuration";
import { mainSlot } from "../slots";
import { carryOutBreach, compromise } from "./breach";
import { Course } from "./course";
import { refuses } from "./judging";
import type { Procedure } from "./procedure";
import { groupRoll, newRoot } from "./rolls";

const GROUPS = "enrollmentGroups";

/** Two groups share the compromised root; one that is forgotten is named. */
export const sharedRoot: Procedure = {
  name: "P6-shared-root",
  of: ["P6"],
  title: "breach of a root that several groups share",
  members: ["sensor-1", "device-1"],
  async carryOut(rehearsal) {
    const ca = mainSlot(rehearsal, GROUPS, "sensors").ca!;
    const isThere = rehearsal.configured(GROUPS, "cameras") !== undefined;
    await rehearsal.change("A second group shares the root", [
      set([GROUPS, "cameras"], { primary: { ca } }),
    ]);
    const target = await newRoot(rehearsal);
    const roll = await groupRoll(rehearsal, "sensors", target);
    const edits = [
      ...target.declare,
      set([GROUPS, "sensors"], { primary: target.slot }),
      remove("caCertificates", ca),
    ];
    const check = await Course.begin(rehearsal, this.name, []);
    await refuses(
      rehearsal,
      check,
      "One group is forgotten",
      [...edits, compromise(rehearsal, this.name, roll.old)],
      { code: "DPS-CERT", words: ["cameras"] },
    );
    await carryOutBreach(rehearsal, {
      procedure: this.name,
      entries: [
        { kind: "group", id: "sensors" },
        { kind: "group", id: "cameras" },
      ],
      replacements: roll.identities,
      compromised: roll.old,
      canaries: roll.canaries,
      edits: [...edits, set([GROUPS, "cameras"], { primary: target.slot })],
      cas: roll.oldCas,
    });
    if (!isThere) {
      await rehearsal.change("The second group goes", [remove(GROUPS, "cameras")]);
    }
  },
};
