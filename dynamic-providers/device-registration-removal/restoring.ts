/** Gives devices that are back what they lost with their identity. */
import { HubModules } from "../../clients/hub-modules";
import { type HubIdentity, HubRegistry, linkedHubs } from "../../clients/hub-registry";
import type { Connection } from "../../clients/target";
import { hasContent, type JournalEntry, type SavedIdentity } from "../device-twin-journal/journal";
import { displayName } from "../../certificates/text";
import { say } from "../handler";
import type { InitialTwins } from "./initial-twins";
import { isSameHub } from "./judging";
import type { Sharing } from "./sharing";

/** `parent`: the Edge device through which it connects is not back, so its place has to wait. */
export type Restored = "absent" | "parent" | "restored";

/** Pending devices that a preview looks for. */
const LOOKED_FOR = 200;

/** @param pending device IDs of all that are not back yet */
export async function restoreDevice(
  connection: Connection,
  entry: JournalEntry,
  pending: ReadonlySet<string>,
  { sharing, initials }: { sharing: Sharing; initials: InitialTwins },
): Promise<Restored> {
  const { deviceId, identities } = entry;
  const hub = await sharing.assignedHub(entry);
  if (hub === undefined) {
    return "absent";
  }
  const registry = new HubRegistry(connection, hub);
  const identity = await registry.getIdentity(deviceId);
  if (identity === undefined) {
    return "absent";
  }
  const saved =
    identities.find((one) => isSameHub(one.hub, hub) && hasContent(one)) ??
    identities.find(hasContent);
  if (saved === undefined) {
    return "restored";
  }
  const newer = await registry.restoreTwin(deviceId, saved, () => initials.of(entry));
  if (saved.isEdge && !identity.isEdge) {
    await registry.place(identity, { isEdge: true });
  }
  const modules = new HubModules(connection, hub);
  for (const module of saved.modules) {
    const paths = await modules.restore(deviceId, module);
    newer.push(...paths.map((path) => `${path} of module ${module.moduleId}`));
  }
  if (newer.length > 0) {
    say(
      `Device ${displayName(deviceId)} is back in ${hub}, and keeps what was written there since: ${newer.map(displayName).join(", ")}.`,
    );
  }
  await restoreChildren(registry, deviceId, saved);
  return (await restoreParent(registry, deviceId, saved, pending)) ? "restored" : "parent";
}

/** Its children name a scope that ended with the old identity. */
async function restoreChildren(
  registry: HubRegistry,
  deviceId: string,
  { deviceScope: before, children }: SavedIdentity,
): Promise<void> {
  const now =
    before === undefined ? undefined : (await registry.getIdentity(deviceId))?.deviceScope;
  if (before === undefined || now === undefined || now === before) {
    return;
  }
  for (const id of children) {
    const child = await registry.getIdentity(id);
    if (child?.parentScopes.includes(before)) {
      await registry.place(child, { parentScope: now });
    }
  }
}

/** False: its parent was removed as well and is not back. */
async function restoreParent(
  registry: HubRegistry,
  deviceId: string,
  { parentScopes }: SavedIdentity,
  pending: ReadonlySet<string>,
): Promise<boolean> {
  const [scope] = parentScopes;
  if (scope === undefined) {
    return true;
  }
  const parentId = deviceOf(scope);
  const parent: HubIdentity | undefined = await registry.getIdentity(parentId);
  if (parent?.deviceScope === undefined) {
    if (pending.has(parentId)) return false;
    say(
      `Device "${deviceId}" was a child of the Edge device "${parentId}", which is not in ${registry.hubHostName}: give it a parent by hand.`,
    );
    return true;
  }
  const child = await registry.getIdentity(deviceId);
  if (child !== undefined && !child.parentScopes.includes(parent.deviceScope)) {
    await registry.place(child, { parentScope: parent.deviceScope });
  }
  return true;
}

/** A scope is `ms-azure-iot-edge://<device ID>-<generation>`. */
function deviceOf(scope: string): string {
  return scope.replace(/^.*:\/\//, "").replace(/-\d+$/, "");
}

/** Is one of these devices in a linked hub again? Of many only the first 200 are looked for. */
export async function anyBack(connection: Connection, deviceIds: string[]): Promise<boolean> {
  if (deviceIds.length === 0) {
    return false;
  }
  const some = deviceIds.slice(0, LOOKED_FOR);
  for (const hub of await linkedHubs(connection)) {
    if ((await new HubRegistry(connection, hub).findDevices(some)).length > 0) {
      return true;
    }
  }
  return false;
}
