import { isDeepStrictEqual } from "node:util";
import type { Declared } from "../../certificates/declared";
import { type Fault, type FaultCode, refusals } from "../../certificates/faults";
import { judge } from "../../certificates/rules";
import type { Connection } from "../../clients/target";
import { askTargetTime, targetNow } from "../../clients/target-time";
import { issuedLeavesOf } from "../device-registration-removal/issued-leaves-file";
import { type Handler, hasUnknown, say } from "../handler";
import { record } from "../judgement-record";
import { declaredChanges, failuresOf, sayingOnly } from "../judging";
import { type DeclaredInputs, resolved } from "../rotation-manifest/declared-inputs";
import { judgeLive } from "./judging";

export interface FleetJudgementInputs extends DeclaredInputs {
  connection: Connection;
}

/** By now a hub may be unlinked; its devices were counted before that. */
const JUDGED_BEFORE: ReadonlySet<FaultCode> = new Set<FaultCode>(["DPS-CERT-062", "DPS-CERT-162"]);

/**
 * What is declared, judged against the live service and its devices. It comes after the service and
 * before everything that is written to it, but not before the containment of a breach: no gate that
 * protects availability delays that. Reads only what the change makes it ask for, in `check`, so that
 * a preview says it; a change that asks nothing reads nothing.
 */
export const fleetJudgement: Handler<FleetJudgementInputs> = {
  ...sayingOnly<FleetJudgementInputs>("fleet", declaredChanges),

  async check(olds, news) {
    const after = resolved(news);
    const before = olds.declared === undefined ? undefined : resolved(olds as FleetJudgementInputs);
    // A service that is only about to be made has no devices.
    if (hasUnknown(news.connection)) return { inputs: news };
    const { connection } = news;
    if (isDeepStrictEqual(before, after)) {
      record({ by: "fleet", connection, faults: [] });
      return { inputs: news };
    }
    await askTargetTime(connection.target);
    const live = await judgeLive(connection, before, after, {
      issued: issuedLeavesOf(news.issuedLeaves),
    });
    const faults = [...refusedHere(before, after), ...live.faults];
    record({ by: "fleet", connection, faults });
    live.counts.forEach(say);
    return { inputs: news, failures: failuresOf(faults) };
  },
};

/*
 * The manifest has judged the same, unless this judgement refused the change before: then the manifest
 * judges from a declaration that was never carried out.
 */
function refusedHere(before: Declared | undefined, after: Declared): Fault[] {
  return refusals(judge(before, after, targetNow()).faults).filter(
    ({ code }) => !JUDGED_BEFORE.has(code),
  );
}
