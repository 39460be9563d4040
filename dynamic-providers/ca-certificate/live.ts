/** What is declared of a CA certificate, and what of it is live in DPS. */
import type { LiveCaCertificate } from "../../clients/ca-certificates";
import type { Connection } from "../../clients/target";
import type { CompromisedKey } from "../../certificates/compromised-keys";
import type { CertificateSummary } from "../../certificates/summary";
import type { PendingProof } from "./offline";
import type { Proof } from "./proof";

export interface CaCertificateInputs {
  connection: Connection;
  /** Name of the certificate in DPS; groups refer to it by this name. */
  name: string;
  pem: string;
  certificate: CertificateSummary;
  /** Absent: it is adopted and verified already. */
  proof?: Proof;
  /** It is in DPS already and is taken over. Default: false. */
  adopt?: boolean;
  /** It stays in DPS when it is declared no more. Default: what `adopt` says. */
  retain?: boolean;
  /** Why it is brought back after somebody deleted or unverified it; acts once. */
  reenable?: string;
  /** All compromised keys of the stack; `check` keeps this certificate's own. */
  compromised?: CompromisedKey[];
}

export interface CaCertificateOutputs extends CaCertificateInputs {
  live: {
    /** SHA-1, upper-case hex: what ARM shows of a certificate's identity. */
    sha1Thumbprint: string;
    subject: string;
    /** ISO 8601; absent when ARM shows none. */
    notAfter?: string;
    isVerified: boolean;
    etag: string;
    /** Somebody deleted it; the rest is what was last seen. */
    deleted?: true;
  };
  /** DPS was told that it is verified, and nobody has proved it since. */
  attested?: true;
  /** The proof is not there yet. */
  pending?: PendingProof;
  /** The last `reenable` that was carried out. */
  reenabled?: string;
}

/** The state with what is live now. */
export function seen(
  props: CaCertificateOutputs,
  found: LiveCaCertificate | undefined,
): CaCertificateOutputs {
  return {
    ...props,
    live: found === undefined ? { ...props.live, isVerified: false, deleted: true } : live(found),
  };
}

export function live({
  thumbprint,
  subject,
  expiry,
  isVerified,
  etag,
}: LiveCaCertificate): CaCertificateOutputs["live"] {
  return {
    sha1Thumbprint: thumbprint,
    subject,
    ...(expiry !== undefined && { notAfter: expiry }),
    isVerified,
    etag,
  };
}

/** What is remembered of `reenable`: the reason acts once, also when there was nothing to bring back. */
export function reenabledBy(
  { reenable }: CaCertificateInputs,
  reenabled: string | undefined,
): { reenabled?: string } {
  const last = reenable ?? reenabled;
  return last === undefined ? {} : { reenabled: last };
}
