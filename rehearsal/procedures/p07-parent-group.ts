import { set } from "../configuration";
import { mainSlot } from "../slots";
import { carryOutBreach } from "./breach";
import type { Procedure } from "./procedure";
import { groupRoll, newIntermediate } from "./rolls";

const GROUPS = "enrollmentGroups";

/** A group names the root of a stolen intermediate, so that it admits the intermediate's chains as well. */
export const parentGroup: Procedure = {
  name: "P7-parent-group",
  of: ["P7"],
  title: "breach of an intermediate whose root another group goes on admitting",
  members: ["gateway-1", "device-1"],
  async carryOut(rehearsal) {
    const { pki } = rehearsal;
    const { certificate: stolen } = mainSlot(rehearsal, GROUPS, "gateways");
    const root = pki.issuerOf(stolen)!;
    await rehearsal.change("A group higher up names the root of the intermediate", [
      set([GROUPS, "region"], { primary: { ca: root } }),
    ]);
    const livesOn = rehearsal.join(
      { registrationId: "region-1", rollFirst: "register" },
      await pki.leafBelow(root, "region-1"),
      rehearsal.wire.targetOf(rehearsal.wire.serviceName),
    );
    await livesOn.works();

    const target = await newIntermediate(rehearsal, root);
    const roll = await groupRoll(rehearsal, "gateways", target);
    const course = await carryOutBreach(rehearsal, {
      procedure: this.name,
      entries: [{ kind: "group", id: "gateways" }],
      replacements: roll.identities,
      compromised: [stolen],
      canaries: roll.canaries,
      held: [stolen],
      edits: [...target.declare, set([GROUPS, "gateways"], { primary: target.slot })],
    });
    const refusedBy = course.window.requests.flatMap(({ path, note = "" }) =>
      path.includes(`/canary-${stolen}/`)
        ? (/the enrollment group "([^"]+)" is disabled/.exec(note)?.[1] ?? [])
        : [],
    );
    const groups = [...new Set(refusedBy)];
    course.hold(
      "a thief is refused by the intermediate's own group, and then by the one that shuts it out of the group above",
      groups.length === 2 && groups[0] === "gateways",
      groups.join(", ") || "no disabled group has refused a canary",
    );
  },
};
