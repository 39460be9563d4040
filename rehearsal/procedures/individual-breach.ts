import { join } from "node:path";
import { set } from "../configuration";
import { identityOf, issueSelfSigned, replace } from "../factory";
import { carryOutBreach } from "./breach";
import type { Procedure } from "./procedure";

/** The leaf of one device is compromised; the new one comes as a PEM file. */
export const individualBreach: Procedure = {
  name: "P4",
  title: "individual enrollment, breach of its leaf",
  async carryOut(rehearsal) {
    const device = rehearsal.members("individual").at(-1)!;
    const { id } = device;
    const old = rehearsal.certificateOf(id);
    const next = `${id}-c`;
    const leaf = await issueSelfSigned(id, { days: 90, ca: false });
    const file = join(rehearsal.folder, `${next}.pem`);
    replace(file, leaf.certificate);
    rehearsal.lookOutFor(next, leaf.privateKey);
    await carryOutBreach(rehearsal, {
      procedure: this.name,
      entry: { kind: "individual", id },
      replacements: new Map([[device, identityOf(leaf)]]),
      compromised: old,
      edits: [
        set(["certificates", next], { file }),
        set(["individualEnrollments", id], { primary: { certificate: next } }),
      ],
    });
  },
};
