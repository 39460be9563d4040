/** What the engine's preview of a change of the scene tells, as the program and the handlers record it. */
import type { Declared, KnownFacts } from "../../certificates/declared";
import { type Fault, refusals } from "../../certificates/faults";
import type { FleetFacts } from "../../certificates/fleet-facts";
import { fleetQuestions } from "../../certificates/fleet-questions";
import type { PastRoll } from "../../certificates/past-rolls";
import { judge, judgeAlone, judgeFleet } from "../../certificates/rules";
import type { JudgementRecord } from "../../dynamic-providers/judgement-record";
import { buildPlan, type PlanInput } from "../../plan/build";
import type { Inventory } from "../../plan/inventory";
import type { Plan } from "../../plan/model";
import type { EngineStep, Preview } from "../../plan/preview";
import { NOW } from "../certificates/fixtures";
import { inventoryOf, type Scene, type SceneDevice } from "./scene";

/** Of the service of the scene. */
export const CONNECTION = {
  target: "sandbox" as const,
  auth: "entra" as const,
  subscriptionId: "00000000-0000-0000-0000-000000000000",
  resourceGroup: "rg",
  service: "dps",
  serviceHostName: "dps.azure-devices-provisioning.net",
};

/** What is judged by, beside the two configurations and the inventory. */
export interface JudgedBy {
  steps?: EngineStep[];
  known?: KnownFacts;
  /** What stands against entries that become part of the stack. */
  joining?: Fault[];
  /** The program lets it through, because it does not know enough. Default: false. */
  isPastProgram?: boolean;
  /** What the stack has carried out before. */
  pastRolls?: PastRoll[];
}

export function previewOf(
  before: Declared | undefined,
  after: Declared,
  inventory: Inventory | undefined,
  { steps = [], known = {}, joining = [], isPastProgram = false, pastRolls = [] }: JudgedBy = {},
): Preview {
  const alone = isPastProgram ? [] : refusals(judgeAlone(after, NOW));
  if (alone.length > 0) return refusedByProgram(alone);
  const { faults, rolls } = judge(before, after, NOW, known);
  const changing = rolls.filter(({ procedure, phase }) => phase !== "none" || procedure === "P3");
  const ofFleet =
    inventory === undefined
      ? []
      : [
          ...joining,
          ...judgeFleet(before, after, NOW, {
            ...known,
            fleet: askedFor(before, after, inventory),
          }).faults,
        ];
  // Behind a refusal the engine registers nothing, and the manifest looks at the fleet itself.
  const isRefused = refusals(faults).length > 0;
  const judgements: JudgementRecord[] = [
    {
      by: "manifest",
      now: NOW.toISOString(),
      ...(before && { before }),
      after,
      pastRolls,
      faults: isRefused ? [...faults, ...ofFleet] : faults,
      rolls: changing,
    },
    ...(isRefused ? [] : [{ by: "fleet" as const, connection: CONNECTION, faults: ofFleet }]),
    ...(after.compromised.length === 0 || isRefused
      ? []
      : [
          {
            by: "removal" as const,
            remove: { how: "now" as const, keep: "delete" as const },
            goodIssuers: [],
          },
        ]),
  ];
  return {
    stack: "dev",
    succeeded: refusals([...faults, ...ofFleet]).length === 0,
    judgements,
    steps,
    errors: [],
    connection: CONNECTION,
    seconds: 1,
  };
}

/** The program ends before any resource is registered. */
export function refusedByProgram(faults: Fault[]): Preview {
  return {
    stack: "dev",
    succeeded: false,
    judgements: [{ by: "program", faults }],
    steps: [],
    errors: [],
    connection: CONNECTION,
    seconds: 1,
  };
}

/* The judgement asks for what the change makes it ask for, and for no more. */
function askedFor(
  before: Declared | undefined,
  after: Declared,
  { facts: { caCertificates, entries, ...rest } }: Inventory,
): FleetFacts {
  const questions = fleetQuestions(before, after);
  const keys = questions.entries.map(({ key }) => key);
  return {
    ...rest,
    entries: Object.fromEntries(Object.entries(entries).filter(([key]) => keys.includes(key))),
    ...(questions.caCertificates && caCertificates !== undefined && { caCertificates }),
  };
}

/** The plan of a change of the scene. */
export function planOf(
  all: Scene,
  before: Declared,
  after: Declared,
  more: { devices?: SceneDevice[]; judgedBy?: JudgedBy } & Partial<PlanInput> = {},
): Plan {
  const { devices = all.devices, judgedBy, ...rest } = more;
  const inventory = inventoryOf(all, before, devices);
  return buildPlan({
    preview: previewOf(before, after, inventory, judgedBy),
    inventory,
    now: NOW,
    ...rest,
  });
}
