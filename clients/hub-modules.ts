/** Module identities of a device and their twins, through Microsoft's service SDK. */
import { randomBytes } from "node:crypto";
import type { Module } from "azure-iothub/dist/module";
import { find } from "./calls";
import { HubClient } from "./hub-client";
import {
  backEndParts,
  type HubModule,
  type HubTwin,
  includes,
  moduleSummary,
  nobodysThumbprint,
  selfSignedWith,
  type WireModule,
} from "./hub-records";
import { isServiceError } from "./service-error";
import { owedTo } from "./twin-merge";

export type { HubModule } from "./hub-records";

/** What has to be saved of a module, to make it again. It holds no credential. */
export interface SavedModule extends Omit<HubModule, "etag"> {
  tags: Record<string, unknown>;
  desired: Record<string, unknown>;
}

const ATTEMPTS = 5;

/** All methods throw `ServiceError`; "PreconditionFailed" when the etag is not the current one. */
export class HubModules extends HubClient {
  async list(deviceId: string): Promise<HubModule[]> {
    const sdk = await this.sdk();
    const found = await find(
      this.attempt(`list the modules of device "${deviceId}"`),
      () => sdk.getModulesOnDevice(deviceId),
      this.pacing,
    );
    return ((found?.responseBody ?? []) as unknown as WireModule[]).map(moduleSummary);
  }

  /** All modules with what has to be saved of them. */
  async save(deviceId: string): Promise<SavedModule[]> {
    const saved: SavedModule[] = [];
    for (const { moduleId, managedBy, authenticationType } of await this.list(deviceId)) {
      const twin = await this.getTwin(deviceId, moduleId);
      if (twin !== undefined) {
        const { tags, desired } = twin;
        saved.push({
          moduleId,
          ...(managedBy !== undefined && { managedBy }),
          authenticationType,
          tags,
          desired,
        });
      }
    }
    return saved;
  }

  async getTwin(deviceId: string, moduleId: string): Promise<HubTwin | undefined> {
    const sdk = await this.sdk();
    const found = await find(
      this.attempt(`read the twin of module "${moduleId}" of device "${deviceId}"`),
      () => sdk.getModuleTwin(deviceId, moduleId),
      this.pacing,
    );
    return found && backEndParts(found.responseBody);
  }

  /**
   * Makes every credential of a module worthless: whoever has the leaf of an Edge device can read its
   * modules' keys. Keys are replaced by new ones, thumbprints by one that nobody has. Repeats where
   * somebody else writes.
   */
  async renewCredentials(deviceId: string): Promise<void> {
    for (const { moduleId } of await this.list(deviceId)) {
      await this.repeating(async () => {
        const { responseBody } = await this.call(
          `read module "${moduleId}" of device "${deviceId}"`,
          (sdk) => sdk.getModule(deviceId, moduleId),
        );
        const wire = responseBody as unknown as WireModule;
        const authentication = this.renewed(deviceId, wire);
        if (authentication !== undefined) {
          await this.call(
            `renew the credentials of module "${moduleId}" of device "${deviceId}"`,
            (sdk) => sdk.updateModule({ ...wire, authentication } as Module, false),
          );
        }
      });
    }
  }

  /** Undefined: nothing to renew. */
  private renewed(deviceId: string, { authentication }: WireModule) {
    const nobodys = selfSignedWith([nobodysThumbprint(deviceId)]);
    switch (authentication?.type) {
      case "sas": {
        const newKey = (): string => randomBytes(32).toString("base64");
        return { type: "sas", symmetricKey: { primaryKey: newKey(), secondaryKey: newKey() } };
      }
      case "selfSigned":
        return includes(authentication, nobodys) ? undefined : nobodys;
      case "certificateAuthority":
      case "none":
      case undefined:
        return undefined;
    }
  }

  /**
   * Makes the module if it is not there, and merges what its twin has not into it. What somebody has written
   * since stays.
   * @returns paths of what was written since
   */
  async restore(deviceId: string, saved: SavedModule): Promise<string[]> {
    const { moduleId, managedBy, authenticationType } = saved;
    const operation = `restore module "${moduleId}" of device "${deviceId}"`;
    return this.repeating(async () => {
      const live = await this.getTwin(deviceId, moduleId);
      if (live === undefined) {
        await this.call(operation, (sdk) =>
          sdk.addModule({
            deviceId,
            moduleId,
            ...(managedBy !== undefined && { managedBy }),
            authentication: this.fresh(deviceId, authenticationType),
          } as Module),
        );
      }
      const twin = live ?? (await this.getTwin(deviceId, moduleId));
      if (twin === undefined) {
        throw this.error(operation, "NotFound", "there is no such module");
      }
      const { due, isNothing, newer } = owedTo(twin, saved, []);
      if (!isNothing) {
        const patch = { tags: due.tags, properties: { desired: due.desired } };
        await this.call(operation, (sdk) =>
          sdk.updateModuleTwin(deviceId, moduleId, patch, twin.etag),
        );
      }
      return newer;
    });
  }

  /** The hub makes keys that are left empty. */
  private fresh(deviceId: string, type: SavedModule["authenticationType"]) {
    switch (type) {
      case "sas":
        return { type, symmetricKey: { primaryKey: "", secondaryKey: "" } };
      case "selfSigned":
        return selfSignedWith([nobodysThumbprint(deviceId)]);
      case "certificateAuthority":
      case "none":
        return { type };
    }
  }

  private async repeating<T>(run: () => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried += 1) {
      try {
        return await run();
      } catch (error) {
        const again =
          isServiceError(error, "PreconditionFailed") || isServiceError(error, "Conflict");
        if (!again || tried === ATTEMPTS) {
          throw error;
        }
      }
    }
  }
}
