/** Devices on record, without having been registered one by one: that is not what is measured. */
import { randomBytes } from "node:crypto";
import { Directory } from "../sandbox/dps-service/records";
import { DeviceRegistry } from "../sandbox/iot-hub/registry";
import type { Stage } from "../test/dynamic-providers/stage";
import type { TestCa } from "../test/support/test-ca";

/**
 * Devices in equal parts under the groups, each with a leaf of its own, whose issuer it reports.
 *
 * @param issuerOf who issued the leaf of a device, by its number; undefined: it reports nothing
 */
export function populate(
  stage: Stage,
  groups: string[],
  count: number,
  issuerOf: (index: number) => TestCa | undefined,
): void {
  const { sandbox, hub } = stage.sandbox;
  const service = sandbox.services.list()[0];
  if (service === undefined) throw new Error("The sandbox has no DPS instance.");
  const directory = new Directory(sandbox, service);
  const registry = new DeviceRegistry(sandbox, hub.split(".")[0]!);
  for (let index = 0; index < count; index += 1) {
    const deviceId = `device-${index}`;
    const thumbprint = randomBytes(32).toString("hex").toUpperCase();
    const authentication = { type: "selfSigned" as const, thumbprint };
    registry.assign({ hubHostName: hub, deviceId, authentication }, false);
    const issuer = issuerOf(index);
    if (issuer !== undefined) {
      const report = {
        leaf: { sha256: thumbprint },
        issuer: { sha256: issuer.certificate.thumbprint },
      };
      registry.reportTwin(deviceId, { dps: report }, undefined);
    }
    const now = new Date().toISOString();
    directory.putRegistration({
      registrationId: deviceId,
      deviceId,
      assignedHub: hub,
      status: "assigned",
      createdDateTimeUtc: now,
      lastUpdatedDateTimeUtc: now,
      etag: String(index),
      group: groups[index % groups.length]!,
    });
  }
}
