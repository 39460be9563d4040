/**
 * The typed classes of the dynamic resources: what a component constructs. Their properties are
 * declared, not defined (`declare`), because a class field would overwrite the engine's output.
 */
import * as pulumi from "@pulumi/pulumi";
import type { AppliedSlots } from "../certificates/promotion";
import type { BreachContainmentInputs, Containment } from "./breach-containment/provider";
import type { CaCertificateInputs, CaCertificateOutputs } from "./ca-certificate/live";
import type { PendingProof } from "./ca-certificate/offline";
import type { DeviceRegistrationRemovalInputs } from "./device-registration-removal/provider";
import type { RemovalScope } from "./device-registration-removal/scope";
import type { CompromisedCaDeletionInputs } from "./compromised-ca-deletion/provider";
import type { DeniedDevicesInputs } from "./denied-devices/provider";
import type { JournalEntry } from "./device-twin-journal/journal";
import type { DeviceTwinJournalOutputs } from "./device-twin-journal/provider";
import type { DeviceReprovisioningInputs } from "./device-reprovisioning/provider";
import type { Report } from "./device-reprovisioning/outcomes";
import type { EnrollmentInputs, EntryWrites, LiveEnrollment } from "./enrollment/live";
import type { Slot } from "./enrollment/slots";
import type { FleetJudgementInputs } from "./fleet-judgement/provider";
import type { HandlerName } from "./handlers";
import type { RotationManifestInputs } from "./rotation-manifest/provider";
import { resourceType } from "./resource-type";
import { shimOf } from "./shim";
import type { TargetInputs } from "./target/provider";

/** `T` in which each value, at any depth, may be an output of another resource. */
export type Args<T> = { [K in keyof T]: Deep<T[K]> };
type Deep<T> = pulumi.Input<T> | (T extends object ? { [K in keyof T]: Deep<T[K]> } : never);

/**
 * A dynamic resource, as `pulumi.dynamic.Resource` makes them, but for the text of its provider.
 */
abstract class DynamicResource<Inputs> extends pulumi.CustomResource {
  /** @param outputs names of the outputs that are not inputs */
  protected constructor(
    handler: HandlerName,
    name: string,
    args: Args<Inputs>,
    outputs: string[],
    options: pulumi.CustomResourceOptions,
  ) {
    const unset = Object.fromEntries(outputs.map((output) => [output, undefined]));
    super(
      resourceType(handler),
      name,
      { ...unset, ...(args as pulumi.Inputs), __provider: shimOf(handler) },
      options,
    );
  }
}

export class TargetResource extends DynamicResource<TargetInputs> {
  constructor(name: string, args: Args<TargetInputs>, options: pulumi.CustomResourceOptions) {
    super("Target", name, args, [], options);
  }
}

export class RotationManifestResource extends DynamicResource<RotationManifestInputs> {
  declare readonly rolls: pulumi.Output<string[]>;
  declare readonly applied: pulumi.Output<AppliedSlots[]>;

  constructor(
    name: string,
    args: Args<RotationManifestInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("RotationManifest", name, args, ["rolls", "applied"], options);
  }
}

export class FleetJudgementResource extends DynamicResource<FleetJudgementInputs> {
  constructor(
    name: string,
    args: Args<FleetJudgementInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("FleetJudgement", name, args, [], options);
  }
}

export class BreachContainmentResource extends DynamicResource<BreachContainmentInputs> {
  declare readonly contained: pulumi.Output<Record<string, Containment>>;
  declare readonly caKeys: pulumi.Output<Record<string, string[]>>;
  declare readonly slotKeys: pulumi.Output<Record<string, string[]>>;

  constructor(
    name: string,
    args: Args<BreachContainmentInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("BreachContainment", name, args, ["contained"], options);
  }
}

export class CaCertificateResource extends DynamicResource<CaCertificateInputs> {
  declare readonly live: pulumi.Output<CaCertificateOutputs["live"]>;
  declare readonly pending: pulumi.Output<PendingProof | undefined>;

  constructor(
    name: string,
    args: Args<CaCertificateInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("CaCertificate", name, args, ["live", "pending"], options);
  }
}

export class CompromisedCaDeletionResource extends DynamicResource<CompromisedCaDeletionInputs> {
  declare readonly deleted: pulumi.Output<string[]>;

  constructor(
    name: string,
    args: Args<CompromisedCaDeletionInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("CompromisedCaDeletion", name, args, ["deleted"], options);
  }
}

export class DeniedDevicesResource extends DynamicResource<DeniedDevicesInputs> {
  constructor(
    name: string,
    args: Args<DeniedDevicesInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("DeniedDevices", name, args, ["closed"], options);
  }
}

export class EnrollmentResource extends DynamicResource<EnrollmentInputs> {
  declare readonly provisioningStatus: pulumi.Output<EnrollmentInputs["provisioningStatus"]>;
  declare readonly reprovisionPolicy: pulumi.Output<EnrollmentInputs["reprovisionPolicy"]>;
  /** Not there when the slot is not declared. */
  declare readonly primary: pulumi.Output<Slot> | undefined;
  declare readonly secondary: pulumi.Output<Slot> | undefined;
  declare readonly live: pulumi.Output<LiveEnrollment>;
  declare readonly writes: pulumi.Output<EntryWrites>;
  declare readonly roll: pulumi.Output<string>;

  constructor(
    kind: "EnrollmentGroup" | "IndividualEnrollment",
    name: string,
    args: Args<EnrollmentInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super(kind, name, args, ["live", "writes", "roll"], options);
  }
}

export class DeviceTwinJournalResource extends DynamicResource<RemovalScope> {
  declare readonly devices: pulumi.Output<JournalEntry[]>;
  declare readonly waiting: pulumi.Output<DeviceTwinJournalOutputs["waiting"]>;
  declare readonly held: pulumi.Output<string>;

  constructor(name: string, args: Args<RemovalScope>, options: pulumi.CustomResourceOptions) {
    super("DeviceTwinJournal", name, args, ["devices", "waiting", "waves", "held", "reopened"], {
      ...options,
      // Desired properties may hold what nobody should read in a state file.
      additionalSecretOutputs: ["devices"],
    });
  }
}

export class DeviceRegistrationRemovalResource extends DynamicResource<DeviceRegistrationRemovalInputs> {
  declare readonly removed: pulumi.Output<string[]>;
  declare readonly restored: pulumi.Output<string[]>;
  declare readonly pending: pulumi.Output<string[]>;
  declare readonly left: pulumi.Output<string[]>;

  constructor(
    name: string,
    args: Args<DeviceRegistrationRemovalInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    const outputs = ["progress", "saved", "removed", "restored", "pending", "left"];
    super("DeviceRegistrationRemoval", name, args, outputs, {
      ...options,
      additionalSecretOutputs: ["saved"],
    });
  }
}

export class DeviceReprovisioningResource extends DynamicResource<DeviceReprovisioningInputs> {
  declare readonly left: pulumi.Output<number>;
  declare readonly report: pulumi.Output<Report | undefined>;

  constructor(
    name: string,
    args: Args<DeviceReprovisioningInputs>,
    options: pulumi.CustomResourceOptions,
  ) {
    super("DeviceReprovisioning", name, args, ["left", "report", "overlap", "told"], options);
  }
}
