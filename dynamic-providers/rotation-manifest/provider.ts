import { isDeepStrictEqual } from "node:util";
import { readmitted, remembered } from "../../certificates/compromise";
import type { KnownFacts } from "../../certificates/declared";
import { formatFault, refusals } from "../../certificates/faults";
import { type AppliedSlots, type PromotionFacts, recordSlots } from "../../certificates/promotion";
import { rollText } from "../../certificates/roll-words";
import { judge, judgeAlone } from "../../certificates/rules";
import { askTargetTime, targetNow } from "../../clients/target-time";
import { type Handler, hasUnknown, say } from "../handler";
import { type DeclaredInputs, resolved } from "./declared-inputs";

export interface RotationManifestInputs extends DeclaredInputs {
  /** What this change does to which certificate, in words; written by `check`. */
  rolls?: string[];
  /**
   * Every key that was ever declared compromised; written by `check`, which lets it gather: what is
   * taken out of `compromised` in one change must not come back in the next. A key leaves it when a
   * waiver re-admits it.
   */
  everCompromised?: KnownFacts["compromisedKeys"];
  /** The stack before this one, and what it has applied. Absent: rolls wait for no other stack. */
  promotion?: Pick<PromotionFacts, "after" | "applied">;
  /** What this stack was told to have in its slots, oldest first; written by `check`. */
  applied?: AppliedSlots[];
}

/**
 * Everything this stack declares, in one place, so that a change is judged as a whole against what
 * was declared before. Every other resource depends on it: a refusal stops all of them.
 */
export const rotationManifest: Handler<RotationManifestInputs> = {
  async check(olds, news) {
    const after = resolved(news);
    const before =
      olds.declared === undefined ? undefined : resolved(olds as RotationManifestInputs);
    const everCompromised = remembered(olds.everCompromised ?? [], before, after);
    const notice = news.target && (await askTargetTime(news.target));
    if (notice) say(`warning: ${notice}`);
    const own = olds.applied ?? [];
    const applied = recordSlots(own, after, targetNow());
    if (isDeepStrictEqual(before, after)) {
      // Time goes on while nothing changes: what ran out is said at every run.
      judgeAlone(after, targetNow())
        .filter(({ code }) => code === "DPS-CERT-050")
        .forEach((fault) => say(`warning: ${formatFault(fault)}`));
      return { inputs: { ...news, rolls: olds.rolls ?? [], everCompromised, applied } };
    }
    const { faults, rolls } = judge(before, after, targetNow(), {
      compromisedKeys: everCompromised,
      ...(news.promotion !== undefined && { promotion: { ...news.promotion, own } }),
    });
    const refused = refusals(faults);
    for (const warning of faults.filter((fault) => !refused.includes(fault))) {
      say(`warning: ${formatFault(warning)}`);
    }
    const changing = rolls.filter(({ procedure, phase }) => phase !== "none" || procedure === "P3");
    if (refused.length === 0) {
      changing.forEach((roll) => {
        say(rollText(roll));
      });
    }
    return {
      inputs: {
        ...news,
        rolls: changing.map(({ words }) => words),
        // Nothing is refused: what is admitted all the same was waived.
        everCompromised:
          refused.length === 0 ? readmitted(everCompromised, after) : everCompromised,
        applied,
      },
      // Without a property the engine does not print its value, nor the path a second time.
      failures: refused.map((fault) => ({ property: "", reason: formatFault(fault) })),
    };
  },

  async diff(_id, olds, news) {
    return { changes: hasUnknown(news) || !isDeepStrictEqual(resolved(olds), resolved(news)) };
  },

  async create(inputs) {
    return { id: "manifest", outs: inputs };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, _olds, news) {
    return { outs: news };
  },

  async delete() {
    // Declares nothing any more; there is nothing in Azure to delete.
  },
};
