/** Brings a CA certificate to what is declared: uploaded, and proved as far as the proof is there. */
import { faultError } from "../../certificates/faults";
import type { CaCertificatesClient, LiveCaCertificate } from "../../clients/ca-certificates";
import { type CaCertificateInputs, type CaCertificateOutputs, live, reenabledBy } from "./live";
import { codeFor, giveBack, type PendingProof, StaleProof } from "./offline";
import { proofPath, proverOf } from "./proof";

/** What is known of the certificate when it is brought to what is declared. */
export interface Before {
  found: LiveCaCertificate | undefined;
  pending?: PendingProof | undefined;
  reenabled?: string | undefined;
  /** It is verified because DPS was told so. */
  attested?: boolean | undefined;
  /** It is verified, and must not be. */
  untrusted?: boolean;
}

/** Uploads what is not there, gives the proof that is owed, and reads back what came of it. */
export async function settle(
  client: CaCertificatesClient,
  inputs: CaCertificateInputs,
  { found, pending, reenabled, attested = false, untrusted = false }: Before,
): Promise<CaCertificateOutputs> {
  const { name, proof } = inputs;
  const attests = proof !== undefined && "selfAttested" in proof;
  const stays =
    found?.thumbprint === inputs.certificate.sha1Thumbprint &&
    !untrusted &&
    (found.isVerified || !attests);
  const owed = !(stays && found.isVerified);
  const prove = owed ? await proverOf(inputs) : undefined;
  const there = stays ? found : await upload(client, inputs, found?.etag);
  const outs = {
    ...inputs,
    ...reenabledBy(inputs, reenabled),
    ...((owed ? attests : attested) && { attested: true as const }),
  };
  // An upload ends the codes that were given out for what was there before.
  const waiting = stays ? pending : undefined;
  if (prove !== undefined) {
    const { code, etag } = await client.generateVerificationCode(name, there.etag);
    await client.verify(name, await prove(code), etag);
  } else if (owed && proof !== undefined && "offline" in proof) {
    const { signed } = proof.offline;
    if (signed === undefined) {
      const next = await codeFor(client, inputs, there, waiting);
      return { ...outs, live: live(await readBack(client, inputs, false)), pending: next };
    }
    await keepingCode(outs, there, () => giveBack(client, inputs, signed, there, waiting));
  }
  return { ...outs, live: live(await readBack(client, inputs, true)) };
}

/** A code that was generated on the way to an error is kept in the state: DPS shows it only once. */
async function keepingCode(
  inputs: CaCertificateInputs,
  there: LiveCaCertificate,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof StaleProof)) throw error;
    const { pending } = error;
    const properties = { ...inputs, live: { ...live(there), etag: pending.etag }, pending };
    // How a dynamic provider says that the resource is there, but not as it should be.
    throw Object.assign(new Error(error.message), {
      id: inputs.name,
      properties,
      reasons: [error.message],
    });
  }
}

async function readBack(
  client: CaCertificatesClient,
  { name, proof }: CaCertificateInputs,
  verified: boolean,
): Promise<LiveCaCertificate> {
  const found = await client.get(name);
  if (found === undefined || found.isVerified !== verified) {
    const is = found === undefined ? "gone" : found.isVerified ? "verified" : "not verified";
    throw faultError(
      "DPS-CERT-174",
      proofPath(name),
      `a CA certificate that is ${is} in DPS after it was written, and should be ${verified ? "verified" : "not verified until its proof is there"}`,
      proof === undefined
        ? "declare a proof of possession"
        : "find out who writes to this DPS, and run `pulumi up` again",
    );
  }
  return found;
}

function upload(
  client: CaCertificatesClient,
  { name, pem, proof }: CaCertificateInputs,
  etag: string | undefined,
): Promise<LiveCaCertificate> {
  return client.upload(name, pem, {
    ...(etag !== undefined && { ifMatch: etag }),
    selfAttested: proof !== undefined && "selfAttested" in proof,
  });
}
