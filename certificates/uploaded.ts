/** What the resource manager shows of an uploaded CA certificate. */
import { X509Certificate } from "node:crypto";
import type { KnownCertificate } from "./declared";
import { summarize } from "./summary";

/**
 * The certificate in a `certificate` property: PEM or DER in base64. Undefined when it is neither; then only
 * its thumbprint is known.
 */
export function uploadedCertificate(base64: string): KnownCertificate | undefined {
  try {
    const pem = new X509Certificate(Buffer.from(base64, "base64")).toString();
    return { known: true, pem, summary: summarize(pem) };
  } catch {
    return undefined;
  }
}
