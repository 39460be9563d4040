/** The place where devices get their certificates, and a CA outside the stack. */
import { X509Certificate } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issue as issueCertificate } from "../sandbox/common/issue";

/** PEM of a certificate and of its private key. */
export interface Pair {
  certificate: string;
  privateKey: string;
}

/** What a device has: its leaf with the intermediates above it, and the leaf's key, all PEM. */
export interface Identity {
  chain: string;
  key: string;
  /** SHA-256 of the leaf, upper-case hex. */
  thumbprint: string;
  /** Last moment of the leaf, ISO 8601. */
  expires: string;
}

/** An identity from PEM: a leaf, its key, and the intermediates above it, lowest first. */
export function identityOf(leaf: Pair, intermediates: string[] = []): Identity {
  const certificate = new X509Certificate(leaf.certificate);
  return {
    chain: [leaf.certificate, ...intermediates].map((pem) => `${pem.trimEnd()}\n`).join(""),
    key: leaf.privateKey,
    thumbprint: certificate.fingerprint256.replaceAll(":", ""),
    expires: new Date(certificate.validTo).toISOString(),
  };
}

/** A new leaf, with a key of its own. */
export async function issueLeaf(
  commonName: string,
  issuer: Pair,
  { days, intermediates = [] }: { days: number; intermediates?: string[] },
): Promise<Identity> {
  return identityOf(await issue(commonName, issuer, days), intermediates);
}

/** A new CA below another one. */
export async function issueIntermediate(
  commonName: string,
  issuer: Pair,
  { days }: { days: number },
): Promise<Pair> {
  return issue(commonName, issuer, days, true);
}

/** A new root, or with `ca` false a self-signed leaf. */
export async function issueSelfSigned(
  commonName: string,
  { days, ca }: { days: number; ca: boolean },
): Promise<Pair> {
  return issue(commonName, undefined, days, ca);
}

/** Files of devices, each device in a folder of its own. */
export class DeviceFiles {
  constructor(private readonly folder: string) {}

  chainFile(device: string): string {
    return join(this.folder, device, "chain.pem");
  }

  keyFile(device: string): string {
    return join(this.folder, device, "key.pem");
  }

  /** Hands over a certificate. Each file is the old or the new one, never half of one. */
  deliver(device: string, { chain, key }: Identity): void {
    mkdirSync(join(this.folder, device), { recursive: true, mode: 0o700 });
    replace(this.keyFile(device), key);
    replace(this.chainFile(device), chain);
  }
}

/** Writes a file that only its owner may read, whole. */
export function replace(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Keys are EC P-256, as those of the stack. */
async function issue(
  commonName: string,
  issuer: Pair | undefined,
  days: number,
  ca = false,
): Promise<Pair> {
  const { certificate, privateKey } = await issueCertificate({
    kind: ca ? (issuer === undefined ? "root" : "intermediate") : "leaf",
    commonName,
    ...(issuer !== undefined && { issuer: { ...issuer, intermediates: [] } }),
    days,
    key: "ecdsa-p256",
    now: new Date(),
  });
  return { certificate, privateKey };
}
