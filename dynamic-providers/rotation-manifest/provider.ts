import { isDeepStrictEqual } from "node:util";
import { readmitted, remembered } from "../../certificates/compromise";
import type { KnownFacts } from "../../certificates/declared";
import { type PastRoll, recordRolls } from "../../certificates/past-rolls";
import { formatFault, refusals } from "../../certificates/faults";
import { takesHubsAway } from "../../certificates/hub-rules";
import { type AppliedSlots, recordSlots, type StackBefore } from "../../certificates/promotion";
import { rollText } from "../../certificates/roll-words";
import { judge, judgeAlone } from "../../certificates/rules";
import type { StackService } from "../../clients/service-lookup";
import { askTargetTime, targetNow } from "../../clients/target-time";
import { type Handler, say } from "../handler";
import { issuedLeavesOf } from "../device-registration-removal/issued-leaves-file";
import { NOTHING_ASKED } from "../fleet-judgement/judging";
import { record } from "../judgement-record";
import { declaredChanges, failuresOf, sayingOnly } from "../judging";
import { type DeclaredInputs, resolved } from "./declared-inputs";
import { countBefore, judgeBefore } from "./live-service";

export interface RotationManifestInputs extends DeclaredInputs {
  /** How the live service is found, while it is no resource yet. Absent: it is not looked at. */
  service?: StackService;
  /** What this change does to which certificate, in words; written by `check`. */
  rolls?: string[];
  /**
   * Every key that was ever declared compromised; written by `check`, which lets it gather: what is
   * taken out of `compromised` in one change must not come back in the next. A key leaves it when a
   * waiver re-admits it.
   */
  everCompromised?: KnownFacts["compromisedKeys"];
  /** The stack before this one, and what it has applied. Absent: rolls wait for no other stack. */
  promotion?: StackBefore;
  /** What this stack was told to have in its slots, oldest first; written by `check`. */
  applied?: AppliedSlots[];
  /** The rolls that this stack was told to carry out, oldest first; written by `check`. */
  pastRolls?: PastRoll[];
}

/**
 * Everything this stack declares, in one place, so that a change is judged as a whole against what
 * was declared before. Every other resource depends on it: a refusal stops all of them. Behind a refusal
 * nothing is registered, so the live service is then looked at from here, and one preview has all faults.
 */
export const rotationManifest: Handler<RotationManifestInputs> = {
  ...sayingOnly<RotationManifestInputs>("manifest", declaredChanges),

  async check(olds, news) {
    const after = resolved(news);
    const before =
      olds.declared === undefined ? undefined : resolved(olds as RotationManifestInputs);
    const everCompromised = remembered(olds.everCompromised ?? [], before, after);
    const notice = news.target && (await askTargetTime(news.target));
    if (notice) say(`warning: ${notice}`);
    const now = targetNow();
    const own = olds.applied ?? [];
    const applied = recordSlots(own, after, now);
    const pastRolls = olds.pastRolls ?? [];
    const about = {
      by: "manifest" as const,
      now: now.toISOString(),
      ...(before && { before }),
      after,
      pastRolls,
      ...(news.issuedLeaves && { issuedLeaves: news.issuedLeaves }),
    };
    if (isDeepStrictEqual(before, after)) {
      // Time goes on while nothing changes: what ran out is said at every run.
      const expired = judgeAlone(after, now).filter(({ code }) => code === "DPS-CERT-050");
      expired.forEach((fault) => say(`warning: ${formatFault(fault)}`));
      record({ ...about, faults: expired, rolls: [] });
      return { inputs: { ...news, rolls: olds.rolls ?? [], everCompromised, applied, pastRolls } };
    }
    const known: KnownFacts = {
      compromisedKeys: everCompromised,
      ...(news.promotion !== undefined && { promotion: { ...news.promotion, own } }),
      // The service lets go of a hub before anything behind it is asked.
      ...(takesHubsAway(before, after) && { hubCounts: await countBefore(news.service) }),
    };
    const { faults, rolls } = judge(before, after, now, known);
    const isRefused = refusals(faults).length > 0;
    const live = isRefused
      ? await judgeBefore(news.service, before, after, {
          ...known,
          issued: issuedLeavesOf(news.issuedLeaves),
        })
      : NOTHING_ASKED;
    live.counts.forEach(say);
    const failures = failuresOf([...faults, ...live.faults]);
    const changing = rolls.filter(({ procedure, phase }) => phase !== "none" || procedure === "P3");
    record({ ...about, faults: [...faults, ...live.faults], rolls: changing });
    if (!isRefused) {
      changing.forEach((roll) => {
        say(rollText(roll));
      });
    }
    return {
      inputs: {
        ...news,
        rolls: changing.map(({ words }) => words),
        // Where nothing is refused, what is admitted all the same was waived.
        everCompromised: isRefused ? everCompromised : readmitted(everCompromised, after),
        applied,
        pastRolls: recordRolls(pastRolls, changing, now),
      },
      failures,
    };
  },
};
