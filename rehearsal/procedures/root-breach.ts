import { join } from "node:path";
import { remove, set } from "../configuration";
import { issueLeaf, issueSelfSigned, replace } from "../factory";
import { carryOutBreach } from "./breach";
import type { Procedure } from "./procedure";

/** The root of a group is compromised; the new one comes from a CA outside the stack. */
export const rootBreach: Procedure = {
  name: "P6",
  title: "enrollment group, breach of its root",
  async carryOut(rehearsal) {
    const id = "sensors";
    const old = (rehearsal.configured("enrollmentGroups", id, "primary") as { ca: string }).ca;
    const stolen = (await rehearsal.outputs()).devCertificates[old]!;
    const root = await issueSelfSigned("Root C", { days: 730, ca: true });
    const file = join(rehearsal.folder, "root-c.pem");
    const keyFile = join(rehearsal.folder, "root-c.key.pem");
    replace(file, root.certificate);
    replace(keyFile, root.privateKey);
    rehearsal.lookOutFor("root-c", root.privateKey);
    const replacements = await Promise.all(
      rehearsal
        .members(id)
        .map(async (device) => [device, await issueLeaf(device.id, root, { days: 90 })] as const),
    );
    await carryOutBreach(rehearsal, {
      procedure: this.name,
      entry: { kind: "group", id },
      replacements: new Map(replacements),
      compromised: old,
      // With a stolen CA key a thief has every certificate he wants.
      thief: {
        registrationId: "intruder",
        identity: await issueLeaf("intruder", stolen, { days: 1 }),
      },
      edits: [
        set(["certificates", "root-c"], { file }),
        set(["caCertificates", "root-c"], { certificate: "root-c", proof: { keyFile } }),
        set(["enrollmentGroups", id], { primary: { ca: "root-c" } }),
        remove("caCertificates", old),
      ],
    });
  },
};
