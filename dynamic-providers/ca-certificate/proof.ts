/** How possession of a CA's key is proved: where the signature over the verification code comes from. */
import { readFileSync } from "node:fs";
import { faultError, isFault } from "../../certificates/faults";
import { parsePem } from "../../certificates/pem";
import {
  codeOf,
  faultOfProof,
  issueProofOfPossession,
  keySigner,
  requestProofOfPossession,
  type Signer,
} from "../../certificates/proof-of-possession";
import { pathOf } from "../../certificates/text";
import { runSigningCommand } from "./signing-command";

/** How possession of the CA's private key is proved to DPS. */
export type Proof =
  /** The key in a PEM file on the machine that runs `pulumi up`; read then, never stored. */
  | { keyFile: string }
  /** The key itself, of a CA made in the stack (sandbox only); a secret in the state. */
  | { keyPem: string }
  /** A command, as argv, that issues the verification certificate from a request. */
  | { command: string[] }
  /** A command, as argv, that signs the verification certificate. */
  | { signatureCommand: string[] }
  /** In two changes: `signed` is the verification certificate in PEM, absent until it is there. */
  | { offline: { signed?: string } }
  /** None: DPS is told to take the certificate as verified. */
  | { selfAttested: true };

/** Makes the verification certificate for a code. */
export type Prove = (code: string) => Promise<string>;

interface Proved {
  name: string;
  pem: string;
  proof?: Proof;
}

/** Is the proof still to come? */
export function waits(proof: Proof | undefined): boolean {
  return proof !== undefined && "offline" in proof && proof.offline.signed === undefined;
}

/** The path in the configuration of what concerns a CA certificate. */
export function proofPath(name: string, ...below: string[]): string {
  return pathOf("caCertificates", name, ...below);
}

/**
 * What signs a verification code; undefined when nothing does it here (offline, self-attested). A key
 * is tried at once, so that a missing one, or another CA's, is refused before anything is uploaded.
 * Throws coded faults that show no key.
 */
export async function proverOf({ name, pem, proof }: Proved): Promise<Prove | undefined> {
  if (proof === undefined || "offline" in proof || "selfAttested" in proof) return undefined;
  if ("command" in proof) {
    return (code) => issuedBy(proof.command, code, pem, proofPath(name, "proof", "command"));
  }
  if ("signatureCommand" in proof) {
    const path = proofPath(name, "proof", "signatureCommand");
    const signer = commandSigner(proof.signatureCommand);
    return async (code) => {
      try {
        return await issueProofOfPossession(code, pem, signer);
      } catch (error) {
        throw unsigned(path, (error as Error).message);
      }
    };
  }
  const path = proofPath(name, "proof", ...("keyFile" in proof ? ["keyFile"] : []));
  try {
    const keyPem = "keyPem" in proof ? proof.keyPem : readKeyFile(proof.keyFile);
    const signer = keySigner(pem, keyPem);
    const prove: Prove = (code) => issueProofOfPossession(code, pem, signer);
    await prove("trial");
    return prove;
  } catch (error) {
    throw faultError(
      "DPS-CERT-116",
      path,
      (error as Error).message,
      "give the CA's own private key in PEM, not encrypted (a path is relative to the folder of the program), " +
        "or let a command sign: proof: { command: [openssl, x509, -req, -CA, …, -CAkey, …] }. Nothing was uploaded",
    );
  }
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new Error(`the key file ${file}, which cannot be read (${code})`, { cause: error });
  }
}

async function issuedBy(
  argv: string[],
  code: string,
  caPem: string,
  path: string,
): Promise<string> {
  const request = Buffer.from(await requestProofOfPossession(code));
  let printed: Buffer;
  try {
    printed = await runSigningCommand({
      argv,
      input: request,
      texts: { code },
      files: { csr: request },
    });
  } catch (error) {
    throw unsigned(path, (error as Error).message);
  }
  const read = parsePem(printed, path);
  if (isFault(read)) throw unsigned(path, `in what the command printed: ${read.found}`);
  const wrong = faultOfProof(read.certificate, caPem);
  if (wrong !== undefined) throw unsigned(path, wrong);
  const carried = codeOf(read.certificate);
  if (carried !== code) {
    throw unsigned(path, `a certificate whose common name is ${carried}, not the code ${code}`);
  }
  return read.certificate;
}

function commandSigner(argv: string[]): Signer {
  return ({ bytes, digest }) =>
    runSigningCommand({
      argv,
      input: bytes,
      texts: { digest: digest.toString("base64") },
      files: { tbs: bytes, digestFile: digest },
    });
}

function unsigned(path: string, found: string): Error {
  return faultError(
    "DPS-CERT-115",
    path,
    found,
    "mend the command and run `pulumi up` again; until then DPS holds the CA certificate as not verified",
  );
}
