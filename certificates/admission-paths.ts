/** Chains from a leaf to the verified CA certificates of a service, and whether they hold (RFC 5280 section 6.1). */
import type { AdmissionOptions, Assumptions, PresentingDevice, ServiceHoldings } from "./admission";
import { issues } from "./chain";
import { type ChainCertificate, NAME_CONSTRAINTS } from "./chain-certificate";
import { type CertificateSummary, describe } from "./summary";
import { listed } from "./text";

/** SHA-256 of the certificates above a leaf, up to a verified CA certificate. */
export type Path = readonly string[];

interface PathFault {
  /** `missing`: nobody is known who issued a certificate; `broken`: a chain is there and does not hold. */
  kind: "missing" | "broken";
  words: string;
}

export type PathsFound =
  { known: true; paths: Path[]; faults: PathFault[] } | { known: false; why: string };

/** not known: how long a chain may be; real ones have three or four certificates. */
const LONGEST = 12;

export class AdmissionPaths {
  private readonly cas = new Map<string, boolean>();
  private readonly slots: string[];
  private readonly issuers = new Map<string, ChainCertificate[]>();
  private readonly aboveIssuer = new Map<string, PathsFound>();

  constructor(
    { cas, groups }: ServiceHoldings,
    private readonly options: AdmissionOptions,
    private readonly assumptions: Assumptions,
  ) {
    for (const { id, verified } of cas) {
      this.cas.set(id, verified || this.cas.get(id) === true);
    }
    this.slots = groups.flatMap(({ certificates }) => certificates);
  }

  of(device: PresentingDevice, leaf: ChainCertificate | undefined): PathsFound {
    if (leaf !== undefined) return this.search(leaf, undefined, device.above);
    const { issuer } = device;
    if (issuer === undefined) return { known: false, why: "who issued its leaf is not known" };
    // Many devices have one issuer, and of these leaves nothing is known that would tell them apart.
    const key = [issuer, ...device.above].join(" ");
    const before = this.aboveIssuer.get(key);
    if (before !== undefined) return before;
    const found = this.search(undefined, issuer, device.above);
    this.aboveIssuer.set(key, found);
    return found;
  }

  private search(
    leaf: ChainCertificate | undefined,
    issuer: string | undefined,
    presented: readonly string[],
  ): PathsFound {
    const { certificates } = this.options;
    const stored = this.assumptions.verifiedCaEndsChain ? [...this.cas.keys()] : [];
    const completing = this.assumptions.slotCompletesChain ? this.slots : [];
    const ids = [...new Set([...presented, ...stored, ...completing])];
    const candidates = ids.flatMap((id) => certificates.get(id) ?? []);
    const notKnown = ids.filter((id) => !certificates.has(id));
    const found = { known: true as const, paths: [] as Path[], faults: [] as PathFault[] };
    const first = issuer === undefined ? undefined : certificates.get(issuer);
    if (issuer !== undefined && first === undefined) {
      return {
        known: false,
        why: `the certificate ${issuer.slice(0, 8)}… above its leaf is not known`,
      };
    }
    // A renewal or a cross-signed twin of the issuer has issued it as well.
    const starts =
      leaf !== undefined
        ? [leaf]
        : candidates.filter(({ summary }) => isTwin(summary, first?.summary));
    let mayBeOther =
      first !== undefined && notKnown.some((id) => this.mayBe(id, first.summary.subjectCommonName));
    if (starts.length === 0) found.faults.push(missingAbove(undefined));
    const below = leaf === undefined ? 1 : 0;
    const open = starts.map((start) => [start]);
    for (let chain = open.pop(); chain !== undefined; chain = open.pop()) {
      const last = chain.at(-1)!;
      const isAbove = chain.length + below > 1;
      const isCa = isAbove && this.cas.has(last.id);
      if (isCa && this.cas.get(last.id) === true) {
        const fault = this.fault(chain, leaf);
        if (fault === undefined)
          found.paths.push(chain.slice(leaf === undefined ? 0 : 1).map(({ id }) => id));
        else found.faults.push({ kind: "broken", words: fault });
      } else if (isCa) {
        found.faults.push({
          kind: "missing",
          words: `${describe(last.summary)} is a CA that is not verified`,
        });
      }
      if (chain.length + below >= LONGEST) {
        found.faults.push({
          kind: "broken",
          words: `its chain has more than ${LONGEST} certificates`,
        });
        continue;
      }
      const next = this.issuersAmong(last, candidates).filter(
        (one) => !chain.some(({ id }) => id === one.id),
      );
      if (next.length === 0 && !this.cas.has(last.id)) found.faults.push(missingAbove(last));
      mayBeOther ||= notKnown.some((id) => this.mayHaveIssued(id, last));
      next.forEach((one) => open.push([...chain, one]));
    }
    // What is not known may make another chain, by way of another group.
    return mayBeOther
      ? {
          known: false,
          why: `not known in full: ${listed(notKnown.map((id) => `${id.slice(0, 8)}…`))}`,
        }
      : found;
  }

  private mayHaveIssued(id: string, { summary }: ChainCertificate): boolean {
    return !summary.selfSigned && this.mayBe(id, summary.issuerCommonName);
  }

  /** Whether a certificate whose bytes are not known may have this common name. */
  private mayBe(id: string, commonName: string): boolean {
    const name = this.options.commonNames?.get(id);
    return name === undefined || name === commonName;
  }

  private issuersAmong(
    subject: ChainCertificate,
    candidates: ChainCertificate[],
  ): ChainCertificate[] {
    const key = `${subject.id} ${candidates.map(({ id }) => id).join(" ")}`;
    const before = this.issuers.get(key);
    if (before !== undefined) return before;
    const found = candidates.filter((one) => one.id !== subject.id && issues(one.pem, subject.pem));
    this.issuers.set(key, found);
    return found;
  }

  /** What breaks a chain, from the leaf (if its bytes are known) to a verified CA certificate. */
  private fault(chain: ChainCertificate[], leaf: ChainCertificate | undefined): string | undefined {
    let below = 0;
    for (const one of chain) {
      const isEnd = one === chain.at(-1);
      const fault =
        linkFault(one, this.options.now, this.assumptions, isEnd) ??
        (one === leaf ? undefined : authorityFault(one, below));
      if (fault !== undefined) return `${describe(one.summary)} ${fault}`;
      // RFC 5280 section 4.2.1.9: certificates with subject and issuer of one name do not count.
      if (one !== leaf && !one.selfIssued) below += 1;
    }
    return undefined;
  }
}

function isTwin(one: CertificateSummary, other: CertificateSummary | undefined): boolean {
  return one.publicKeySha256 === other?.publicKeySha256 && one.subject === other.subject;
}

function missingAbove(last: ChainCertificate | undefined): PathFault {
  const words = last === undefined ? "its leaf" : describe(last.summary);
  return {
    kind: "missing",
    words: `who issued ${words} is no CA of the service and is not presented`,
  };
}

function authorityFault(one: ChainCertificate, below: number): string | undefined {
  if (!one.summary.isCa) return "is no CA certificate";
  if (!one.maySign) return "may not sign certificates (key usage)";
  return one.pathLength !== undefined && below > one.pathLength
    ? `allows ${one.pathLength} CA certificates below it, and ${below} are there`
    : undefined;
}

/** What is wrong with a certificate wherever it stands; `isEnd`: it is the verified CA certificate. */
export function linkFault(
  { forClients, notUnderstood, summary, weaklySigned }: ChainCertificate,
  now: Date,
  assumptions: Assumptions,
  isEnd = false,
): string | undefined {
  if (!isEnd || assumptions.verifiedCaDates === "judged") {
    if (now < new Date(summary.notBefore)) return `is not valid before ${summary.notBefore}`;
    if (now > new Date(summary.notAfter)) return `is expired since ${summary.notAfter}`;
  }
  if (!isEnd && assumptions.extendedKeyUsage === "judged" && !forClients) {
    return "is not for client authentication (extended key usage)";
  }
  if (!isEnd && assumptions.weakSignatures === "refused" && weaklySigned) {
    return "is signed over SHA-1 or MD5";
  }
  const unknown = notUnderstood.filter(
    (oid) => oid !== NAME_CONSTRAINTS || assumptions.criticalNameConstraints === "refused",
  );
  return unknown.length > 0
    ? `has critical extensions that are not understood (${unknown.join(", ")})`
    : undefined;
}
