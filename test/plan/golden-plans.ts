/** The changes of which there are golden plans. */
import type { Declared } from "../../certificates/declared";
import type { PastRoll } from "../../certificates/past-rolls";
import type { Plan } from "../../plan/model";
import { known } from "../certificates/fixtures";
import { breach, edited, type Scene, type SceneDevice } from "./scene";
import { planOf } from "./scene-preview";

export interface GoldenRow {
  name: string;
  /** What was carried out last. Default: the scene as it is. */
  before?: (base: Declared) => void;
  change: (copy: Declared, all: Scene) => void;
  devices?: (all: SceneDevice[]) => SceneDevice[];
  verdict: Plan["verdict"];
  /** What the stack has carried out before. */
  past?: PastRoll[];
}

const overlapping = (base: Declared): void => {
  base.caCertificates["root-b"] = { certificate: "root-b" };
  base.enrollmentGroups["sensors"]!.secondary = { ca: "root-b" };
};
/** They have taken the next leaf, and say so. */
const rolled = (all: SceneDevice[]): SceneDevice[] =>
  all.map((one) =>
    one.entry === "group:sensors"
      ? { ...one, id: "sensor-3", leaf: "sensor-3", reports: true }
      : one,
  );

export const GOLDEN_PLANS: GoldenRow[] = [
  {
    name: "p4-individual-breach",
    verdict: "changes",
    change: (copy) => {
      copy.individualEnrollments["truck-7"]!.primary = { certificate: "truck-b" };
      copy.compromised = [{ certificate: "truck-a", reason: "key found on a stolen laptop" }];
    },
  },
  {
    name: "p5-individual-expiration",
    verdict: "changes",
    change: (copy) => {
      copy.individualEnrollments["truck-7"]!.secondary = { certificate: "truck-b" };
    },
  },
  {
    name: "p6-root-breach",
    verdict: "changes",
    change: breach,
  },
  {
    name: "p7-intermediate-breach",
    verdict: "changes",
    change: (copy) => {
      copy.enrollmentGroups["gateways"]!.primary = { certificate: "plant-2" };
      copy.compromised = [{ certificate: "plant-1", reason: "key leaked by the plant" }];
    },
  },
  { name: "p8-root-prepare", verdict: "changes", change: overlapping },
  {
    name: "p8-root-retire",
    verdict: "changes",
    before: overlapping,
    past: [
      {
        entry: "enrollmentGroups.sensors",
        procedure: "P8",
        phase: "prepare",
        at: "2026-05-01T00:00:00.000Z",
      },
      {
        entry: "enrollmentGroups.gateways",
        procedure: "P9",
        phase: "retire",
        at: "2026-04-01T00:00:00.000Z",
      },
    ],
    devices: (all) => rolled(all).slice(2),
    change: (copy) => {
      copy.enrollmentGroups["sensors"] = { secondary: { ca: "root-b" }, status: "enabled" };
      delete copy.caCertificates["root-a"];
    },
  },
  {
    name: "p9-intermediate-expiration",
    verdict: "changes",
    change: (copy) => {
      copy.enrollmentGroups["gateways"]!.secondary = { certificate: "plant-2" };
    },
  },
  {
    name: "breach-without-replacement",
    verdict: "changes",
    change: (copy) => {
      copy.enrollmentGroups["gateways"] = {
        primary: { certificate: "plant-1" },
        status: "disabled",
      };
      copy.compromised = [{ certificate: "plant-1", reason: "key leaked by the plant" }];
    },
  },
  {
    name: "p12-denied-device",
    verdict: "changes",
    change: (copy) => {
      copy.denied = [{ registrationId: "sensor-1", reason: "the device was stolen" }];
    },
  },
  {
    name: "p12-stolen-leaf",
    verdict: "changes",
    change: (copy, { certificates }) => {
      copy.certificates["sensor-1"] = known(certificates["sensor-1"]!);
      copy.compromised = [{ certificate: "sensor-1", reason: "key read out of the flash" }];
    },
  },
  {
    name: "p12-stolen-leaf-replaced",
    verdict: "changes",
    change: (copy, { certificates }) => {
      copy.certificates["sensor-1"] = known(certificates["sensor-1"]!);
      copy.certificates["sensor-1-new"] = known(certificates["sensor-1-new"]!);
      copy.compromised = [{ certificate: "sensor-1", reason: "key read out of the flash" }];
      copy.individualEnrollments["sensor-1"] = {
        primary: { certificate: "sensor-1-new" },
        status: "enabled",
      };
    },
  },
  {
    name: "p12-denial-lifted",
    verdict: "changes",
    before: (base) => {
      base.denied = [{ registrationId: "sensor-1", reason: "the device was stolen" }];
    },
    change: (copy) => {
      copy.denied = [];
    },
  },
  {
    name: "refused-compromised-key",
    verdict: "refused",
    change: (copy) => {
      copy.compromised = [{ certificate: "root-a", reason: "HSM backup was copied" }];
    },
  },
  {
    name: "refused-devices-depend",
    verdict: "refused",
    before: overlapping,
    change: (copy) => {
      copy.enrollmentGroups["sensors"] = { secondary: { ca: "root-b" }, status: "enabled" };
      delete copy.caCertificates["root-a"];
    },
  },
  {
    name: "refused-without-overlap",
    verdict: "refused",
    change: (copy) => {
      copy.enrollmentGroups["gateways"]!.primary = { certificate: "plant-2" };
    },
  },
  {
    name: "waived-devices-depend",
    verdict: "changes",
    before: overlapping,
    change: (copy) => {
      copy.enrollmentGroups["sensors"] = { secondary: { ca: "root-b" }, status: "enabled" };
      delete copy.caCertificates["root-a"];
      copy.waivers = [
        {
          code: "DPS-CERT-058",
          path: "enrollmentGroups.sensors.primary.ca",
          reason: "the three are scrapped on Monday",
          until: "2026-06-30",
          devices: ["sensor-1", "sensor-2", "sensor-4"],
        },
      ];
    },
  },
  { name: "nothing", verdict: "nothing", change: () => undefined },
];

export function goldenRow(name: string): GoldenRow {
  const row = GOLDEN_PLANS.find((each) => each.name === name);
  if (row === undefined) throw new Error(`There is no golden plan ${name}.`);
  return row;
}

export function goldenPlan(all: Scene, row: GoldenRow): Plan {
  const base = edited(all.base, row.before ?? (() => undefined));
  return planOf(
    all,
    base,
    edited(base, (copy) => row.change(copy, all)),
    {
      devices: row.devices?.(all.devices) ?? all.devices,
      judgedBy: { pastRolls: row.past ?? [] },
    },
  );
}
