import type { Rehearsal } from "../rehearsal";
import { mainSlot } from "../slots";
import { individualBreachOf } from "./p04-individual-breach";
import type { Procedure } from "./procedure";

/** Another DPS instance, of another team; sorts behind the stack's. */
const NEIGHBOUR = "neighbour";

/**
 * A second DPS instance is linked to one of the stack's hubs, and has let a thief in with the stolen
 * leaf. Its own device is left alone.
 */
export const secondService: Procedure = {
  name: "P4-second-service",
  of: ["P4"],
  title: "breach of a leaf, with a second DPS instance linked to the same hub",
  members: ["device-2", "sensor-1"],
  async carryOut(rehearsal) {
    const { pki, wire, observer } = rehearsal;
    const device = rehearsal.members("individual").at(-1)!;
    const { certificate: stolen } = mainSlot(rehearsal, "individualEnrollments", device.id);
    const hub = wire.hubs().find(({ hostName }) => hostName !== device.hub)!;
    observer.leaveOut(NEIGHBOUR);
    rehearsal.telling.step(`Somebody links DPS instance ${NEIGHBOUR} to ${hub.name}, by hand`);
    await makeNeighbour(rehearsal, hub.name, device.id, stolen);
    const guest = rehearsal.visit(
      { registrationId: "truck-1", rollFirst: "register" },
      await pki.leafBelow("root-neighbour", "truck-1"),
      wire.targetOf(NEIGHBOUR),
    );
    await guest.works();
    const theft = await wire.tryDps(device.id, pki.identity(stolen), NEIGHBOUR);
    const { identities } = rehearsal.recordsOf(device.id);
    const mark = guest.mark();

    let named = "";
    const course = await individualBreachOf(rehearsal, this.name, {
      async reviewed(preview) {
        named = preview.split("\n").find((line) => line.includes("DPS-CERT-068")) ?? "";
        rehearsal.telling.step(`Its owner shuts the stolen leaf out of ${NEIGHBOUR}, by hand`);
        const registrationId = device.id;
        await rehearsal.byHand({ do: "disable", service: NEIGHBOUR, registrationId });
      },
    });
    course.hold(
      "the preview names the other DPS instance and the hub, before any device is touched (DPS-CERT-068)",
      [NEIGHBOUR, hub.hostName].every((word) => named.includes(word)),
      named.trim() || "it does not",
    );
    const left = rehearsal.recordsOf(device.id).identities;
    course.hold(
      "the identity with the stolen leaf that the other DPS instance wrote is gone",
      theft.accepted && identities === 2 && left === 1,
      `${theft.answer}; ${identities} identities before, ${left} after`,
    );
    course.hold(
      "the device of the other DPS instance is left alone",
      guest.since(mark).length > 0 && guest.since(mark).every(({ event }) => event === "telemetry"),
      [...new Set(guest.since(mark).map(({ event }) => event))].join(", "),
    );
    await guest.stop();
    await rehearsal.byHand({ do: "delete service", service: NEIGHBOUR });
  },
};

/** It admits devices below a root of its own, and the device whose leaf is stolen. */
async function makeNeighbour(
  rehearsal: Rehearsal,
  hub: string,
  registrationId: string,
  leaf: string,
): Promise<void> {
  const { resourceGroup, location } = rehearsal.configured("service") as Record<string, string>;
  const { pki } = rehearsal;
  const ca = "root-neighbour";
  await pki.root(ca, "Root of the neighbour");
  await rehearsal.byHand({
    do: "make",
    declared: {
      service: { name: NEIGHBOUR, resourceGroup: resourceGroup!, location: location! },
      hubs: [{ name: hub, existing: true }],
      certificates: { [ca]: { file: pki.file(ca) }, [leaf]: { file: pki.file(leaf) } },
      caCertificates: { [ca]: { certificate: ca, proof: { keyFile: pki.keyFile(ca) } } },
      enrollmentGroups: { trucks: { primary: { ca } } },
      individualEnrollments: { [registrationId]: { primary: { certificate: leaf } } },
    },
  });
}
