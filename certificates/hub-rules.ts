/** Hubs that are no longer linked, and the devices in them. */
import type { Declared } from "./declared";
import { fault, type Fault } from "./faults";
import type { HubCounts } from "./fleet-facts";
import { devicesWords } from "./fleet-usage";
import { displayName, foldCase, listed } from "./text";

interface GoneHub {
  words: string;
  /** Undefined: one of those without a name, which are known by their number only. */
  name?: string;
}

/** Whether a change takes hubs away from a service that this stack manages. */
export function takesHubsAway(before: Declared | undefined, after: Declared): boolean {
  return goneHubs(before, after).length > 0;
}

export function hubFaults(
  before: Declared | undefined,
  after: Declared,
  counts: HubCounts | undefined,
): Fault[] {
  const gone = goneHubs(before, after);
  if (gone.length === 0) return [];
  const counted = gone.map((hub) => ({ ...hub, devices: devicesOf(hub, gone, before, counts) }));
  const used = counted.filter(({ devices = 0 }) => devices > 0);
  const unknown = counted.filter(({ devices }) => devices === undefined);
  const reasons = counts?.leftOut ?? [];
  const why = reasons.length === 0 ? "" : `; not counted: ${listed(reasons)}`;
  return [
    ...(used.length === 0
      ? []
      : [
          fault(
            "DPS-CERT-162",
            "hubs",
            `a change that takes ${listed(used.map(({ words, devices = 0 }) => `${words} with ${devicesWords(devices)}`))} away from the service`,
            "keep the hub; let its devices be assigned to another one and delete their identities in this one first",
          ),
        ]),
    ...(unknown.length === 0
      ? []
      : [
          fault(
            "DPS-CERT-062",
            "hubs",
            `a change that takes ${listed(unknown.map(({ words }) => words))} away from the service: its devices are assigned to ` +
              `another hub when they register next, and a hub of this stack is deleted with their identities${why}`,
            "move its devices to another hub first, then waive this with a reason",
          ),
        ]),
  ];
}

/* What an adopted service is linked to is not changed. */
function goneHubs(before: Declared | undefined, after: Declared): GoneHub[] {
  if (before?.hubs === undefined || after.hubs === undefined) return [];
  if (before.service?.adopt === true) return [];
  const now = new Set(hubsOf(after.hubs).map(({ words }) => words));
  return hubsOf(before.hubs).filter(({ words }) => !now.has(words));
}

/* One without a name is known by its number among such. */
function hubsOf(hubs: NonNullable<Declared["hubs"]>): GoneHub[] {
  let unnamed = 0;
  return hubs.map(({ name }) => {
    if (name !== undefined) return { words: `hub ${displayName(foldCase(name))}`, name };
    unnamed += 1;
    return { words: `hub number ${unnamed} without a name` };
  });
}

/** Undefined: not known. Made-up names are not declared, so they are told apart only when all such hubs go. */
function devicesOf(
  hub: GoneHub,
  gone: GoneHub[],
  before: Declared | undefined,
  counts: HubCounts | undefined,
): number | undefined {
  if (counts === undefined) return undefined;
  const declared = hubsOf(before?.hubs ?? []);
  if (hub.name !== undefined) {
    return counts.hubs.find(({ name }) => foldCase(name) === foldCase(hub.name ?? ""))?.devices;
  }
  const names = declared.flatMap(({ name }) => (name === undefined ? [] : [foldCase(name)]));
  const unnamed = counts.hubs.filter(({ name }) => !names.includes(foldCase(name)));
  const isEmpty = unnamed.length > 0 && unnamed.every(({ devices }) => devices === 0);
  if (isEmpty) return 0;
  const alone = unnamed.length === 1 && gone.filter(({ name }) => name === undefined).length === 1;
  return alone ? unnamed[0]?.devices : undefined;
}
