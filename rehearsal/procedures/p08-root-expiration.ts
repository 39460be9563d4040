import { carryOutExpiration } from "./expiration";
import type { Procedure } from "./procedure";
import { groupRoll, newRoot } from "./rolls";

/** The new root in the free slot; the devices get leaves under it; the old root goes. */
export const rootExpiration: Procedure = {
  name: "P8",
  of: ["P8"],
  title: "enrollment group, expiration of its root",
  members: ["sensor-1", "sensor-2", "device-1"],
  async carryOut(rehearsal) {
    const roll = await groupRoll(rehearsal, "sensors", await newRoot(rehearsal));
    await carryOutExpiration(rehearsal, this.name, roll);
  },
};
