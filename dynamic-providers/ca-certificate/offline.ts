/** Proof of possession in two changes: the code goes out in one, the certificate comes back in the next. */
import type { CaCertificatesClient, LiveCaCertificate } from "../../clients/ca-certificates";
import { isServiceError } from "../../clients/service-error";
import { type Fault, fault, faultError, formatFault } from "../../certificates/faults";
import { codeOf, faultOfProof } from "../../certificates/proof-of-possession";
import { say } from "../handler";
import { proofPath } from "./proof";

/** A verification code that waits for its certificate. */
export interface PendingProof {
  /** What the CA signs: the common name of the verification certificate. */
  code: string;
  /** Etag of the entry in DPS since the code was generated; another one means that somebody wrote. */
  etag: string;
}

interface Waiting {
  name: string;
  pem: string;
}

/** A proof that is not taken, after another code was generated: the state has to keep that code. */
export class StaleProof extends Error {
  constructor(
    message: string,
    readonly pending: PendingProof,
  ) {
    super(message);
  }
}

/** What a person does with a code. */
export function whatToDo({ name }: Pick<Waiting, "name">, { code }: PendingProof): string {
  return (
    `Have CA \`${name}\` issue a certificate with the common name ${code}, ` +
    `write it to a PEM file, and give that as ${signedPath(name)}.`
  );
}

export interface CodeToSign extends PendingProof {
  ca: string;
  whatToDo: string;
}

/**
 * The codes that wait to be signed, each with what a person does with it; by CA name. The engine writes a
 * stack's outputs at the end of an `up` that succeeds: one that fails may have ended such a code. The resource
 * in the state has the one that is live (`npm run status`).
 */
export function codesToSign(
  pending: Record<string, PendingProof | undefined>,
): Record<string, CodeToSign> {
  return Object.fromEntries(
    Object.entries(pending).flatMap(([ca, proof]) =>
      proof === undefined ? [] : [[ca, { ca, ...proof, whatToDo: whatToDo({ name: ca }, proof) }]],
    ),
  );
}

/** The code that is signed: the one that waits already, or a new one. */
export async function codeFor(
  client: CaCertificatesClient,
  { name }: Pick<Waiting, "name">,
  there: LiveCaCertificate,
  pending: PendingProof | undefined,
): Promise<PendingProof> {
  const next = pending ?? (await client.generateVerificationCode(name, there.etag));
  say(`CA certificate "${name}" waits for its proof of possession. ${whatToDo({ name }, next)}`);
  return next;
}

/**
 * Gives the certificate that came back. Throws a coded fault when it proves nothing, or carries a code
 * that is not live; in that case with the code that is (`StaleProof` when it had to be generated).
 */
export async function giveBack(
  client: CaCertificatesClient,
  { name, pem }: Waiting,
  signed: string,
  there: LiveCaCertificate,
  pending: PendingProof | undefined,
): Promise<void> {
  const wrong = faultOfProof(signed, pem);
  if (wrong !== undefined) {
    throw faultError(
      "DPS-CERT-114",
      signedPath(name),
      wrong,
      pending === undefined
        ? "give a certificate that this CA has issued"
        : whatToDo({ name }, pending),
    );
  }
  const carried = codeOf(signed);
  // With the etag of its code the entry was not touched since, so that code is the live one.
  const live = pending?.etag === there.etag ? pending : undefined;
  if (live !== undefined && live.code !== carried) {
    throw new Error(
      formatFault(stale(name, carried, "which is not the one that DPS gave out last", live)),
    );
  }
  try {
    await client.verify(name, signed, there.etag);
  } catch (error) {
    if (live !== undefined || !isServiceError(error, "BadRequest")) throw error;
    // DPS does not show a code again. Whichever is live, nobody here knows it: another one is needed.
    const next = await client.generateVerificationCode(name, there.etag);
    const since = there.updated === undefined ? "" : ` on ${there.updated}`;
    const why =
      pending === undefined
        ? `which DPS does not take (${error.message})`
        : pending.code === carried
          ? `which has ended: somebody generated another code, or uploaded the certificate again${since}`
          : `which DPS does not take; the last one that this stack generated was ${pending.code}`;
    throw new StaleProof(formatFault(stale(name, carried, why, next)), next);
  }
}

/** A verification certificate that carries another code than the one that waits; undefined: it fits. */
export function otherCode(
  { name }: Pick<Waiting, "name">,
  signed: string,
  pending: PendingProof,
): Fault | undefined {
  const carried = codeOf(signed);
  return carried === pending.code
    ? undefined
    : stale(name, carried, "which is not the one that this stack generated last", pending);
}

function stale(name: string, carried: string, why: string, live: PendingProof): Fault {
  return fault(
    "DPS-CERT-113",
    signedPath(name),
    `a verification certificate for the code ${carried}, ${why}`,
    `the live code is ${live.code}. ${whatToDo({ name }, live)}`,
  );
}

function signedPath(name: string): string {
  return proofPath(name, "proof", "offline", "signedFile");
}
