/** Certificates by which what DPS shows can be recognised. */
import { X509Certificate } from "node:crypto";
import type { KnownCertificate } from "../certificates/declared";
import { summarize } from "../certificates/summary";
import type { LiveCaCertificate } from "../clients/ca-certificates";

export class Library {
  private readonly byThumbprint = new Map<string, KnownCertificate>();

  /** @param pems of certificates that are known from elsewhere */
  constructor(pems: readonly string[], caCertificates: readonly LiveCaCertificate[]) {
    pems.forEach((pem) => this.add(pem));
    for (const { certificate } of caCertificates) {
      const pem = certificate === undefined ? undefined : pemOf(certificate);
      if (pem !== undefined) this.add(pem);
    }
  }

  /** By SHA-1 or SHA-256, of either case. */
  find(thumbprint: string): KnownCertificate | undefined {
    return this.byThumbprint.get(thumbprint.toUpperCase());
  }

  get all(): KnownCertificate[] {
    return [...new Set(this.byThumbprint.values())];
  }

  private add(pem: string): void {
    const summary = summarize(pem);
    if (this.byThumbprint.has(summary.sha256Thumbprint)) return;
    const known: KnownCertificate = { known: true, pem, summary };
    this.byThumbprint.set(summary.sha256Thumbprint, known);
    this.byThumbprint.set(summary.sha1Thumbprint, known);
  }
}

/* The resource manager shows what was uploaded, base64 of DER or of PEM, or of something else. */
function pemOf(body: string): string | undefined {
  try {
    return new X509Certificate(Buffer.from(body, "base64")).toString();
  } catch {
    // Then only its thumbprint is known.
    return undefined;
  }
}
