/** Certificates by which what DPS shows can be recognised. */
import type { KnownCertificate } from "../certificates/declared";
import { summarize } from "../certificates/summary";
import { uploadedCertificate } from "../certificates/uploaded";
import type { LiveCaCertificate } from "../clients/ca-certificates";

export class Library {
  private readonly byThumbprint = new Map<string, KnownCertificate>();

  /** @param pems of certificates that are known from elsewhere */
  constructor(pems: readonly string[], caCertificates: readonly LiveCaCertificate[]) {
    pems.forEach((pem) => this.add({ known: true, pem, summary: summarize(pem) }));
    for (const { certificate } of caCertificates) {
      const known = certificate === undefined ? undefined : uploadedCertificate(certificate);
      if (known !== undefined) this.add(known);
    }
  }

  /** By SHA-1 or SHA-256, of either case. */
  find(thumbprint: string): KnownCertificate | undefined {
    return this.byThumbprint.get(thumbprint.toUpperCase());
  }

  get all(): KnownCertificate[] {
    return [...new Set(this.byThumbprint.values())];
  }

  private add(known: KnownCertificate): void {
    const { summary } = known;
    if (this.byThumbprint.has(summary.sha256Thumbprint)) return;
    this.byThumbprint.set(summary.sha256Thumbprint, known);
    this.byThumbprint.set(summary.sha1Thumbprint, known);
  }
}
