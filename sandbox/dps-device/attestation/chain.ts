/** Chain building from what a device presented to the CA certificates of one service. RFC 5280 6. */
import type { Switches } from "../../common/switches";
import { issued, NAME_CONSTRAINTS, same, type ChainCertificate } from "./certificate";

/** A CA certificate of the service, or a signing certificate in a slot. */
export interface Anchor {
  certificate: ChainCertificate;
  /** Possession of its key was proved to this service. */
  verified: boolean;
}

/** Leaf first, up to and including a verified CA certificate. */
export type Path = ChainCertificate[];

export interface ChainSearch {
  presented: ChainCertificate[];
  anchors: Anchor[];
  /** Certificates that were not presented but may link a chain; usually none. */
  supplements: ChainCertificate[];
  switches: Switches;
  /** The sandbox's time. */
  now: Date;
}

export interface ChainFindings {
  /** All paths that hold, the ones with the fewest certificates first. */
  paths: Path[];
  /** Why paths were given up, in words, for the request log. */
  faults: string[];
  /** A path ended at a CA certificate that was uploaded but is not verified. */
  reachedUnverified: boolean;
}

/** Longer chains are refused; OpenSSL's default is 100, real ones have three or four. */
const MAX_CERTIFICATES = 12;
/**
 * Beginnings of paths that are looked at. A client may present any number of CA certificates with one key
 * and one name, and the ways through them have no end.
 */
const MAX_BEGINNINGS = 1000;

/** Builds every path from the leaf to a verified CA certificate and judges each of them. */
export function buildPaths(search: ChainSearch): ChainFindings {
  const findings: ChainFindings = { paths: [], faults: [], reachedUnverified: false };
  const leaf = search.presented[0];
  if (leaf !== undefined) {
    extend([leaf], search, findings, { beginnings: MAX_BEGINNINGS });
  }
  findings.paths.sort((a, b) => a.length - b.length);
  return findings;
}

function extend(
  path: Path,
  search: ChainSearch,
  findings: ChainFindings,
  left: { beginnings: number },
): void {
  if (left.beginnings-- === 0) {
    findings.faults.push(`there are more than ${MAX_BEGINNINGS} ways through the certificates`);
  }
  if (left.beginnings < 0) return;
  const last = path[path.length - 1]!;
  const anchor = search.anchors.filter(({ certificate }) => same(certificate, last));
  if (path.length > 1 && anchor.some(({ verified }) => verified)) {
    const fault = pathFault(path, search);
    if (fault === undefined) {
      findings.paths.push(path);
    } else {
      findings.faults.push(fault);
    }
  } else if (path.length > 1 && anchor.length > 0) {
    findings.reachedUnverified = true;
  }
  if (path.length >= MAX_CERTIFICATES) {
    findings.faults.push(`the chain has more than ${MAX_CERTIFICATES} certificates`);
    return;
  }
  const next = candidates(search).filter(
    (candidate) => !path.some((used) => same(used, candidate)) && issued(candidate, last),
  );
  if (next.length === 0 && anchor.length === 0) {
    findings.faults.push(`no issuer of "${oneLine(last)}" was presented or is a CA certificate`);
  }
  for (const candidate of next) {
    extend([...path, candidate], search, findings, left);
  }
}

function candidates({ presented, anchors, supplements, switches }: ChainSearch) {
  const stored = switches.verifiedCaEndsChain ? anchors.map((a) => a.certificate) : [];
  const all = [...presented.slice(1), ...supplements, ...stored];
  return all.filter((one, at) => all.findIndex((other) => same(one, other)) === at);
}

/** The first rule that a path breaks; undefined when it holds. */
function pathFault(path: Path, rules: Rules): string | undefined {
  let authoritiesBelow = 0;
  for (const [at, certificate] of path.entries()) {
    const isAnchor = at === path.length - 1;
    const fault = commonFault(certificate, rules, isAnchor) ?? authorityFault(path, at);
    if (fault !== undefined) {
      return `"${oneLine(certificate)}" ${fault}`;
    }
    if (at > 0) {
      if (certificate.pathLength !== undefined && authoritiesBelow > certificate.pathLength) {
        return `"${oneLine(certificate)}" allows ${certificate.pathLength} authorities below it; the chain has ${authoritiesBelow}`;
      }
      // RFC 5280 4.2.1.9: self-issued certificates do not count.
      authoritiesBelow += certificate.selfIssued ? 0 : 1;
    }
  }
  return undefined;
}

/** What a certificate is judged by. */
export type Rules = Pick<ChainSearch, "now" | "switches">;

/** Rules for every certificate, also for a leaf that is compared and not chained. */
export function commonFault(
  certificate: ChainCertificate,
  { now, switches }: Rules,
  isAnchor = false,
): string | undefined {
  if (!isAnchor || switches.verifiedCaDates === "judged") {
    if (now < certificate.notBefore) {
      return `is not valid before ${certificate.notBefore.toISOString()}`;
    }
    if (now > certificate.notAfter) {
      return `expired at ${certificate.notAfter.toISOString()}`;
    }
  }
  // An anchor is trusted as it is: neither its purposes nor its own signature say anything.
  if (!isAnchor && switches.extendedKeyUsage === "judged" && !certificate.mayAuthenticateClients) {
    return "is not for client authentication (extended key usage)";
  }
  if (!isAnchor && switches.weakSignatures === "refused" && certificate.weaklySigned) {
    return "is signed with MD5 or SHA-1";
  }
  const unknown = certificate.unknownCritical.filter(
    (type) => type !== NAME_CONSTRAINTS || switches.criticalNameConstraints === "refused",
  );
  return unknown.length > 0
    ? `has a critical extension that is not understood: ${unknown.join(", ")}`
    : undefined;
}

function authorityFault(path: Path, at: number): string | undefined {
  const certificate = path[at]!;
  if (at === 0) {
    return undefined;
  }
  if (!certificate.isCa) {
    return "is not a CA certificate";
  }
  return certificate.maySign ? undefined : "may not sign certificates (key usage)";
}

function oneLine({ x509 }: ChainCertificate): string {
  return x509.subject.replaceAll("\n", ", ");
}
