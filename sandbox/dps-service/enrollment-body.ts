/** From the body of a PUT to what is stored. Every fault is a `BodyError`. */
import type { Switches } from "../common/switches";
import { readAttestation } from "./attestation-body";
import {
  BodyError,
  defined,
  flag,
  list,
  object,
  oneOf,
  optional,
  required,
  text,
  type Json,
} from "./body-reader";
import type {
  Attestation,
  EnrollmentRecord,
  EntryKind,
  EntrySettings,
  ReprovisionPolicy,
} from "./records";

export interface BodyContext {
  kind: EntryKind;
  /** ID in the path, or in the item of a bulk call. */
  id: string;
  /** Host names of the service's linked hubs. */
  linkedHubs: string[];
  /** Is there a CA certificate of this name? */
  hasCaCertificate(name: string): boolean;
  /** The entry as it is stored, if it is. */
  stored: EnrollmentRecord | undefined;
  switches: Pick<Switches, "primaryRequired" | "keysOmittedInUpdate">;
}

/**
 * Registration IDs and enrollment group IDs: up to 128 of `A-Z a-z 0-9 - . _ :`, the last one
 * alphanumeric or a dash. Source: learn.microsoft.com/azure/iot-dps/concepts-service.
 */
export function checkId(id: string, what: string): void {
  if (!/^[A-Za-z0-9\-._:]{0,127}[A-Za-z0-9-]$/.test(id)) {
    throw new BodyError(`${what} is not valid.`);
  }
}

/** learn.microsoft.com/azure/iot-hub/iot-hub-devguide-identity-registry, "device identity". */
const DEVICE_ID = /^[A-Za-z0-9\-:.+%_#*?!(),=@$']{1,128}$/;

/** Name of the property that holds the ID of an entry. */
export function idProperty(kind: EntryKind): "registrationId" | "enrollmentGroupId" {
  return kind === "individual" ? "registrationId" : "enrollmentGroupId";
}

/** Attestation and settings of an entry; what is absent is set back, except certificates by info. */
export function readEnrollment(
  value: unknown,
  context: BodyContext,
): { attestation: Attestation; settings: EntrySettings } {
  const body = object(value, "The body");
  const property = idProperty(context.kind);
  checkId(context.id, property);
  if (required(body, property, "", text).toLowerCase() !== context.id.toLowerCase()) {
    throw new BodyError(`${property} is not the one in the path.`);
  }
  return {
    attestation: readAttestation(required(body, "attestation", "", object), context),
    settings: readSettings(body, context),
  };
}

function readSettings(body: Json, context: BodyContext): EntrySettings {
  const iotHubs = optional(body, "iotHubs", "", list(text));
  const iotHubHostName = optional(body, "iotHubHostName", "", text);
  for (const hub of [...(iotHubs ?? []), ...(iotHubHostName ? [iotHubHostName] : [])]) {
    if (!context.linkedHubs.some((linked) => linked.toLowerCase() === hub.toLowerCase())) {
      throw new BodyError(`IoT hub "${hub}" is not linked to this provisioning service.`);
    }
  }
  const policy = optional(
    body,
    "allocationPolicy",
    "",
    oneOf("hashed", "geoLatency", "static", "custom"),
  );
  const custom = optional(body, "customAllocationDefinition", "", readCustomAllocation);
  if (policy === "custom" && custom === undefined) {
    throw new BodyError("customAllocationDefinition is required with allocationPolicy custom.");
  }
  return {
    ...defined({
      deviceId:
        context.kind === "individual" ? optional(body, "deviceId", "", deviceId) : undefined,
      optionalDeviceInformation: optional(body, "optionalDeviceInformation", "", object),
      allocationPolicy: policy,
      iotHubs,
      iotHubHostName,
      initialTwin: optional(body, "initialTwin", "", readTwin),
      customAllocationDefinition: custom,
      capabilities: optional(body, "capabilities", "", readCapabilities),
      provisioningStatus: optional(body, "provisioningStatus", "", oneOf("enabled", "disabled")),
      reprovisionPolicy: optional(body, "reprovisionPolicy", "", readReprovisionPolicy),
    }),
  };
}

function readCapabilities(value: unknown, path: string): { iotEdge: boolean } {
  return { iotEdge: optional(object(value, path), "iotEdge", path, flag) ?? false };
}

/** Defaults by the specification. */
function readReprovisionPolicy(value: unknown, path: string): ReprovisionPolicy {
  const policy = object(value, path);
  return {
    updateHubAssignment: optional(policy, "updateHubAssignment", path, flag) ?? true,
    migrateDeviceData: optional(policy, "migrateDeviceData", path, flag) ?? true,
  };
}

function deviceId(value: unknown, path: string): string {
  const id = text(value, path);
  if (!DEVICE_ID.test(id)) {
    throw new BodyError(`${path} is not a valid device ID.`);
  }
  return id;
}

function readTwin(value: unknown, path: string): NonNullable<EntrySettings["initialTwin"]> {
  const twin = object(value, path);
  const properties = optional(twin, "properties", path, object);
  const desired =
    properties === undefined
      ? undefined
      : optional(properties, "desired", `${path}.properties`, object);
  return defined({
    tags: optional(twin, "tags", path, object),
    properties: properties === undefined ? undefined : defined({ desired }),
  });
}

function readCustomAllocation(value: unknown, path: string) {
  const definition = object(value, path);
  return {
    webhookUrl: required(definition, "webhookUrl", path, text),
    apiVersion: required(definition, "apiVersion", path, text),
  };
}
