import { isDeepStrictEqual } from "node:util";
import { asksNothing, fleetQuestions } from "../../certificates/fleet-questions";
import { formatFault, refusals } from "../../certificates/faults";
import { judgeFleet } from "../../certificates/rules";
import type { Connection } from "../../clients/target";
import { askTargetTime, targetNow } from "../../clients/target-time";
import { issuedLeavesOf } from "../device-registration-removal/issued-leaves-file";
import type { IssuedLeavesFile } from "../device-registration-removal/scope";
import { type Handler, hasUnknown, say } from "../handler";
import { type DeclaredInputs, resolved } from "../rotation-manifest/declared-inputs";
import { readFleet } from "./reading";

export interface FleetJudgementInputs extends DeclaredInputs {
  connection: Connection;
  /** The manifest of issued leaves. Default: none. */
  issuedLeaves?: IssuedLeavesFile;
}

/**
 * What is declared, judged against the live service and its devices. It comes after the service and
 * before everything that is written to it, but not before the containment of a breach: no gate that
 * protects availability delays that. Reads only what the change makes it ask for, in `check`, so that
 * a preview says it; a change that asks nothing reads nothing.
 */
export const fleetJudgement: Handler<FleetJudgementInputs> = {
  async check(olds, news) {
    const after = resolved(news);
    const before = olds.declared === undefined ? undefined : resolved(olds as FleetJudgementInputs);
    // A service that is only about to be made has no devices.
    if (isDeepStrictEqual(before, after) || hasUnknown(news.connection)) return { inputs: news };
    const questions = fleetQuestions(before, after);
    if (asksNothing(questions)) return { inputs: news };
    await askTargetTime(news.connection.target);
    const fleet = await readFleet(news.connection, questions, issuedLeavesOf(news.issuedLeaves));
    const { faults, counts } = judgeFleet(before, after, targetNow(), { fleet });
    counts.forEach(say);
    const refused = refusals(faults);
    for (const warning of faults.filter((fault) => !refused.includes(fault))) {
      say(`warning: ${formatFault(warning)}`);
    }
    return {
      inputs: news,
      // Without a property the engine does not print its value, nor the path a second time.
      failures: refused.map((fault) => ({ property: "", reason: formatFault(fault) })),
    };
  },

  async diff(_id, olds, news) {
    return { changes: hasUnknown(news) || !isDeepStrictEqual(resolved(olds), resolved(news)) };
  },

  async create(inputs) {
    return { id: "fleet", outs: inputs };
  },

  async read(id, props) {
    return { id, props };
  },

  async update(_id, _olds, news) {
    return { outs: news };
  },

  async delete() {
    // It judges; there is nothing in Azure to delete.
  },
};
