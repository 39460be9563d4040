/** What is live of a CA certificate, against what is declared: who has to do something about it. */
import { isDeepStrictEqual } from "node:util";
import { fault, type Fault } from "../../certificates/faults";
import { describe } from "../../certificates/summary";
import { otherCode } from "./offline";
import { proofPath, waits } from "./proof";
import type { CaCertificateInputs, CaCertificateOutputs } from "./live";

/**
 * - `settled`: live is what is declared, or waits for its proof as declared.
 * - `owed`: `up` has something to do.
 * - `left`: somebody took trust away by hand, and it stays so.
 */
export interface Standing {
  is: "settled" | "owed" | "left";
  /** What is said about it; undefined when it needs no words. */
  words?: Fault;
}

/** Judges by what was last seen of the live certificate, which is in `olds`. */
export function standing(olds: CaCertificateOutputs, news: CaCertificateInputs): Standing {
  const { live, pending } = olds;
  // Another certificate is declared: whatever is live, this is the stack's own work.
  if (olds.certificate.sha1Thumbprint !== news.certificate.sha1Thumbprint) return { is: "owed" };
  const again = news.reenable !== undefined && news.reenable !== olds.reenabled;
  if (live.deleted === true) {
    return again ? { is: "owed" } : left(news, "deleted from DPS by somebody");
  }
  if (live.sha1Thumbprint !== news.certificate.sha1Thumbprint) {
    return tooMuch(
      news,
      `another certificate under its name in DPS: ${live.subject}, SHA-1 ${live.sha1Thumbprint}`,
      "find out who did it; `up` puts the declared certificate back",
    );
  }
  if (live.isVerified) {
    if (pending === undefined) return { is: "settled", ...unproved(olds, news) };
    if (!waits(news.proof)) return { is: "owed" };
    return tooMuch(
      news,
      "verified in DPS by somebody, while this stack waits for its proof",
      "if that is right, give the proof as it was given (offline.signedFile, or selfAttested); otherwise `up` makes it wait again",
    );
  }
  if (pending !== undefined) {
    const words =
      news.proof && "offline" in news.proof && news.proof.offline.signed !== undefined
        ? otherCode(news, news.proof.offline.signed, pending)
        : undefined;
    return { is: waits(news.proof) ? "settled" : "owed", ...(words && { words }) };
  }
  return again ? { is: "owed" } : left(news, "not verified in DPS any more");
}

/** Does the state know what it has to know, beyond the certificate itself? */
export function sameTerms(olds: CaCertificateOutputs, news: CaCertificateInputs): boolean {
  const terms = ({ adopt, retain, compromised = [], certificate }: CaCertificateInputs) => [
    adopt ?? false,
    retain ?? adopt ?? false,
    // While it takes another one's place under this name, the other one's key is told too.
    compromised.filter(({ key }) => key === certificate.publicKeySha256),
  ];
  const acted = news.reenable === undefined || news.reenable === olds.reenabled;
  return acted && isDeepStrictEqual(terms(olds), terms(news));
}

/** A proof that is declared for what DPS was told to believe: DPS asks for none any more. */
function unproved(
  { attested }: CaCertificateOutputs,
  { name, proof, certificate }: CaCertificateInputs,
): Pick<Standing, "words"> {
  if (attested !== true || proof === undefined || "selfAttested" in proof) return {};
  return {
    words: fault(
      "DPS-CERT-053",
      proofPath(name, "proof"),
      `a CA that is still verified on this configuration's word alone: nobody has asked for the proof that is declared now: ${describe(certificate)}`,
      "declare the certificate under another name with this proof, point the groups at that one, and remove this one; or declare selfAttested",
    ),
  };
}

function left(news: CaCertificateInputs, what: string): Standing {
  const path = proofPath(news.name);
  return {
    is: "left",
    words: fault(
      "DPS-CERT-117",
      path,
      `${describe(news.certificate)}, ${what}; it stays so`,
      `if it is wanted back, name ${path} in reenable with a reason; otherwise remove it here`,
    ),
  };
}

function tooMuch({ name, certificate }: CaCertificateInputs, what: string, fix: string): Standing {
  return {
    is: "owed",
    words: fault(
      "DPS-CERT-117",
      proofPath(name),
      `${what}; declared: ${describe(certificate)}`,
      fix,
    ),
  };
}
