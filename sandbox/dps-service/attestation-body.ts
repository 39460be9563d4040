/** Attestation in the body of an enrollment: certificates or symmetric keys. Faults are `BodyError`s. */
import { randomBytes } from "node:crypto";
import type { StoredCertificate } from "../common/model";
import {
  BodyError,
  defined,
  object,
  oneOf,
  optional,
  present,
  required,
  text,
  type Json,
} from "./body-reader";
import { CertificateInputError, readCertificateInput } from "./certificate-input";
import type { BodyContext } from "./enrollment-body";
import type { Attestation } from "./records";

/** Attestation kinds that the sandbox does not have: answered 501. */
export class NotWrittenError extends Error {}

/**
 * Keys that the service makes are 64 bytes long, and a key that is sent has 16 to 64.
 * Source: learn.microsoft.com/azure/iot-dps/concepts-symmetric-key-attestation.
 */
const KEY_BYTES = { least: 16, most: 64 };

export function readAttestation(attestation: Json, context: BodyContext): Attestation {
  const type = required(
    attestation,
    "type",
    "attestation",
    oneOf("x509", "symmetricKey", "tpm", "none"),
  );
  if (type === "tpm") {
    throw new NotWrittenError("attestation of type tpm");
  }
  const others = ["x509", "symmetricKey", "tpm"].filter((name) => name !== type);
  if (type === "none" || others.some((name) => present(attestation, name))) {
    throw new BodyError("attestation must be of exactly one kind.");
  }
  if (type === "symmetricKey") {
    return readSymmetricKeys(attestation, context);
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

/** A key that is not sent is made by the service (recorded: null keys). */
function readSymmetricKeys(attestation: Json, context: BodyContext): Attestation {
  const path = "attestation.symmetricKey";
  const keys = optional(attestation, "symmetricKey", "attestation", object) ?? {};
  const stored = context.stored?.attestation;
  const kept =
    stored?.form === "symmetricKey" && context.switches.keysOmittedInUpdate === "kept"
      ? stored.keys
      : undefined;
  return {
    form: "symmetricKey",
    keys: {
      primary: optional(keys, "primaryKey", path, readKey) ?? kept?.primary ?? newKey(),
      secondary: optional(keys, "secondaryKey", path, readKey) ?? kept?.secondary ?? newKey(),
    },
  };
}

function readKey(value: unknown, path: string): string {
  const key = text(value, path);
  const bytes = Buffer.from(key, "base64");
  const isBase64 = bytes.toString("base64") === key;
  if (!isBase64 || bytes.length < KEY_BYTES.least || bytes.length > KEY_BYTES.most) {
    throw new BodyError(
      `${path} must be ${KEY_BYTES.least} to ${KEY_BYTES.most} bytes, base64 encoded.`,
    );
  }
  return key;
}

function newKey(): string {
  return randomBytes(KEY_BYTES.most).toString("base64");
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
  const kept = stored?.form === form ? stored : undefined;
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
  { switches }: BodyContext,
): void {
  if (primary === undefined && (switches.primaryRequired || secondary === undefined)) {
    throw new BodyError(`${path}.primary is required.`);
  }
}
