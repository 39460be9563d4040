/** What a device would lose must be in the state before its identity is deleted: a killed run loses all else. */
import { HubModules } from "../../clients/hub-modules";
import { type HubDeviceTwin, type HubIdentity, includes } from "../../clients/hub-registry";
import type { Connection } from "../../clients/target";
import {
  hasContent,
  type JournalEntry,
  type SavedIdentity,
  withLost,
} from "../device-twin-journal/journal";
import { candidateId } from "./candidates";

/** Compares what the state has of devices with what they have now. */
export class Keeping {
  /** By `candidateId`: what is newer than the state, for the state that this run leaves. */
  readonly newer = new Map<string, JournalEntry>();

  /**
   * @param isStored are the entries in the state already, or does only this run know of them?
   * @param putOff `candidateId` of those that an earlier run has put off: they are not put off again, or who
   *   keeps writing into a twin would keep the identity. Then only a run that is killed loses what was
   *   written since that earlier run.
   */
  constructor(
    private readonly connection: Connection,
    private readonly isStored: boolean,
    private readonly putOff: ReadonlySet<string>,
  ) {}

  /**
   * May the identity be deleted, as far as the device's twin, modules and place go? If not, what is there now
   * is noted in `newer`.
   */
  async holds(
    entry: JournalEntry,
    hub: string,
    { generationId = "", isEdge, deviceScope, parentScopes }: HubIdentity,
    { tags, desired, isConnected }: HubDeviceTwin,
  ): Promise<boolean> {
    const latest = this.newer.get(candidateId(entry)) ?? entry;
    const saved = latest.identities.find((one) => one.hub === hub);
    const isKnown = saved?.generationId === generationId;
    // Modules are read anew where there were some; of a device that the journal has not seen, always.
    const modules =
      isKnown && saved.modules.length === 0
        ? []
        : await new HubModules(this.connection, hub).save(entry.deviceId);
    const now: SavedIdentity = {
      hub,
      generationId,
      isConnected: isConnected || saved?.isConnected === true,
      tags,
      desired,
      modules,
      isEdge,
      parentScopes,
      ...(isEdge && deviceScope !== undefined && { deviceScope }),
      children: saved?.children ?? [],
    };
    const isStored = this.isStored && isKnown && includes(parts(saved), parts(now));
    if (isStored && (saved.merged === true || includes(parts(now), parts(saved)))) {
      return true;
    }
    const noted =
      saved === undefined || isKnown ? now : { ...withLost(now, saved), merged: true as const };
    const identities = [...latest.identities.filter((one) => one !== saved), noted];
    this.newer.set(candidateId(entry), { ...latest, identities });
    return isStored || !hasContent(now) || (this.isStored && this.putOff.has(candidateId(entry)));
  }
}

function parts({ tags, desired, modules, isEdge, parentScopes }: SavedIdentity): object {
  const byId = Object.fromEntries(modules.map((each) => [each.moduleId, each]));
  return { tags, desired, modules: byId, isEdge, parentScopes };
}
