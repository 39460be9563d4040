/** From a preview and an inventory to the plan. Pure. */
import { type Fault, FAULTS, formatFault, refusals } from "../certificates/faults";
import type { Declared } from "../certificates/declared";
import { MOST_CA_CERTIFICATES, REGISTRATIONS_PER_MINUTE } from "../certificates/fleet-facts";
import type { IssuedLeaf } from "../certificates/issued-leaves";
import { inOrder } from "../certificates/roll-steps";
import { entriesOf, own } from "../certificates/slots";
import { displayName, printable } from "../certificates/text";
import type { JudgementRecord } from "../dynamic-providers/judgement-record";
import { changeOf } from "./changes";
import type { Inventory } from "./inventory";
import { type DeviceFate, type Fate, lockOut, strangers } from "./lock-out";
import {
  MOST_NAMED,
  type Plan,
  type PlanFinding,
  type PlanLockOut,
  type PlanResources,
} from "./model";
import { withoutNames } from "./names";
import type { EngineStep, Preview } from "./preview";
import { removalOf } from "./removal";

export interface PlanInput {
  preview: Preview;
  /** Undefined: there is no service yet, or it was not read. */
  inventory: Inventory | undefined;
  issued?: readonly IssuedLeaf[];
  /** Why there is none, a sentence. */
  notRead?: string;
  /** When the preview came before any judgement. */
  now: Date;
  /** Default: true. */
  deviceNames?: boolean;
}

type Manifest = JudgementRecord & { by: "manifest" };

export function buildPlan({
  preview,
  inventory,
  notRead,
  issued = [],
  now,
  deviceNames = true,
}: PlanInput): Plan {
  const manifest = preview.judgements.findLast((each): each is Manifest => each.by === "manifest");
  const faults = distinct(
    preview.judgements.flatMap((each) => ("faults" in each ? each.faults : [])),
  );
  const time = manifest === undefined ? now : new Date(manifest.now);
  const heldOff =
    manifest === undefined ? new Set<string>() : heldOffIn(manifest, inventory, preview.steps);
  const fates =
    manifest === undefined || inventory === undefined
      ? undefined
      : lockOut({ ...manifest, before: manifest.before, now: time }, inventory, heldOff);
  const { plan: removal, removed } =
    // A change that is refused before it says what becomes of the entries removes nobody.
    manifest === undefined || inventory === undefined || manifest.rolls.length === 0
      ? { plan: null, removed: new Map<string, Set<string>>() }
      : removalOf(
          { ...removalSettings(preview), before: manifest.before, after: manifest.after, issued },
          inventory,
        );
  const answer =
    manifest === undefined || inventory === undefined
      ? undefined
      : strangers({ ...manifest, before: manifest.before, now: time }, inventory, heldOff);
  const changes = (manifest?.rolls ?? []).map((roll) =>
    changeOf(
      roll,
      {
        before: manifest!.before,
        after: manifest!.after,
        now: time,
        past: manifest!.pastRolls ?? [],
        removed,
        ...(answer !== undefined && { strangers: answer }),
      },
      inventory,
      fates,
    ),
  );
  const refused = refusals(faults);
  const rest = faults.filter((each) => !refused.includes(each));
  const errors = preview.errors.filter((text) => !isSaid(text, faults));
  const plan: Plan = {
    format: "dps-rotation-plan",
    version: 1,
    stack: preview.stack,
    target: preview.connection?.target ?? null,
    service: preview.connection?.serviceHostName ?? null,
    madeAt: time.toISOString(),
    verdict:
      refused.length > 0
        ? "refused"
        : !preview.succeeded
          ? "failed"
          : changes.length > 0
            ? "changes"
            : "nothing",
    namesLeftOut: !deviceNames,
    changes,
    order: inOrder((manifest?.rolls ?? []).flatMap(({ steps }) => steps)).map(
      ({ stage, words }) => ({
        stage,
        words,
      }),
    ),
    refusals: refused.map(finding),
    warnings: rest.filter(({ waived }) => waived === undefined).map(finding),
    waived: rest.filter(({ waived }) => waived !== undefined).map(finding),
    errors: errors.map(printable),
    lockOut: fates === undefined ? null : lockOutOf(fates),
    removal,
    registrations: registrationsOf(fates, changes),
    caEntries: caEntriesOf(manifest, inventory),
    resources: resourcesOf(preview.steps),
    notKnown: [
      ...(inventory?.leftOut ?? []).map((what) => `Not read: ${printable(what)}`),
      ...[...heldOff].map((key) => `${displayName(key)} was disabled by hand in DPS; it stays so`),
      ...(notRead === undefined ? [] : [printable(notRead)]),
      ...(manifest === undefined && refused.length > 0
        ? [
            "The configuration is refused by itself: it was not compared with what was carried out last, so what the change would do is not said",
          ]
        : []),
    ],
  };
  return deviceNames ? plan : withoutNames(plan, namesIn(inventory, manifest));
}

/* Two resources judge the same where one of them has refused the change before. */
function distinct(faults: Fault[]): Fault[] {
  return [...new Map(faults.map((each) => [formatFault(each), each])).values()];
}

/** Entries that somebody disabled by hand and that no `reenable` opens again. */
function heldOffIn(
  { before, after, rolls }: Manifest,
  inventory: Inventory | undefined,
  steps: EngineStep[],
): Set<string> {
  if (before === undefined || inventory === undefined) return new Set();
  const breach = new Set(
    rolls
      .filter(({ phase }) => phase === "replace" || phase === "readmit")
      .map(({ entry }) => entry),
  );
  const reenabled = new Set(
    steps.flatMap(({ inputs }) =>
      inputs?.["reenable"] === undefined ? [] : [inputs["enrollmentId"]],
    ),
  );
  const old = new Map(entriesOf(before).map((entry) => [entry.key, entry]));
  const now = new Map(entriesOf(after).map((entry) => [entry.key, entry]));
  return new Set(
    inventory.entries.flatMap(({ enabled, key, id }) => {
      const isDeclared = old.get(key)?.enabled === true && now.get(key)?.enabled === true;
      const path = now.get(key)?.path ?? "";
      return !enabled && isDeclared && !breach.has(path) && !reenabled.has(id) ? [key] : [];
    }),
  );
}

function finding({ code, path, found, fix, waived }: Fault): PlanFinding {
  return { code, title: FAULTS[code].title, path, found, fix, waived: waived ?? null };
}

/* The engine prints what a handler refuses with the handler's own words. */
function isSaid(text: string, faults: readonly Fault[]): boolean {
  return (
    faults.some((each) => text.includes(formatFault(each))) ||
    /^(preview failed|resource .*check failed|.*failed to check.*)$/i.test(text)
  );
}

function lockOutOf(fates: DeviceFate[]): PlanLockOut {
  const counts: Record<Fate, number> = {
    same: 0,
    other: 0,
    refused: 0,
    "shut out": 0,
    "let in": 0,
    "stays refused": 0,
    "not known": 0,
    "not touched": 0,
  };
  for (const { fate } of fates) counts[fate] += 1;
  const named: Fate[] = [
    "refused",
    "other",
    "let in",
    "shut out",
    "not known",
    "not touched",
    "same",
  ];
  const switches = new Map<string, string[]>();
  for (const { deviceId, depends } of fates) {
    for (const each of depends) switches.set(each, [...(switches.get(each) ?? []), deviceId]);
  }
  return {
    counts,
    devices: named.flatMap((fate) =>
      fates
        .filter((each) => each.fate === fate)
        .slice(0, MOST_NAMED)
        .map(({ deviceId, before, after }) => ({ device: deviceId, fate, before, after })),
    ),
    depends: [...switches].map(([name, ids]) => ({
      switch: name,
      count: ids.length,
      names: ids.slice(0, MOST_NAMED),
    })),
  };
}

function removalSettings({ judgements }: Preview) {
  const told = judgements.findLast((each) => each.by === "removal");
  return { remove: told?.remove, goodIssuers: told?.goodIssuers ?? [] };
}

/* At most: a device that is not known may have what stays. Nobody registers by an entry that is closed. */
function registrationsOf(
  fates: DeviceFate[] | undefined,
  changes: Plan["changes"],
): Plan["registrations"] {
  if (fates === undefined) return null;
  const devices = changes.reduce(
    (sum, { devices: each, status }) =>
      sum + (each === null || status?.after !== "enabled" ? 0 : each.onRecord - each.onNew),
    0,
  );
  return { devices, minutes: Math.ceil(devices / REGISTRATIONS_PER_MINUTE) };
}

function caEntriesOf(
  manifest: Manifest | undefined,
  inventory: Inventory | undefined,
): Plan["caEntries"] {
  if (inventory === undefined || manifest === undefined) return null;
  const { before, after } = manifest;
  const live = inventory.caCertificates.map(({ name }) => name);
  const added = Object.keys(after.caCertificates).filter((name) => !live.includes(name));
  const isGone = (declared: Declared, name: string): boolean =>
    own(declared.caCertificates, name)?.retained !== true &&
    own(after.caCertificates, name) === undefined;
  const removed = Object.keys(before?.caCertificates ?? {}).filter(
    (name) => live.includes(name) && before !== undefined && isGone(before, name),
  );
  const used = live.length;
  // New ones come before old ones go.
  const most = used + added.length;
  return { used, most, afterwards: most - removed.length, limit: MOST_CA_CERTIFICATES };
}

/** What belongs to the program itself, and changes nothing in Azure that is not said elsewhere. */
const OWN_TYPES = /^(pulumi:|pulumi-nodejs:dynamic\/dps:|dps-certificates:|tls:|random:)/;

function resourcesOf(steps: EngineStep[]): PlanResources {
  const counts = { create: 0, update: 0, replace: 0, delete: 0, same: 0 };
  const azure: PlanResources["azure"] = [];
  for (const { op, type, name, properties } of steps) {
    // A replacement is several steps; it is counted once.
    if (op === "create-replacement" || op === "delete-replaced" || op === "delete-replacement")
      continue;
    if (op in counts) counts[op as keyof typeof counts] += 1;
    if (op !== "same" && op !== "read" && !OWN_TYPES.test(type))
      azure.push({ op, type, name, properties });
  }
  return { ...counts, azure };
}

/* The IDs of individual enrollments are part of the configuration, and are reviewed as such. */
function namesIn(inventory: Inventory | undefined, manifest: Manifest | undefined): Set<string> {
  const declared = new Set(
    [manifest?.before, manifest?.after].flatMap((each) =>
      Object.keys(each?.individualEnrollments ?? {}),
    ),
  );
  return new Set(
    (inventory?.devices ?? [])
      .flatMap(({ deviceId, registrationId }) => [deviceId, registrationId])
      .filter((id) => !declared.has(id)),
  );
}
