/**
 * The manifest of issued leaves: what a CA's own records say about who issued which leaf. DPS and the
 * hub keep the leaf's thumbprint only, so nothing else tells which CA a group's device came in under.
 */
import { type CompromisedKey, reachedThumbprints } from "./compromised-keys";
import { Breaches, normalThumbprint } from "./compromise";
import type { Declared, KnownCertificate } from "./declared";
import { fault, isFault, type Fault } from "./faults";
import { entriesOf, isAbove, knownCertificates } from "./slots";
import { displayName } from "./text";

/** One row. Thumbprints are upper-case hex without separators. */
export interface IssuedLeaf {
  registrationId: string;
  /** SHA-256 of the leaf, as the IoT hub has it. */
  leafSha256: string;
  /** SHA-1 or SHA-256 of the certificate that issued it. */
  issuerThumbprint: string;
}

const PROPERTIES = ["registrationId", "leafSha256", "issuerThumbprint"] as const;
/** As many faults as one reads; the same mistake is usually in every row. */
const MOST_FAULTS = 10;
const FIX =
  'give a JSON list of { "registrationId": …, "leafSha256": …, "issuerThumbprint": … }, one for each leaf';

/**
 * Reads the manifest's JSON. Returns faults (DPS-CERT-100) with the path `<path>[<row>]` for whatever
 * is not a complete row, and for a leaf that two rows give to different issuers or devices.
 */
export function parseIssuedLeaves(
  text: string,
  path: string,
): { leaves: IssuedLeaf[]; faults: Fault[] } {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    return { leaves: [], faults: [wrong(path, "what is not JSON")] };
  }
  if (!Array.isArray(rows)) {
    return { leaves: [], faults: [wrong(path, "JSON that is not a list")] };
  }
  const leaves: IssuedLeaf[] = [];
  const faults: Fault[] = [];
  const first = new Map<string, IssuedLeaf>();
  for (const [index, row] of rows.entries()) {
    const at = `${path}[${index}]`;
    const read = readRow(row, at);
    if (isFault(read)) {
      faults.push(read);
      continue;
    }
    const other = first.get(read.leafSha256);
    if (other !== undefined && !isSameRow(other, read)) {
      faults.push(
        wrong(
          at,
          `the leaf ${read.leafSha256.slice(0, 8)}…, which an earlier row has with another device or issuer`,
          "keep the row that is right",
        ),
      );
      continue;
    }
    first.set(read.leafSha256, read);
    leaves.push(read);
  }
  const more = faults.length - MOST_FAULTS;
  return {
    leaves,
    faults:
      more > 0
        ? [...faults.slice(0, MOST_FAULTS), wrong(path, `${more} more rows like these`)]
        : faults,
  };
}

function readRow(row: unknown, at: string): IssuedLeaf | Fault {
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    return wrong(at, "what is not an object");
  }
  const values = row as Record<string, unknown>;
  const unknown = Object.keys(values).find(
    (name) => !(PROPERTIES as readonly string[]).includes(name),
  );
  if (unknown !== undefined) {
    return wrong(at, `the unknown property ${displayName(unknown)}`);
  }
  const missing = PROPERTIES.find(
    (name) => typeof values[name] !== "string" || values[name] === "",
  );
  if (missing !== undefined) {
    return wrong(at, `no text in ${missing}`);
  }
  const { registrationId, leafSha256, issuerThumbprint } = values as unknown as IssuedLeaf;
  const leaf = normalThumbprint(leafSha256);
  if (!/^[0-9A-F]{64}$/.test(leaf)) {
    const sha1 = /^[0-9A-F]{40}$/.test(leaf);
    return wrong(
      at,
      `a leafSha256 ${sha1 ? "of the length of a SHA-1 thumbprint" : "that is no SHA-256 thumbprint"}`,
      "give the SHA-256 of the leaf (64 hexadecimal digits): that is what IoT hubs keep",
    );
  }
  const issuer = normalThumbprint(issuerThumbprint);
  if (!/^([0-9A-F]{40}|[0-9A-F]{64})$/.test(issuer)) {
    return wrong(
      at,
      "an issuerThumbprint that is no thumbprint",
      "give the SHA-256 (64 hexadecimal digits) or SHA-1 (40) of the issuing CA certificate",
    );
  }
  return { registrationId, leafSha256: leaf, issuerThumbprint: issuer };
}

function isSameRow(a: IssuedLeaf, b: IssuedLeaf): boolean {
  return (
    a.registrationId.toLowerCase() === b.registrationId.toLowerCase() &&
    a.issuerThumbprint === b.issuerThumbprint
  );
}

function wrong(path: string, found: string, fix: string = FIX): Fault {
  return fault("DPS-CERT-100", path, found, fix);
}

/**
 * Thumbprints (SHA-1 and SHA-256) of the CA certificates that no declared breach reaches and that an
 * enabled group admits, itself or by way of one above it: a leaf that one of them issued is good.
 * What is declared and admitted nowhere proves nothing: it may be there because it was shut out.
 */
export function goodIssuers(declared: Declared): string[] {
  const breaches = new Breaches(undefined, declared);
  const all = knownCertificates(declared).map(([, one]) => one);
  const admitted = entriesOf(declared)
    .filter(({ kind, enabled }) => kind === "group" && enabled)
    .flatMap(({ slots }) => slots.map(({ certificate }) => certificate))
    .filter((one): one is KnownCertificate => one?.known === true);
  const isAdmitted = (one: KnownCertificate): boolean =>
    admitted.some((slot) => slot.pem === one.pem || isAbove(slot, one, all));
  return [
    ...new Set(
      knownCertificates(declared)
        .filter(([name, one]) => one.summary.isCa && breaches.of(name, one) === undefined)
        .filter(([, one]) => isAdmitted(one))
        .flatMap(([, { summary }]) => [summary.sha1Thumbprint, summary.sha256Thumbprint]),
    ),
  ].sort();
}

/** Warns (DPS-CERT-101) of issuers of which nothing is known: their leaves are neither good nor bad. */
export function unknownIssuers(
  leaves: readonly IssuedLeaf[],
  declared: Declared,
  path: string,
): Fault[] {
  const known = new Set(
    knownCertificates(declared).flatMap(([, { summary }]) => [
      summary.sha1Thumbprint,
      summary.sha256Thumbprint,
    ]),
  );
  const counts = new Map<string, number>();
  for (const { issuerThumbprint } of leaves) {
    if (!known.has(issuerThumbprint)) {
      counts.set(issuerThumbprint, (counts.get(issuerThumbprint) ?? 0) + 1);
    }
  }
  return [...counts].map(([issuer, count]) =>
    fault(
      "DPS-CERT-101",
      path,
      `${count} ${count === 1 ? "leaf" : "leaves"} from the issuer ${issuer}, which is not in certificates`,
      "declare its certificate, so that it is known whether a compromised CA stands above it",
    ),
  );
}

/** The rows of leaves that were issued with the key, or below it. */
export function issuedUnder(key: CompromisedKey, leaves: readonly IssuedLeaf[]): IssuedLeaf[] {
  const issuers = new Set(reachedThumbprints(key));
  return leaves.filter(({ issuerThumbprint }) => issuers.has(issuerThumbprint));
}

/**
 * - `stolen`: it is the compromised leaf itself.
 * - `compromised`: it was issued under the compromised CA, as the manifest or a declared certificate says.
 * - `good`: the manifest says that it was issued to this device by a CA that no breach reaches.
 * - `unknown`: nothing tells.
 */
export type LeafVerdict = "stolen" | "compromised" | "good" | "unknown";

/** Judges what a hub identity holds, by thumbprint. */
export class LeafEvidence {
  private readonly stolen: ReadonlySet<string>;
  private readonly badIssuers: ReadonlySet<string>;
  private readonly goodIssuers: ReadonlySet<string>;
  private readonly issued: ReadonlyMap<string, IssuedLeaf>;

  /** @param issuers thumbprints of CA certificates that no breach reaches (`goodIssuers`) */
  constructor(key: CompromisedKey, issuers: readonly string[], leaves: readonly IssuedLeaf[]) {
    this.stolen = new Set(key.thumbprints);
    this.badIssuers = new Set(reachedThumbprints(key));
    this.goodIssuers = new Set(issuers);
    this.issued = new Map(leaves.map((leaf) => [leaf.leafSha256, leaf]));
  }

  /**
   * @param thumbprints of both slots of the hub identity, upper-case hex. Either one opens the hub, so
   *   one bad one is enough to be bad, and all have to be good to be good. A SHA-1 is only compared
   *   with SHA-1s, a SHA-256 with SHA-256s: the lengths keep them apart.
   */
  of(registrationId: string, thumbprints: readonly string[]): LeafVerdict {
    if (thumbprints.some((one) => this.stolen.has(one))) {
      return "stolen";
    }
    const rows = thumbprints.map((one) => this.issued.get(one));
    const isBelow = thumbprints.some((one) => this.badIssuers.has(one));
    if (
      isBelow ||
      rows.some((row) => row !== undefined && this.badIssuers.has(row.issuerThumbprint))
    ) {
      return "compromised";
    }
    const good = rows.every(
      (row) =>
        row !== undefined &&
        row.registrationId.toLowerCase() === registrationId.toLowerCase() &&
        this.goodIssuers.has(row.issuerThumbprint),
    );
    return good && rows.length > 0 ? "good" : "unknown";
  }
}
