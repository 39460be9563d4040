/** Who is this device, and which entry lets it in? By its certificates or by its symmetric key. */
import type { HttpError } from "../../common/errors";
import type { Sandbox } from "../../common/model";
import {
  isEnabled,
  type Directory,
  type OperationRecord,
  type Proof,
} from "../../dps-service/records";
import { enrollmentNotFound, unauthorized } from "../../dps-service/service-errors";
import { attestByCertificate } from "./by-certificate";
import { attestByKey } from "./by-key";
import { thumbprintOf } from "./certificate";

/** What a device said and presented. */
export interface DeviceRequest {
  idScope: string;
  registrationId: string;
  /** Certificates that the device presented, DER, leaf first. */
  presented: Buffer[];
  /** A shared access signature, if the device sent one. Never to be logged. */
  token: string | undefined;
}

export interface Admission {
  /** Undefined only when it leads to "failed". */
  by: OperationRecord["by"] | undefined;
  proof: Proof;
  /** What the registration comes to: a hub, or a record that says why there is none. */
  leads: "assignment" | "disabled" | "failed";
  /** For the request log. */
  note: string;
}

/**
 * A client certificate counts before a signature. Throws `HttpError` 401 or 404 for a device that
 * gets no operation. not known: what DPS does with a certificate and a signature at once.
 */
export function attest(sandbox: Sandbox, directory: Directory, request: DeviceRequest): Admission {
  const { presented, token } = request;
  return token !== undefined && presented.length === 0
    ? byKey(sandbox, directory, request, token)
    : byCertificate(sandbox, directory, request);
}

function byCertificate(
  sandbox: Sandbox,
  directory: Directory,
  { presented, registrationId }: DeviceRequest,
): Admission {
  const verdict = attestByCertificate(sandbox, directory, presented, registrationId);
  if (verdict.admitted) {
    const { by, thumbprint: leaf } = verdict;
    const proof = { type: "x509", thumbprint: leaf } as const;
    return { by, proof, leads: "assignment", note: describe(by, proof) };
  }
  const { refusal, message, detail } = verdict;
  if (refusal === "unverified CA" && sandbox.switches.unverifiedCa === "operation-failed") {
    const proof = { type: "x509", thumbprint: thumbprintOf(presented[0]!) } as const;
    return { by: undefined, proof, leads: "failed", note: detail };
  }
  const error = unauthorized(sandbox.clock.now(), message);
  throw withReason(error, `${refusal}: ${detail}`);
}

/**
 * A disabled enrollment with symmetric keys gets an operation, whose final status is "disabled", and
 * a record that stays (the Azure CLI extension's live tests).
 */
function byKey(
  sandbox: Sandbox,
  directory: Directory,
  { registrationId }: DeviceRequest,
  token: string,
): Admission {
  const verdict = attestByKey(directory, token, registrationId);
  if (!verdict.admitted) {
    const make = verdict.refusal === "no enrollment" ? enrollmentNotFound : unauthorized;
    throw withReason(make(sandbox.clock.now()), verdict.detail);
  }
  const { kind, id } = verdict.entry;
  const proof = { type: "symmetricKey" } as const;
  return {
    by: { kind, id },
    proof,
    leads: isEnabled(verdict.entry) ? "assignment" : "disabled",
    note: describe({ kind, id }, proof),
  };
}

/** For the request log: the entry and the proof. */
export function describe(by: OperationRecord["by"], proof: Proof): string {
  return `${by.kind} ${by.id}, ${describeProof(proof)}`;
}

export function describeProof(proof: Proof): string {
  return proof.type === "x509" ? `leaf ${proof.thumbprint}` : "symmetric key";
}

/**
 * not known, assumed: only who registered may ask how it went, with the same leaf, or with a key of
 * the same enrollment. Throws `HttpError` otherwise.
 */
export function checkSameDevice(
  sandbox: Sandbox,
  directory: Directory,
  request: DeviceRequest,
  { proof, by }: OperationRecord,
): void {
  const leaf = request.presented[0];
  const same =
    proof.type === "x509"
      ? leaf !== undefined && thumbprintOf(leaf) === proof.thumbprint
      : isSameEntry(attest(sandbox, directory, request).by, by);
  if (!same) {
    throw unauthorized(sandbox.clock.now());
  }
}

function isSameEntry(a: OperationRecord["by"] | undefined, b: OperationRecord["by"]): boolean {
  return a?.kind === b.kind && a.id === b.id;
}

function withReason(error: HttpError, reason: string): HttpError {
  error.message += `: ${reason}`;
  return error;
}
