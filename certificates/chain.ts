/** Who issued whom, judged by real signatures. */
import { X509Certificate } from "node:crypto";
import { verifiedBy } from "./summary";

/** Longest chain that is followed; also ends loops of cross-signed certificates. */
const LONGEST_CHAIN = 10;

/**
 * Whether `issuer` issued `subject`: names and key identifiers fit, the issuer is a CA and may sign
 * certificates (RFC 5280 sections 4.2.1.3 and 6.1.3), and its key made the signature. Both PEM.
 */
export function issues(issuer: string, subject: string): boolean {
  return remembered(issuances, issuer, subject, () => {
    const above = new X509Certificate(issuer);
    const below = new X509Certificate(subject);
    return above.ca && below.checkIssued(above) && verifiedBy(below, above.publicKey);
  });
}

/**
 * Whether the key of `issuer` made the signature of `subject`, whatever the names say: what a thief
 * of that key can do. A self-signed certificate is signed by its own key.
 */
export function signedWithKeyOf(issuer: string, subject: string | Buffer): boolean {
  const find = (): boolean =>
    verifiedBy(new X509Certificate(subject), new X509Certificate(issuer).publicKey);
  return typeof subject === "string" ? remembered(signatures, issuer, subject, find) : find();
}

/** Answers by issuer and subject: many rules ask the same, and a signature takes its time. */
type Answers = Map<string, Map<string, boolean>>;
const signatures: Answers = new Map();
const issuances: Answers = new Map();
/** With more issuers than that the answers are forgotten and found again. */
const MOST_ISSUERS = 1000;

function remembered(
  answers: Answers,
  issuer: string,
  subject: string,
  find: () => boolean,
): boolean {
  if (answers.size > MOST_ISSUERS) answers.clear();
  const ofIssuer = answers.get(issuer) ?? new Map<string, boolean>();
  answers.set(issuer, ofIssuer);
  const answer = ofIssuer.get(subject) ?? find();
  ofIssuer.set(subject, answer);
  return answer;
}

/**
 * The chain from a certificate to one of the anchors, both ends included, by way of any of the
 * candidates; the shortest when there are several; undefined when there is none. A certificate that
 * is itself an anchor is a chain of one. All PEM; compared by their bytes.
 */
export function chainTo(
  certificate: string,
  anchors: readonly string[],
  candidates: readonly string[] = [],
): string[] | undefined {
  const anchorIds = new Set(anchors.map(fingerprint));
  const all = new Map([...anchors, ...candidates].map((pem) => [fingerprint(pem), pem]));
  const seen = new Set([fingerprint(certificate)]);
  let chains = [[certificate]];
  for (let length = 1; length <= LONGEST_CHAIN && chains.length > 0; length += 1) {
    const found = chains.find((chain) => anchorIds.has(fingerprint(chain.at(-1) ?? "")));
    if (found !== undefined) return found;
    const longer: string[][] = [];
    for (const chain of chains) {
      for (const [id, issuer] of all) {
        if (seen.has(id) || !issues(issuer, chain.at(-1) ?? "")) continue;
        seen.add(id);
        longer.push([...chain, issuer]);
      }
    }
    chains = longer;
  }
  return undefined;
}

function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}
