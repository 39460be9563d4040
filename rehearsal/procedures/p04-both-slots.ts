import { set } from "../configuration";
import { slotsOf } from "../slots";
import { TWIN_ENTRY } from "../setting";
import { carryOutBreach, type Breach } from "./breach";
import type { Procedure } from "./procedure";
import { individualRoll, newLeaf, twinCanary, twinEntry } from "./rolls";

/** In the middle of an expiration roll the keys of both slots are stolen. */
export const bothSlots: Procedure = {
  name: "P4-both-slots",
  of: ["P4"],
  title: "individual enrollment, breach of both slots at once",
  members: ["device-2", "sensor-1"],
  async carryOut(rehearsal) {
    const roll = await individualRoll(rehearsal);
    await rehearsal.change("An expiration roll has begun: both slots are filled", [
      ...roll.declare,
      ...roll.add,
    ]);
    const device = rehearsal.members("individual").at(-1)!;
    const breach: Breach = {
      procedure: this.name,
      entries: [],
      replacements: new Map(),
      compromised: [],
      canaries: [],
      edits: [],
    };
    for (const id of [device.id, ...twinEntry(rehearsal)]) {
      const old = slotsOf(rehearsal, "individualEnrollments", id).map((slot) => slot.certificate);
      const next = await newLeaf(rehearsal, id);
      breach.entries.push({ kind: "individual", id });
      breach.compromised.push(...old);
      breach.edits.push(
        next.declare,
        set(["individualEnrollments", id], { primary: { certificate: next.name } }),
      );
      if (id === TWIN_ENTRY) {
        breach.canaries.push(
          ...old.map((name) => twinCanary(rehearsal, "old", name)),
          twinCanary(rehearsal, "new", next.name),
        );
      } else {
        breach.replacements.set(device, rehearsal.pki.identity(next.name));
      }
    }
    await carryOutBreach(rehearsal, breach);
    // What else was being rolled has to be as it was before.
    const others = rehearsal.members("individual").filter((one) => one !== device);
    await rehearsal.change("The rolls of the others are taken back", [
      ...others.flatMap(({ id }) => {
        const [first] = slotsOf(rehearsal, "individualEnrollments", id);
        return [
          set(["individualEnrollments", id], {
            [first!.name]: { certificate: first!.certificate },
          }),
        ];
      }),
    ]);
  },
};
