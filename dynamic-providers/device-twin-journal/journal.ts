/** What each device would lose with its identity: read before anything of it is removed. */
import { HubModules, type SavedModule } from "../../clients/hub-modules";
import { HubRegistry, linkedHubs } from "../../clients/hub-registry";
import type { Connection } from "../../clients/target";
import type { Candidate } from "../device-registration-removal/candidates";
import { say } from "../handler";

/** A hub identity, and what goes with it. It holds no credential. */
export interface SavedIdentity {
  hub: string;
  /** Another one later says that the identity was deleted and made anew. */
  generationId: string;
  /** Only of a device that was connected can one expect that it comes back soon. */
  isConnected: boolean;
  tags: Record<string, unknown>;
  desired: Record<string, unknown>;
  modules: SavedModule[];
  isEdge: boolean;
  /** Scopes of the Edge devices through which it connects. */
  parentScopes: string[];
  /** Of an Edge device: its scope, which ends with the identity, and the device IDs that have it. */
  deviceScope?: string;
  children: string[];
  /** Also holds what an earlier identity had. */
  merged?: true;
}

/** A candidate whose turn has come. */
export interface JournalEntry extends Candidate {
  /** In every linked hub that has the device; empty: none has it. */
  identities: SavedIdentity[];
  /** Number of the wave with which it goes; 1 when there are no waves. */
  wave: number;
}

/** Devices that are read at the same time; calls to one hub are bounded besides. */
const AT_A_TIME = 25;
const TOLD_EVERY = 100;

export async function journalOf(
  connection: Connection,
  candidates: Candidate[],
  wave: number,
): Promise<JournalEntry[]> {
  if (candidates.length === 0) {
    return [];
  }
  const hubs = await linkedHubs(connection);
  const entries: JournalEntry[] = [];
  for (let from = 0; from < candidates.length; from += AT_A_TIME) {
    const some = candidates.slice(from, from + AT_A_TIME);
    entries.push(
      ...(await Promise.all(
        some.map(async (candidate) => ({
          ...candidate,
          wave,
          identities: await identitiesOf(connection, hubs, candidate.deviceId),
        })),
      )),
    );
    if (entries.length % TOLD_EVERY === 0 && entries.length < candidates.length) {
      say(`Saved what ${entries.length} of ${candidates.length} devices would lose.`);
    }
  }
  return entries;
}

async function identitiesOf(
  connection: Connection,
  hubs: string[],
  deviceId: string,
): Promise<SavedIdentity[]> {
  const found = await Promise.all(hubs.map((hub) => identityOf(connection, hub, deviceId)));
  return found.filter((one) => one !== undefined);
}

async function identityOf(
  connection: Connection,
  hub: string,
  deviceId: string,
): Promise<SavedIdentity | undefined> {
  const registry = new HubRegistry(connection, hub);
  const identity = await registry.getIdentity(deviceId);
  const twin = identity && (await registry.getTwin(deviceId));
  if (identity === undefined || twin === undefined) {
    return undefined;
  }
  const { isEdge, deviceScope, parentScopes, generationId = "" } = identity;
  const ownScope = isEdge ? deviceScope : undefined;
  return {
    hub,
    generationId,
    isConnected: twin.isConnected,
    tags: twin.tags,
    desired: twin.desired,
    modules: await new HubModules(connection, hub).save(deviceId),
    isEdge,
    parentScopes,
    ...(ownScope !== undefined && { deviceScope: ownScope }),
    children: ownScope === undefined ? [] : await registry.childrenOf(ownScope),
  };
}

/** Is there anything that a device would have to be given back? */
export function hasContent(identity: SavedIdentity): boolean {
  const { tags, desired, modules, isEdge, parentScopes, children } = identity;
  return (
    Object.keys(tags).length > 0 ||
    Object.keys(desired).length > 0 ||
    modules.length > 0 ||
    isEdge ||
    parentScopes.length > 0 ||
    children.length > 0
  );
}

/** With what an earlier identity of the device had, and this one has not. */
export function withLost(identity: SavedIdentity, lost: SavedIdentity): SavedIdentity {
  const modules = lost.modules.filter(({ moduleId }) =>
    identity.modules.every((one) => one.moduleId !== moduleId),
  );
  return {
    ...identity,
    tags: { ...lost.tags, ...identity.tags },
    desired: { ...lost.desired, ...identity.desired },
    modules: [...identity.modules, ...modules],
  };
}
