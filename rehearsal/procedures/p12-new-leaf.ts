import { set } from "../configuration";
import type { FleetDevice } from "../fleet";
import type { Rehearsal } from "../rehearsal";
import { mainSlot } from "../slots";
import { type Breach, carryOutBreach, type Kill } from "./breach";
import type { Procedure } from "./procedure";

/**
 * The leaf of one device of a group is stolen, and the device lives on with a new one: an enabled
 * individual enrollment with only the new leaf stands before the group. A canary of the group is
 * treated in the same way.
 */
export async function shadow(
  rehearsal: Rehearsal,
  procedure: string,
  group: string,
  device: FleetDevice,
  kill?: Kill,
): Promise<void> {
  const { pki } = rehearsal;
  const { certificate: issuer } = mainSlot(rehearsal, "enrollmentGroups", group);
  const canary = `canary-for-${device.id}`;
  const breach: Breach = {
    procedure,
    entries: [],
    closedBy: "shadowing",
    replacements: new Map(),
    compromised: [],
    canaries: [],
    edits: [],
    ...(kill && { kill }),
  };
  for (const id of [device.id, canary]) {
    const old = id === device.id ? device.identity! : await pki.leafBelow(issuer, id);
    const next = await pki.leafBelow(issuer, id);
    const names = [old, next].map((identity) => {
      const name = pki.nextName(id);
      pki.name(name, identity);
      return name;
    });
    breach.entries.push({ kind: "individual", id });
    breach.compromised.push(names[0]!);
    breach.edits.push(
      ...names.map((name) => set(["certificates", name], { file: pki.file(name) })),
      set(["individualEnrollments", id], { primary: { certificate: names[1]! } }),
    );
    if (id === device.id) {
      breach.replacements.set(device, next);
    } else {
      breach.canaries.push(
        { registrationId: id, role: "old", identity: old },
        { registrationId: id, role: "new", identity: next },
      );
    }
  }
  await carryOutBreach(rehearsal, breach);
}

export const stolenLeaf: Procedure = {
  name: "P12-new-leaf",
  of: ["P12", "P3"],
  title: "stolen leaf of a group's device, which lives on with a new one",
  members: ["sensor-2", "sensor-1"],
  async carryOut(rehearsal) {
    await shadow(rehearsal, this.name, "sensors", rehearsal.devices.get("sensor-2")!);
  },
};
