/** The device's certificate chain and key on disk, and when they are replaced. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";

/** A chain with the private key of its leaf. */
export interface CertificatePair {
  /** PEM: the leaf, then the intermediates that lead to the CA; the root may be left out. */
  chain: string;
  /** PEM. */
  key: string;
  /** Common name of the leaf. */
  commonName: string;
  /** SHA-256 of the leaf, upper-case hex. */
  thumbprint: string;
  /** Last moment of the leaf's life, ISO 8601. */
  expires: string;
  /** Who issued the leaf, when the chain says so; undefined when it holds the leaf alone. */
  issuer: { thumbprint: string; expires: string } | undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * Reads both files. Undefined when they do not make a pair: whoever replaces them replaces one
 * after the other, so a chain and a key that do not fit are a moment in between. Throws when a file
 * cannot be read.
 */
export async function readPair(
  chainFile: string,
  keyFile: string,
): Promise<CertificatePair | undefined> {
  const [chain, key] = await Promise.all([readFile(chainFile, "utf8"), readFile(keyFile, "utf8")]);
  let leaf: X509Certificate;
  let others: X509Certificate[];
  try {
    leaf = new X509Certificate(chain);
    if (!leaf.checkPrivateKey(createPrivateKey(key))) {
      return undefined;
    }
    others = (chain.match(CERTIFICATE) ?? []).slice(1).map((pem) => new X509Certificate(pem));
  } catch {
    return undefined;
  }
  const issuer = others.find((other) => leaf.checkIssued(other) && leaf.verify(other.publicKey));
  const { CN } = leaf.toLegacyObject().subject as unknown as { CN?: string };
  return {
    chain,
    key,
    commonName: CN ?? "",
    ...evidence(leaf),
    issuer: issuer && evidence(issuer),
  };
}

function evidence({ fingerprint256, validTo }: X509Certificate) {
  return {
    thumbprint: fingerprint256.replaceAll(":", ""),
    expires: new Date(validTo).toISOString(),
  };
}

/** Keeps the newest pair. By content, because a rename or a link replaces a file without a trace. */
export class CertificateFiles {
  private newest: CertificatePair | undefined;

  constructor(
    private readonly chainFile: string,
    private readonly keyFile: string,
  ) {}

  /** Looks again. Throws only when there never was a pair. */
  async latest(): Promise<CertificatePair> {
    let failure: unknown;
    try {
      this.newest = (await readPair(this.chainFile, this.keyFile)) ?? this.newest;
    } catch (error) {
      failure = error;
    }
    if (this.newest === undefined) {
      throw new Error(`${this.chainFile} and ${this.keyFile} are not a certificate and its key`, {
        cause: failure,
      });
    }
    return this.newest;
  }
}
