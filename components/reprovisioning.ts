import * as pulumi from "@pulumi/pulumi";
import type { Report } from "../dynamic-providers/device-reprovisioning/outcomes";
import { DeviceReprovisioningResource } from "../dynamic-providers/resources";
import { EnrollmentGroup } from "./enrollment-group";
import type { IndividualEnrollment } from "./individual-enrollment";
import type { ProvisioningService } from "./provisioning-service";

export interface ReprovisioningArgs {
  service: ProvisioningService;
  /** Whose devices are told. Changing it replaces. */
  entry: EnrollmentGroup | IndividualEnrollment;
  /**
   * "directMethod": a call for each device that is connected, for up to some hundreds. "job": jobs of the
   * IoT hubs, which do the calling and also wait for devices that are offline.
   */
  how: "directMethod" | "job";
  /** Name of the direct method that devices implement. Default: reprovision. */
  methodName?: string;
  /** How long a device may take to answer, seconds, 5 to 300. Default: 30. */
  responseSeconds?: number;
  /** With direct methods, how long a hub waits for a device that is offline, seconds, 0 to 300. Default: 0. */
  connectSeconds?: number;
  /** How long all of it may take, seconds; what is left is done by the next `up`. Default: 300. */
  waitSeconds?: number;
}

/**
 * Tells the devices of an entry to register again when a new certificate stands beside the old one, after
 * the entry is written, once for each such overlap, and never in a preview. Not a child of the entry:
 * whatever waits for the entry must not wait for devices.
 */
export class Reprovisioning extends pulumi.ComponentResource {
  /** Registration ID or group ID. */
  readonly entryId: string;
  /** Devices that are left for the next `up`. */
  readonly left: pulumi.Output<number>;
  /** What became of the last overlap's devices; undefined while there was none. */
  readonly report: pulumi.Output<Report | undefined>;

  constructor(name: string, args: ReprovisioningArgs, options?: pulumi.ComponentResourceOptions) {
    super("dps-certificates:index:Reprovisioning", name, {}, options);
    const { service, entry, how } = args;
    const resource = new DeviceReprovisioningResource(
      name,
      {
        connection: service.connection,
        kind: entry instanceof EnrollmentGroup ? "group" : "individual",
        enrollmentId: entry.enrollmentId,
        since: entry.live.apply(({ lastUpdated }) => lastUpdated),
        open: entry.live.apply(({ provisioningStatus }) => provisioningStatus === "enabled"),
        how,
        admits: entry.admits,
        methodName: args.methodName ?? "reprovision",
        responseSeconds: args.responseSeconds ?? 30,
        connectSeconds: args.connectSeconds ?? 0,
        waitSeconds: args.waitSeconds ?? 300,
      },
      { parent: this, dependsOn: [entry] },
    );
    this.entryId = entry.enrollmentId;
    this.left = resource.left;
    this.report = resource.report;
    this.registerOutputs({ left: this.left, report: this.report });
  }
}
