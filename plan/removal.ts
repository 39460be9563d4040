/** Which hub identities go after a breach, counted from the inventory with the removal's own judgement. */
import { compromisedKeys, reachedThumbprints } from "../certificates/compromised-keys";
import type { Declared } from "../certificates/declared";
import { type IssuedLeaf, LeafEvidence } from "../certificates/issued-leaves";
import { foldCase } from "../certificates/text";
import type { RemovalSettings } from "../dynamic-providers/device-registration-removal/scope";
import { aMinute, ASSUMED_TIER } from "./hub-rates";
import type { Inventory, InventoryDevice, LiveEntry } from "./inventory";
import { MOST_NAMED, type PlanRemoval } from "./model";

/**
 * Operations on the identity registry of a device's hub: it is read with its modules, disabled, which ends the
 * connection, looked at again, and deleted or given another thumbprint. A test counts them.
 */
export const OPERATIONS_A_DEVICE = { delete: 5, rekey: 7 } as const;

export interface RemovalFacts {
  before: Declared | undefined;
  after: Declared;
  /** Undefined: the change was refused before the program said how devices are removed. */
  remove: RemovalSettings | undefined;
  goodIssuers: string[];
  issued: readonly IssuedLeaf[];
}

export interface Removal {
  /** Null when no key is newly compromised, or nobody came in with one. */
  plan: PlanRemoval | null;
  /** Device IDs whose hub identity goes, by the key of their entry. */
  removed: Map<string, Set<string>>;
}

export function removalOf(facts: RemovalFacts, inventory: Inventory): Removal {
  const { before, after, remove, goodIssuers, issued } = facts;
  const known = new Set(before === undefined ? [] : compromisedKeys(before).map(({ key }) => key));
  const keys = compromisedKeys(after).filter(({ key }) => !known.has(key));
  const cas = new Map(inventory.caCertificates.map(({ name, thumbprint }) => [name, thumbprint]));
  const perHub = new Map<string, { goes: Set<string>; spared: number; left: number }>();
  const notKnown = new Set<string>();
  const removed = new Map<string, Set<string>>();
  for (const key of keys) {
    const thumbprints = new Set(reachedThumbprints(key));
    const holds = ({ slots }: LiveEntry): boolean =>
      slots.some((slot) =>
        "ca" in slot
          ? thumbprints.has(cas.get(slot.ca) ?? "")
          : thumbprints.has(slot.certificate.sha256Thumbprint.toUpperCase()),
      );
    const entries = new Map(
      inventory.entries.filter(holds).map(({ key: entry, kind }) => [entry, kind]),
    );
    const evidence = new LeafEvidence(key, goodIssuers, issued);
    const ids = new Set(key.registrationIds.map(foldCase));
    const groups = new Set(
      inventory.entries.filter(({ kind }) => kind === "group").map((entry) => entry.key),
    );
    for (const device of inventory.devices) {
      // A group above the key goes on admitting: only the manifest tells who came in below the key.
      const isProven =
        !entries.has(device.entry) &&
        groups.has(device.entry) &&
        device.identities.some(
          ({ thumbprints }) => evidence.of(device.registrationId, thumbprints) === "compromised",
        );
      const kind = entries.get(device.entry) ?? (isProven ? "group" : undefined);
      if (kind === undefined && !ids.has(foldCase(device.registrationId))) continue;
      for (const identity of device.identities) {
        const leaf = evidence.of(device.registrationId, identity.thumbprints);
        const hub = perHub.get(identity.hub) ?? { goes: new Set(), spared: 0, left: 0 };
        perHub.set(identity.hub, hub);
        if (leaf !== "stolen" && (kind !== "group" || leaf === "good")) hub.spared += 1;
        else if (leaf === "unknown" && (remove?.how === "evidenced" || isProven)) hub.left += 1;
        else {
          hub.goes.add(nameOf(device));
          removed.set(device.entry, (removed.get(device.entry) ?? new Set()).add(nameOf(device)));
        }
        if (kind === "group" && leaf === "unknown") notKnown.add(nameOf(device));
      }
    }
  }
  if (perHub.size === 0) return { plan: null, removed };
  const operations = OPERATIONS_A_DEVICE[remove?.keep ?? "delete"];
  const hubs = [...perHub].map(([hub, { goes, spared, left }]) => ({
    hub,
    tier: inventory.tiers[hub] ?? null,
    goes: goes.size,
    spared,
    left,
    names: [...goes].sort().slice(0, MOST_NAMED),
  }));
  // At least: each hub has a rate of its own.
  const minutes = hubs.map(
    ({ goes, tier }) => (goes * operations) / aMinute("identities", tier ?? ASSUMED_TIER),
  );
  const plan: PlanRemoval = {
    how: remove?.how ?? null,
    keep: remove?.keep ?? null,
    hubs: hubs.sort((one, other) => one.hub.localeCompare(other.hub)),
    notKnown: notKnown.size,
    loses: loses(remove?.keep),
    operations,
    minutes: Math.ceil(Math.max(...minutes)),
  };
  return { plan, removed };
}

function nameOf({ deviceId }: InventoryDevice): string {
  return deviceId;
}

function loses(keep: RemovalSettings["keep"] | undefined): string[] {
  return keep === "rekey"
    ? [
        "lost at once: its connection, and its certificate at the hub; the identity stays, disabled, with a thumbprint that nobody has, until the device registers again",
      ]
    : [
        "lost at once: its connection; lost for good: queued messages, reported properties",
        "saved before, and given back by the `up` that finds it back, this one or a later one: tags, desired properties, modules, its place below an Edge device",
      ];
}
