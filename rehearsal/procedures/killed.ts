/** Breaches whose first run is killed: engine, language host, program and provider, with SIGKILL. */
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { remove as takeAway } from "../configuration";
import { mainSlot } from "../slots";
import { individualBreachOf } from "./p04-individual-breach";
import { groupBreachOf } from "./p06-root-breach";
import { shadow } from "./p12-new-leaf";
import type { Kill } from "./breach";
import type { Procedure } from "./procedure";
import { newIntermediate, newRoot } from "./rolls";
import type { Rehearsal } from "../rehearsal";

const POINTS: Kill[] = ["the containment", "the replacement", "the first removal"];

export const killedIndividualBreach = killed({
  name: "P4-killed",
  title: "individual enrollment, breach",
  members: ["device-2", "sensor-1"],
  points: POINTS,
  breach: async (rehearsal, procedure, kill) => {
    await individualBreachOf(rehearsal, procedure, { kill });
  },
});

export const killedRootBreach = killed({
  name: "P6-killed",
  title: "enrollment group, breach of its root",
  members: ["sensor-1", "device-1"],
  points: POINTS,
  breach: async (rehearsal, procedure, kill) =>
    groupBreachOf(rehearsal, procedure, "sensors", await newRoot(rehearsal), { kill }),
});

export const killedIntermediateBreach = killed({
  name: "P7-killed",
  title: "enrollment group, breach of its intermediate",
  members: ["gateway-1", "device-1"],
  points: POINTS,
  async breach(rehearsal, procedure, kill) {
    const { certificate } = mainSlot(rehearsal, "enrollmentGroups", "gateways");
    const issuer = rehearsal.pki.issuerOf(certificate)!;
    const target = await newIntermediate(rehearsal, issuer);
    await groupBreachOf(rehearsal, procedure, "gateways", target, { kill });
  },
});

export const killedStolenLeaf = killed({
  name: "P12-killed",
  title: "stolen leaf of a group's device",
  members: ["sensor-1", "sensor-2", "gateway-1", "device-1"],
  points: ["the containment", "the first removal", "the last removal"],
  async breach(rehearsal, procedure, kill, at) {
    // Whose leaf was stolen once has an enrollment of its own.
    const [group, id] = [
      ["sensors", "sensor-1"],
      ["sensors", "sensor-2"],
      ["gateways", "gateway-1"],
    ][at] as [string, string];
    await shadow(rehearsal, procedure, group, rehearsal.devices.get(id)!, kill);
  },
});

/** A removal that takes several runs, and one that takes whom a manifest proves: each is killed within it. */
export const killedOtherRemovals = killed({
  name: "P6-removals-killed",
  title: "enrollment group, breach of its root, removed in waves and by evidence",
  members: ["sensor-1", "sensor-2", "device-1"],
  points: ["the first removal", "the first removal"],
  async breach(rehearsal, procedure, kill, at) {
    const remove =
      at === 0
        ? { how: "waves", waves: { sizes: [1], returned: 100, waitSeconds: 60 } }
        : { how: "evidenced", issuedLeaves: manifestOf(rehearsal, "sensors") };
    const target = await newRoot(rehearsal);
    await groupBreachOf(rehearsal, procedure, "sensors", target, { kill, remove });
    await rehearsal.change("Removals are what they were", [takeAway("remove")]);
  },
});

/** A file that gives the leaf of each member to the certificate of its group. */
function manifestOf(rehearsal: Rehearsal, group: string): string {
  const { certificate } = mainSlot(rehearsal, "enrollmentGroups", group);
  const issuer = new X509Certificate(rehearsal.pki.pair(certificate).certificate);
  const rows = rehearsal.members(group).map(({ id, identity }) => ({
    registrationId: id,
    leafSha256: identity!.thumbprint,
    issuerThumbprint: issuer.fingerprint256.replaceAll(":", ""),
  }));
  const file = join(dirname(rehearsal.pki.file(certificate)), "issued-leaves.json");
  writeFileSync(file, JSON.stringify(rows));
  return file;
}

interface Killed extends Pick<Procedure, "name" | "title" | "members"> {
  points: Kill[];
  breach: (rehearsal: Rehearsal, procedure: string, kill: Kill, at: number) => Promise<void>;
}

function killed({ name, title, members, points, breach }: Killed): Procedure & Killed {
  return {
    name,
    of: ["kills"],
    title: `${title}, killed after ${[...new Set(points)].join(", after ")}`,
    members,
    points,
    breach,
    async carryOut(rehearsal) {
      for (const [at, point] of this.points.entries()) {
        await breach(rehearsal, name, point, at);
      }
    },
  };
}
