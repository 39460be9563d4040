import { set } from "../configuration";
import type { Rehearsal } from "../rehearsal";
import { TWIN_ENTRY } from "../setting";
import { mainSlot } from "../slots";
import { type Breach, carryOutBreach } from "./breach";
import type { Course } from "./course";
import type { Procedure } from "./procedure";
import { newLeaf, twinCanary, twinEntry } from "./rolls";

/** The leaf of one device is compromised, and that of the twin entry; the new ones come as PEM files. */
export async function individualBreachOf(
  rehearsal: Rehearsal,
  procedure: string,
  options: Pick<Breach, "kill" | "reviewed"> = {},
): Promise<Course> {
  const device = rehearsal.members("individual").at(-1)!;
  const breach: Breach = {
    procedure,
    entries: [],
    replacements: new Map(),
    compromised: [],
    canaries: [],
    edits: [],
    ...options,
  };
  for (const id of [device.id, ...twinEntry(rehearsal)]) {
    const old = mainSlot(rehearsal, "individualEnrollments", id).certificate;
    const next = await newLeaf(rehearsal, id);
    breach.entries.push({ kind: "individual", id });
    breach.compromised.push(old);
    breach.edits.push(
      next.declare,
      set(["individualEnrollments", id], { primary: { certificate: next.name } }),
    );
    if (id === TWIN_ENTRY) {
      breach.canaries.push(
        twinCanary(rehearsal, "old", old),
        twinCanary(rehearsal, "new", next.name),
      );
    } else {
      breach.replacements.set(device, rehearsal.pki.identity(next.name));
    }
  }
  return carryOutBreach(rehearsal, breach);
}

export const individualBreach: Procedure = {
  name: "P4",
  of: ["P4"],
  title: "individual enrollment, breach of its leaf",
  members: ["device-2", "sensor-1"],
  async carryOut(rehearsal) {
    await individualBreachOf(rehearsal, this.name);
  },
};
