import { set } from "../configuration";
import { mainSlot } from "../slots";
import { compromise } from "./breach";
import { Course } from "./course";
import { previews } from "./judging";
import type { Procedure } from "./procedure";
import { newLeaf, twinCanary, twinEntry } from "./rolls";

const SECTION = "individualEnrollments";

/** A stolen leaf and no new one yet: contained now, replaced by a later change. */
export const noReplacement: Procedure = {
  name: "P4-no-replacement",
  of: ["P4"],
  title: "individual enrollment, breach with no replacement yet",
  members: ["device-2", "sensor-1"],
  async carryOut(rehearsal) {
    const device = rehearsal.members("individual").at(-1)!;
    const ids = [device.id, ...twinEntry(rehearsal)];
    const old = ids.map((id) => mainSlot(rehearsal, SECTION, id).certificate);
    const canaries = twinEntry(rehearsal).map(() => twinCanary(rehearsal, "old", old[1]!));
    const course = await Course.begin(rehearsal, this.name, [device], canaries);
    await course.labelTwins();
    await rehearsal.change(
      "Contain and remove: there is no new leaf yet",
      [
        ...ids.map((id) => set([SECTION, id, "status"], "disabled")),
        compromise(rehearsal, this.name, old),
      ],
      {
        reviewed: previews(
          rehearsal,
          course,
          ids.map((id) => `breach roll of individual enrollment \`${id}\`: contain`),
          old,
        ),
      },
    );
    course.judgeBreach({
      entries: ids.map((id) => ({ kind: "individual", id })),
      closedBy: "disabling",
      compromised: [
        { registrationId: device.id, chain: course.before(device).chain },
        ...canaries.map(({ registrationId, identity: { chain } }) => ({ registrationId, chain })),
      ],
      replacement: undefined,
    });
    const mark = course.mark(device);
    await device.until("is refused by its hub and by DPS", () =>
      (["hub", "dps"] as const).every((where) => device.refused(where, mark) > 0),
    );
    await course.tryOld("DPS and every hub");
    const settled = await rehearsal.isSettled();
    course.hold("a second run would change nothing", settled, settled ? "no changes" : "changes");

    const next = await Promise.all(ids.map(async (id) => newLeaf(rehearsal, id)));
    const written = course.window.moments.length;
    await rehearsal.change("Later: replace and enable again", [
      ...next.map(({ declare }) => declare),
      ...ids.map((id, at) => set([SECTION, id], { primary: { certificate: next[at]!.name } })),
    ]);
    device.give(rehearsal.pki.identity(next[0]!.name));
    await device.works();
    const removed = course.window.moments
      .slice(written)
      .filter(({ request }) => request.service === "iot-hub");
    course.hold(
      "the replacement removes nobody again",
      removed.length === 0,
      `${removed.length} writes at hubs`,
    );
    await rehearsal.change("The device is back: what its twin was waits in the state", []);
    await rehearsal.allWork();
    course.judgeOthers();
    course.judgeAcceptanceOfOthers();
    await course.tryOld("DPS and every hub");
    await course.judgeTwins();
    course.close("contained, removed, and back");
  },
};
