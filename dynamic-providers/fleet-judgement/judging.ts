/** What is declared, judged against the live service and its devices. */
import type { Declared, KnownFacts } from "../../certificates/declared";
import type { Fault } from "../../certificates/faults";
import { asksNothing, fleetQuestions } from "../../certificates/fleet-questions";
import type { IssuedLeaf } from "../../certificates/issued-leaves";
import { judgeFleet } from "../../certificates/rules";
import type { Connection } from "../../clients/target";
import { targetNow } from "../../clients/target-time";
import { readFleet } from "./reading";

export interface LiveJudgement {
  faults: Fault[];
  /** How many devices the change affects, in words. */
  counts: string[];
}

export const NOTHING_ASKED: LiveJudgement = { faults: [], counts: [] };

/**
 * Reads only what the change makes it ask for; a change that asks nothing reads nothing.
 * @param known `issued`: the manifest of issued leaves; default: there is none
 */
export async function judgeLive(
  connection: Connection,
  before: Declared | undefined,
  after: Declared,
  { issued = [], ...known }: KnownFacts & { issued?: readonly IssuedLeaf[] } = {},
): Promise<LiveJudgement> {
  const questions = fleetQuestions(before, after, known);
  if (asksNothing(questions)) return NOTHING_ASKED;
  const { facts, joining } = await readFleet(connection, questions, after, issued);
  const { faults, counts } = judgeFleet(before, after, targetNow(), { ...known, fleet: facts });
  return { faults: [...joining, ...faults], counts };
}
