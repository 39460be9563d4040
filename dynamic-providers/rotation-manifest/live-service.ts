/**
 * The live service, looked at before it is a resource of this run. Best effort: a service that is not
 * found or does not answer is said, and is no refusal.
 */
import type { Declared, KnownFacts } from "../../certificates/declared";
import { fault } from "../../certificates/faults";
import { asksNothing, fleetQuestions } from "../../certificates/fleet-questions";
import type { HubCounts } from "../../certificates/fleet-facts";
import type { IssuedLeaf } from "../../certificates/issued-leaves";
import { ServiceError } from "../../clients/service-error";
import { type StackService, stackService, WhichServiceError } from "../../clients/service-lookup";
import type { Connection } from "../../clients/target";
import { countHubs } from "../fleet-judgement/hubs";
import { judgeLive, type LiveJudgement, NOTHING_ASKED } from "../fleet-judgement/judging";
import { hasUnknown } from "../handler";

/** How many devices are in the linked hubs. */
export async function countBefore(service: StackService | undefined): Promise<HubCounts> {
  const found = await look(service, countHubs);
  return "found" in found ? found.found : { hubs: [], leftOut: [found.why] };
}

/** The judgement in view of the fleet, which is otherwise that of a resource behind the service. */
export async function judgeBefore(
  service: StackService | undefined,
  before: Declared | undefined,
  after: Declared,
  known: KnownFacts & { issued: readonly IssuedLeaf[] },
): Promise<LiveJudgement> {
  if (asksNothing(fleetQuestions(before, after, known))) return NOTHING_ASKED;
  const found = await look(service, (connection) => judgeLive(connection, before, after, known));
  if ("found" in found) return found.found;
  const left = fault(
    "DPS-CERT-069",
    "service",
    `facts that are not complete: nothing of the live service and its devices was looked at, because ${found.why}`,
    "mend what is refused; a service that is there is looked at then",
  );
  return { faults: [left], counts: [] };
}

async function look<T>(
  service: StackService | undefined,
  run: (connection: Connection) => Promise<T>,
): Promise<{ found: T } | { why: string }> {
  if (service === undefined || hasUnknown(service))
    return { why: "it is not known yet where it is" };
  try {
    return { found: await run(await stackService(service)) };
  } catch (error) {
    if (!(error instanceof WhichServiceError || error instanceof ServiceError)) throw error;
    return { why: error.message.replace(/\.$/, "") };
  }
}
