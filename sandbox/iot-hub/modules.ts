/**
 * Module identities of a device, and their twins.
 * Source: learn.microsoft.com/rest/api/iothub/service/modules; paths and bodies as Microsoft's
 * `azure-iothub` sends them.
 */
import type { Sandbox } from "../common/model";
import { moduleAlreadyExists, moduleNotFound, quotaExceeded } from "./faults";
import { checkDeviceId, readAuthentication } from "./identity-body";
import { SYSTEM_MODULES_AUTHENTICATION } from "./not-known";
import {
  Modules,
  NEVER,
  newGenerationId,
  newIdentityEtag,
  type Json,
  type ModuleRecord,
} from "./records";
import {
  checkEtag,
  checkTwinEtag,
  newTwin,
  patchedTwin,
  replacement,
  type Condition,
  type TwinParts,
} from "./twin-record";

/** Source: learn.microsoft.com/azure/iot-hub/iot-hub-devguide-module-twins. */
const MAX_MODULES = 50;
/** Every Edge device has these; the hub makes them (learn.microsoft.com/azure/iot-edge). */
const SYSTEM_MODULES = ["$edgeAgent", "$edgeHub"];

/** Methods throw `HubFault`, and expect that the device exists. */
export class ModuleRegistry {
  private readonly modules: Modules;

  constructor(
    private readonly sandbox: Sandbox,
    hubName: string,
  ) {
    this.modules = new Modules(sandbox, hubName);
  }

  get(deviceId: string, moduleId: string): ModuleRecord {
    const record = this.modules.get(deviceId, moduleId);
    if (record === undefined) {
      throw moduleNotFound();
    }
    return record;
  }

  list(deviceId: string): ModuleRecord[] {
    return this.modules.list(deviceId);
  }

  create(deviceId: string, moduleId: string, body: Json): ModuleRecord {
    checkDeviceId(moduleId, "module ID");
    const authentication = readAuthentication(body["authentication"]);
    const before = this.modules.list(deviceId);
    if (this.modules.get(deviceId, moduleId) !== undefined) {
      throw moduleAlreadyExists();
    }
    if (before.length >= MAX_MODULES) {
      throw quotaExceeded(`A device has at most ${MAX_MODULES} modules`);
    }
    return this.add(deviceId, moduleId, authentication, managedByOf(body));
  }

  update(deviceId: string, moduleId: string, body: Json, ifMatch: Condition): ModuleRecord {
    const before = this.get(deviceId, moduleId);
    checkEtag(before.etag, ifMatch);
    return this.modules.put({
      ...before,
      authentication: readAuthentication(body["authentication"]),
      managedBy: managedByOf(body),
      etag: newIdentityEtag(),
    });
  }

  delete(deviceId: string, moduleId: string, ifMatch: Condition): void {
    checkEtag(this.get(deviceId, moduleId).etag, ifMatch);
    this.modules.delete(deviceId, moduleId);
  }

  /** What goes with its device. */
  deleteAll(deviceId: string): void {
    this.list(deviceId).forEach(({ moduleId }) => this.modules.delete(deviceId, moduleId));
  }

  /** The runtime's own modules, where they are not there yet. */
  addSystemModules(deviceId: string): void {
    const missing = SYSTEM_MODULES.filter((id) => this.modules.get(deviceId, id) === undefined);
    missing.forEach((id) =>
      this.add(
        deviceId,
        id,
        readAuthentication({ type: SYSTEM_MODULES_AUTHENTICATION }),
        "iotEdge",
      ),
    );
  }

  patchTwin(deviceId: string, moduleId: string, patch: TwinParts, ifMatch: Condition) {
    const before = this.get(deviceId, moduleId);
    checkTwinEtag(before, ifMatch);
    return this.modules.put(patchedTwin(before, patch, this.sandbox.clock.now()));
  }

  replaceTwin(deviceId: string, moduleId: string, parts: TwinParts, ifMatch: Condition) {
    const before = this.get(deviceId, moduleId);
    checkTwinEtag(before, ifMatch);
    return this.modules.put(
      patchedTwin(
        before,
        replacement(before, parts, this.sandbox.switches),
        this.sandbox.clock.now(),
      ),
    );
  }

  private add(
    deviceId: string,
    moduleId: string,
    authentication: ModuleRecord["authentication"],
    managedBy: string | null,
  ): ModuleRecord {
    return this.modules.put({
      deviceId,
      moduleId,
      managedBy,
      authentication,
      generationId: newGenerationId(),
      etag: newIdentityEtag(),
      connectionStateUpdatedTime: NEVER,
      lastActivityTime: NEVER,
      ...newTwin({}, this.sandbox.clock.now()),
    });
  }
}

function managedByOf({ managedBy }: Json): string | null {
  return typeof managedBy === "string" ? managedBy : null;
}
