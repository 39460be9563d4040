/**
 * Which enrollment admits a device, from what it presented. Pure: no store, no clock, no socket.
 * Source unless said otherwise: learn.microsoft.com/azure/iot-dps/concepts-x509-attestation.
 */
import type { Switches } from "../../common/switches";
import { readable, readCertificate, same, type ChainCertificate } from "./certificate";
import { buildPaths, commonFault, type Anchor, type ChainFindings, type Path } from "./chain";

/** An individual enrollment, as far as attestation is concerned. */
export interface IndividualView {
  registrationId: string;
  enabled: boolean;
  /** DER of the certificates in the slots. */
  certificates: Buffer[];
}

/** An enrollment group, as far as attestation is concerned. */
export interface GroupView {
  id: string;
  enabled: boolean;
  /** DER of the signing certificates in the slots, or of the CA certificates referred to. */
  certificates: Buffer[];
}

/** A CA certificate of the service. */
export interface CaView {
  der: Buffer;
  isVerified: boolean;
}

export interface Attempt {
  /** What the device presented, DER, leaf first; the handshake proved that it holds the key. */
  presented: Buffer[];
  /** The registration ID that it asks for. */
  registrationId: string;
  individuals: Iterable<IndividualView>;
  groups: Iterable<GroupView>;
  caCertificates: Iterable<CaView>;
  now: Date;
  switches: Switches;
}

export type Refusal =
  | "no certificate"
  | "unreadable certificate"
  | "common name"
  | "individual disabled"
  | "individual unmatched"
  | "individual invalid"
  | "individual with chain"
  | "no CA"
  | "unverified CA"
  | "chain invalid"
  | "no enrollment"
  | "group disabled";

export type Verdict =
  | { admitted: true; by: { kind: "individual" | "group"; id: string }; thumbprint: string }
  | {
      admitted: false;
      refusal: Refusal;
      /** As the service words it; see `MESSAGES`. */
      message: string;
      /** Why, for the request log. */
      detail: string;
    };

/**
 * Error 401002's texts. Seen: "CA certificate not found." (azure-iot-sdk-c#1900, -java#203),
 * "Invalid certificate" (azure-iot-sdk-python#177, -node#547), "Unauthorized" for a disabled or
 * removed group (AZ-220 lab). not known: a disabled individual enrollment, an expired leaf and a
 * wrong common name; their texts are assumed by likeness.
 */
const MESSAGES: Record<Refusal, string> = {
  "no certificate": "Unauthorized",
  "unreadable certificate": "Invalid certificate",
  "common name": "Invalid certificate",
  "individual disabled": "Unauthorized",
  "individual unmatched": "Invalid certificate",
  "individual invalid": "Invalid certificate",
  "individual with chain": "Invalid certificate",
  "no CA": "CA certificate not found.",
  "unverified CA": "CA certificate not found.",
  "chain invalid": "Invalid certificate",
  "no enrollment": "Unauthorized",
  "group disabled": "Unauthorized",
};

/** Judges one attempt to register: the individual enrollment first, then the groups up the chain. */
export function judge(attempt: Attempt): Verdict {
  if (attempt.presented.length === 0) {
    return refuse("no certificate", "no client certificate was presented");
  }
  let presented: ChainCertificate[];
  try {
    presented = attempt.presented.map(readCertificate);
  } catch (error) {
    return refuse("unreadable certificate", String(error));
  }
  return (
    commonNameFault(presented[0]!, attempt) ??
    byIndividual(presented, attempt) ??
    byGroup(presented, attempt)
  );
}

function refuse(refusal: Refusal, detail: string): Verdict {
  return { admitted: false, refusal, message: MESSAGES[refusal], detail };
}

/** The common name is the registration ID; IDs do not differ by case. */
function commonNameFault(leaf: ChainCertificate, attempt: Attempt): Verdict | undefined {
  const names = leaf.commonNames;
  // not known, assumed: a subject with several common names is refused.
  if (names.length === 1 && equalIds(names[0]!, attempt.registrationId)) {
    return undefined;
  }
  const found = names.length === 0 ? "none" : names.map((name) => `"${name}"`).join(", ");
  return refuse("common name", `common name is ${found}, not "${attempt.registrationId}"`);
}

/** Undefined: no individual enrollment has a say. */
function byIndividual(presented: ChainCertificate[], attempt: Attempt): Verdict | undefined {
  const leaf = presented[0]!;
  const holdsLeaf = (one: IndividualView) => one.certificates.some((der) => der.equals(leaf.der));
  const all = [...attempt.individuals];
  if (attempt.switches.disabledIndividualDenies === "certificate") {
    if (all.some((one) => !one.enabled && holdsLeaf(one))) {
      return refuse("individual disabled", "a disabled individual enrollment has this certificate");
    }
  }
  const own = all.find((one) => equalIds(one.registrationId, attempt.registrationId));
  if (own === undefined) {
    return undefined;
  }
  if (!own.enabled) {
    return attempt.switches.disabledIndividualDenies === "certificate"
      ? undefined
      : refuse("individual disabled", `the individual enrollment is disabled`);
  }
  if (!holdsLeaf(own)) {
    return refuse("individual unmatched", "the leaf is in neither slot of the enrollment");
  }
  if (presented.length > 1 && attempt.switches.individualWithChain === "refused") {
    return refuse("individual with chain", "an individual enrollment wants the leaf alone");
  }
  const fault = commonFault(leaf, attempt);
  if (fault !== undefined) {
    return refuse("individual invalid", `the leaf ${fault}`);
  }
  return admit(leaf, "individual", own.registrationId);
}

function byGroup(presented: ChainCertificate[], attempt: Attempt): Verdict {
  const groups = [...attempt.groups].sort((a, b) => (a.id < b.id ? -1 : 1));
  const findings = buildPaths({
    presented,
    anchors: readAnchors(attempt.caCertificates),
    supplements: attempt.switches.slotCompletesChain ? readSlots(groups) : [],
    now: attempt.now,
    switches: attempt.switches,
  });
  if (findings.paths.length === 0) {
    return chainRefusal(findings);
  }
  for (const path of findings.paths) {
    const verdict = alongPath(path, groups, attempt.switches);
    if (verdict !== undefined) {
      return verdict;
    }
  }
  return refuse("no enrollment", "no enrollment has a certificate of the chain");
}

/** From the first intermediate up to the root. */
function alongPath(
  path: Path,
  groups: GroupView[],
  { disabledGroupDenies, groupsWithOneCertificate }: Switches,
): Verdict | undefined {
  const decides = (level: GroupView[]): GroupView | undefined =>
    level.find(({ enabled }) => enabled === (groupsWithOneCertificate === "enabled")) ?? level[0];
  const hits = path
    .slice(1)
    .map((one) => groups.filter((group) => group.certificates.some((der) => der.equals(one.der))))
    .flatMap((level) => decides(level) ?? []);
  const deciding = disabledGroupDenies === "anywhere" ? hits : hits.slice(0, 1);
  const disabled = deciding.find(({ enabled }) => !enabled);
  if (disabled !== undefined) {
    return refuse("group disabled", `the enrollment group "${disabled.id}" is disabled`);
  }
  const [group] = hits;
  return group === undefined ? undefined : admit(path[0]!, "group", group.id);
}

function chainRefusal({ faults, reachedUnverified }: ChainFindings): Verdict {
  const detail = [...new Set(faults)].join("; ");
  if (reachedUnverified) {
    return refuse("unverified CA", detail || "the chain ends at a CA certificate not verified");
  }
  const missing = faults.every((fault) => fault.startsWith("no issuer of "));
  return refuse(missing ? "no CA" : "chain invalid", detail);
}

function admit(leaf: ChainCertificate, kind: "individual" | "group", id: string): Verdict {
  return { admitted: true, by: { kind, id }, thumbprint: leaf.thumbprint };
}

function readAnchors(certificates: Iterable<CaView>): Anchor[] {
  return [...certificates].flatMap(({ der, isVerified }) =>
    readable(der).map((certificate) => ({ certificate, verified: isVerified })),
  );
}

function readSlots(groups: GroupView[]): ChainCertificate[] {
  const all = groups.flatMap(({ certificates }) => certificates.flatMap(readable));
  return all.filter((one, at) => all.findIndex((other) => same(one, other)) === at);
}

function equalIds(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
