/** From the body of a PUT to what is stored. Every fault is a `BodyError`. */
import type { StoredCertificate } from "../common/model";
import {
  BodyError,
  flag,
  list,
  object,
  oneOf,
  optional,
  present,
  required,
  text,
  type Json,
} from "./body-reader";
import { CertificateInputError, readCertificateInput } from "./certificate-input";
import type { Attestation, EnrollmentRecord, EntryKind, EntrySettings } from "./records";

/** Attestation kinds that the sandbox does not have: answered 501. */
export class NotWrittenError extends Error {}

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
  primaryRequired: boolean;
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

function readAttestation(attestation: Json, context: BodyContext): Attestation {
  const type = required(
    attestation,
    "type",
    "attestation",
    oneOf("x509", "symmetricKey", "tpm", "none"),
  );
  if (type === "symmetricKey" || type === "tpm") {
    throw new NotWrittenError(`attestation of type ${type}`);
  }
  if (type === "none" || present(attestation, "tpm") || present(attestation, "symmetricKey")) {
    throw new BodyError("attestation must be of exactly one kind.");
  }
  const x509 = required(attestation, "x509", "attestation", object);
  const forms = (["clientCertificates", "signingCertificates", "caReferences"] as const).filter(
    (name) => present(x509, name),
  );
  const form = forms[0];
  if (form === undefined || forms.length > 1) {
    throw new BodyError(
      "attestation.x509 must have exactly one of clientCertificates, signingCertificates, caReferences.",
    );
  }
  // not known, assumed: CA references are for groups only.
  if ((context.kind === "individual") !== (form === "clientCertificates")) {
    const entry =
      context.kind === "individual" ? "An individual enrollment" : "An enrollment group";
    throw new BodyError(`${entry} cannot have attestation.x509.${form}.`);
  }
  const path = `attestation.x509.${form}`;
  const slots = object(x509[form], path);
  return form === "caReferences"
    ? readReferences(slots, path, context)
    : readSlots(slots, path, form, context);
}

function readReferences(slots: Json, path: string, context: BodyContext): Attestation {
  const primary = optional(slots, "primary", path, text);
  const secondary = optional(slots, "secondary", path, text);
  checkPresence(primary, secondary, path, context);
  for (const name of [primary, secondary]) {
    // An unverified CA certificate is not refused (the CLI extension's integration tests).
    // not known, assumed: a name that does not exist is.
    if (name !== undefined && !context.hasCaCertificate(name)) {
      throw new BodyError(`${path}: there is no CA certificate named "${name}".`);
    }
  }
  return { form: "caReferences", ...defined({ primary, secondary }) };
}

function readSlots(
  slots: Json,
  path: string,
  form: "clientCertificates" | "signingCertificates",
  context: BodyContext,
): Attestation {
  const stored = context.stored?.attestation;
  const kept = stored !== undefined && stored.form === form ? stored : undefined;
  const primary = readSlot(slots, "primary", path, slotOf(kept?.primary));
  const secondary = readSlot(slots, "secondary", path, slotOf(kept?.secondary));
  checkPresence(primary, secondary, path, context);
  // Recorded: with only a primary sent, the answer has its info in the secondary too. So the copy
  // is real, and a later PUT of the secondary's info alone keeps it.
  return { form, ...defined({ primary, secondary: secondary ?? primary }) };
}

function slotOf(slot: StoredCertificate | string | undefined): StoredCertificate | undefined {
  return typeof slot === "string" ? undefined : slot;
}

/** A slot sent with only its `info` keeps its certificate (the CLI extension's integration tests). */
function readSlot(
  slots: Json,
  name: "primary" | "secondary",
  path: string,
  stored: StoredCertificate | undefined,
): StoredCertificate | undefined {
  const slot = optional(slots, name, path, object);
  if (slot === undefined) {
    return undefined;
  }
  const here = `${path}.${name}`;
  const certificate = optional(slot, "certificate", here, text);
  if (certificate !== undefined) {
    return readCertificateAt(certificate, here);
  }
  const info = optional(slot, "info", here, object);
  if (info === undefined || stored === undefined) {
    throw new BodyError(`${here}.certificate is required.`);
  }
  // not known, assumed: info of another certificate than the slot's is refused.
  const claimed = optional(info, "sha256Thumbprint", `${here}.info`, text);
  if (claimed !== undefined && claimed !== stored.info.sha256Thumbprint) {
    throw new BodyError(`${here}.info is not that of the stored certificate.`);
  }
  return stored;
}

function readCertificateAt(certificate: string, path: string): StoredCertificate {
  try {
    return readCertificateInput(certificate);
  } catch (error) {
    if (error instanceof CertificateInputError) {
      throw new BodyError(`${path}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function checkPresence(
  primary: unknown,
  secondary: unknown,
  path: string,
  { primaryRequired }: BodyContext,
): void {
  if (primary === undefined && (primaryRequired || secondary === undefined)) {
    throw new BodyError(`${path}.primary is required.`);
  }
}

function readSettings(body: Json, context: BodyContext): EntrySettings {
  const iotHubs = optional(body, "iotHubs", "", list(text));
  const iotHubHostName = optional(body, "iotHubHostName", "", text);
  for (const hub of [...(iotHubs ?? []), ...(iotHubHostName ? [iotHubHostName] : [])]) {
    if (!context.linkedHubs.some((linked) => linked.toLowerCase() === hub.toLowerCase())) {
      throw new BodyError(`IoT hub "${hub}" is not linked to this provisioning service.`);
    }
  }
  const reprovision = optional(body, "reprovisionPolicy", "", object) ?? {};
  const capabilities = optional(body, "capabilities", "", object) ?? {};
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
    }),
    capabilities: { iotEdge: optional(capabilities, "iotEdge", "capabilities", flag) ?? false },
    provisioningStatus:
      optional(body, "provisioningStatus", "", oneOf("enabled", "disabled")) ?? "enabled",
    reprovisionPolicy: {
      updateHubAssignment:
        optional(reprovision, "updateHubAssignment", "reprovisionPolicy", flag) ?? true,
      migrateDeviceData:
        optional(reprovision, "migrateDeviceData", "reprovisionPolicy", flag) ?? true,
    },
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

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(properties: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(properties).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
