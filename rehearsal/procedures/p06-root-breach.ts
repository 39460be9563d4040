import { remove, set } from "../configuration";
import type { Rehearsal } from "../rehearsal";
import { mainSlot } from "../slots";
import { type Breach, carryOutBreach } from "./breach";
import type { Procedure } from "./procedure";
import { groupRoll, newRoot, type Target } from "./rolls";

/** A group's certificate is compromised: a root, or an intermediate. */
export async function groupBreachOf(
  rehearsal: Rehearsal,
  procedure: string,
  id: string,
  target: Target,
  { kill, remove: how }: Pick<Breach, "kill" | "remove"> = {},
): Promise<void> {
  const { ca } = mainSlot(rehearsal, "enrollmentGroups", id);
  const roll = await groupRoll(rehearsal, id, target);
  await carryOutBreach(rehearsal, {
    procedure,
    entries: [{ kind: "group", id }],
    replacements: roll.identities,
    compromised: roll.old,
    // With a stolen CA key a thief has every certificate he wants.
    canaries: roll.canaries,
    edits: [
      ...target.declare,
      set(["enrollmentGroups", id], { primary: target.slot }),
      ...(ca === undefined ? [] : [remove("caCertificates", ca)]),
    ],
    cas: roll.oldCas,
    ...(kill && { kill }),
    ...(how && { remove: how }),
  });
}

/** The root of a group is compromised; the new one comes from a CA outside the stack. */
export const rootBreach: Procedure = {
  name: "P6",
  of: ["P6"],
  title: "enrollment group, breach of its root",
  members: ["sensor-1", "sensor-2", "device-1"],
  async carryOut(rehearsal) {
    await groupBreachOf(rehearsal, this.name, "sensors", await newRoot(rehearsal));
  },
};
