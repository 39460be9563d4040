import { carryOutExpiration } from "./expiration";
import type { Procedure } from "./procedure";
import { individualRoll } from "./rolls";

/** The new leaf in the empty slot; the devices change; the old leaf goes. */
export const individualExpiration: Procedure = {
  name: "P5",
  of: ["P5"],
  title: "individual enrollments, expiration",
  members: ["device-1", "device-2", "sensor-1"],
  async carryOut(rehearsal) {
    await carryOutExpiration(rehearsal, this.name, await individualRoll(rehearsal));
  },
};
