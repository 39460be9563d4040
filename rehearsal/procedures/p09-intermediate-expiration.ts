import { mainSlot } from "../slots";
import { carryOutExpiration } from "./expiration";
import type { Procedure } from "./procedure";
import { groupRoll, newIntermediate } from "./rolls";

/** The new intermediate, below the same root, in the free slot; the old one goes. */
export const intermediateExpiration: Procedure = {
  name: "P9",
  of: ["P9"],
  title: "enrollment group, expiration of its intermediate",
  members: ["gateway-1", "gateway-2", "sensor-1"],
  async carryOut(rehearsal) {
    const { certificate } = mainSlot(rehearsal, "enrollmentGroups", "gateways");
    const issuer = rehearsal.pki.issuerOf(certificate)!;
    const roll = await groupRoll(rehearsal, "gateways", await newIntermediate(rehearsal, issuer));
    await carryOutExpiration(rehearsal, this.name, roll);
  },
};
