import { mainSlot } from "../slots";
import { groupBreachOf } from "./p06-root-breach";
import type { Procedure } from "./procedure";
import { newIntermediate } from "./rolls";

/** The intermediate of a group is compromised; the new one is below the same root. */
export const intermediateBreach: Procedure = {
  name: "P7",
  of: ["P7"],
  title: "enrollment group, breach of its intermediate",
  members: ["gateway-1", "gateway-2", "device-1"],
  async carryOut(rehearsal) {
    const { certificate } = mainSlot(rehearsal, "enrollmentGroups", "gateways");
    const issuer = rehearsal.pki.issuerOf(certificate)!;
    const target = await newIntermediate(rehearsal, issuer);
    await groupBreachOf(rehearsal, this.name, "gateways", target);
  },
};
