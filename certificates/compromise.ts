/** Which certificates a breach reaches: by key, and everything issued below a compromised CA. */
import { signedWithKeyOf } from "./chain";
import type {
  Compromised,
  Declared,
  DeclaredCertificate,
  KnownCertificate,
  KnownFacts,
} from "./declared";
import { entriesOf, identity, knownCertificates, own } from "./slots";
import { describe } from "./summary";
import { reasonWords } from "./text";

/** Why a certificate counts as compromised. */
export interface Breach {
  /** `key`: it has a compromised key. `issuer`: it was issued below a CA with such a key. */
  by: "key" | "issuer";
  /** Declared compromised now; false: it was, and the declaration has been taken away. */
  declared: boolean;
  /** For a sentence: "has a key that compromised[0] names (reason)". */
  words: string;
}

interface CompromisedKey {
  publicKeySha256: string;
  declared: boolean;
  source: string;
}

/** Answers for the certificates of both configurations. */
export class Breaches {
  private readonly found = new Map<string, Breach>();
  private readonly keys: CompromisedKey[];
  private readonly denied: ReadonlySet<string>;

  constructor(
    before: Declared | undefined,
    private readonly after: Declared,
    facts: KnownFacts = {},
  ) {
    const all = allKnown(before, after);
    this.denied = new Set(
      after.denied.flatMap((each) =>
        "certificate" in each
          ? [identity(each.certificate, own(after.certificates, each.certificate))]
          : [],
      ),
    );
    this.keys = [
      ...after.compromised.flatMap((entry, index) =>
        keysOf(entry, after, all).map((publicKeySha256) => ({
          publicKeySha256,
          declared: true,
          source: `compromised[${index}] names (${reasonWords(entry.reason)})`,
        })),
      ),
      ...(before?.compromised ?? []).flatMap((entry) =>
        keysOf(entry, before ?? after, all).map((publicKeySha256) => ({
          publicKeySha256,
          declared: false,
          source: `was declared compromised before (${reasonWords(entry.reason)})`,
        })),
      ),
      ...(facts.compromisedKeys ?? []).map(({ publicKeySha256, reason }) => ({
        publicKeySha256,
        declared: false,
        source: `was declared compromised before (${reasonWords(reason)})`,
      })),
    ];
    this.search(all);
  }

  /** Whether this change shuts the certificate out: it is compromised, or named in `denied`. */
  shutsOut(name: string, certificate: DeclaredCertificate | undefined): boolean {
    return this.of(name, certificate) !== undefined || this.denied.has(identity(name, certificate));
  }

  /** The breach that reaches this certificate. */
  of(name: string, certificate: DeclaredCertificate | undefined): Breach | undefined {
    if (certificate === undefined) return undefined;
    if (certificate.known) return this.found.get(identity(name, certificate));
    // Not made yet, so it has a key of its own; but its issuer may be compromised.
    const issuer = certificate.issuer;
    if (issuer === undefined || issuer === name) return undefined;
    const above = this.of(issuer, own(this.after.certificates, issuer));
    if (above === undefined) return undefined;
    const { declared } = above;
    return {
      by: "issuer",
      declared,
      words: `is to be issued by \`${issuer}\`, which ${above.words}`,
    };
  }

  private search(all: KnownCertificate[]): void {
    for (const certificate of all) {
      const key = this.keys.find(
        (each) => each.publicKeySha256 === certificate.summary.publicKeySha256,
      );
      if (key !== undefined) {
        this.found.set(certificate.summary.sha256Thumbprint, {
          by: "key",
          declared: key.declared,
          words: `has a key that ${key.source}`,
        });
      }
    }
    if (this.found.size === 0) return;
    const issuers = issuersOf(all);
    for (let grown = true; grown;) {
      grown = false;
      for (const certificate of all) {
        const id = certificate.summary.sha256Thumbprint;
        if (this.found.has(id)) continue;
        const guilty = this.guiltyIssuer(issuers.get(id) ?? []);
        if (guilty === undefined) continue;
        const above = this.found.get(guilty.summary.sha256Thumbprint);
        this.found.set(id, {
          by: "issuer",
          declared: above?.declared ?? true,
          words: `was issued by ${describe(guilty.summary)}, which ${above?.words ?? ""}`,
        });
        grown = true;
      }
    }
  }

  /* A signature by a compromised key taints. An issuer that is itself only issued below one taints
     unless another certificate of the same issuer (a cross-signed twin) still stands. */
  private guiltyIssuer(issuers: KnownCertificate[]): KnownCertificate | undefined {
    const reached = issuers.filter((each) => this.found.has(each.summary.sha256Thumbprint));
    const byKey = reached.find(
      (each) => this.found.get(each.summary.sha256Thumbprint)?.by === "key",
    );
    return byKey ?? (reached.length === issuers.length ? reached[0] : undefined);
  }
}

export type RememberedKey = NonNullable<KnownFacts["compromisedKeys"]>[number];

/** `history`, and the keys that either configuration declares compromised, each once. */
export function remembered(
  history: readonly RememberedKey[],
  before: Declared | undefined,
  after: Declared,
): RememberedKey[] {
  const all = allKnown(before, after);
  const keys = new Map(history.map((each) => [each.publicKeySha256, each]));
  for (const declared of before === undefined ? [after] : [before, after]) {
    for (const entry of declared.compromised) {
      for (const publicKeySha256 of keysOf(entry, declared, all)) {
        keys.set(publicKeySha256, { publicKeySha256, reason: entry.reason });
      }
    }
  }
  return [...keys.values()];
}

/**
 * `history` without the keys that the configuration admits again: those in a slot of an enabled
 * entry, or of a CA certificate, that it does not declare compromised.
 */
export function readmitted(history: readonly RememberedKey[], after: Declared): RememberedKey[] {
  const all = allKnown(undefined, after);
  const still = new Set(after.compromised.flatMap((entry) => keysOf(entry, after, all)));
  const admitted = [
    ...entriesOf(after).flatMap(({ enabled, slots }) =>
      enabled ? slots.map(({ certificate }) => certificate) : [],
    ),
    ...Object.values(after.caCertificates).map((ca) => own(after.certificates, ca.certificate)),
  ];
  const keys = new Set(
    admitted.flatMap((each) => (each?.known === true ? [each.summary.publicKeySha256] : [])),
  );
  return history.filter(
    ({ publicKeySha256 }) => !keys.has(publicKeySha256) || still.has(publicKeySha256),
  );
}

/** Known certificates of both configurations, each once. */
export function allKnown(before: Declared | undefined, after: Declared): KnownCertificate[] {
  const all = new Map<string, KnownCertificate>();
  for (const declared of [before, after]) {
    if (declared === undefined) continue;
    for (const [, certificate] of knownCertificates(declared)) {
      all.set(certificate.summary.sha256Thumbprint, certificate);
    }
  }
  return [...all.values()];
}

/** Keys of the certificates that an entry of `compromised` names; empty when none is known. */
export function keysOf(
  entry: Compromised,
  declared: Declared,
  all: readonly KnownCertificate[],
): string[] {
  if ("certificate" in entry) {
    const certificate = own(declared.certificates, entry.certificate);
    return certificate?.known === true ? [certificate.summary.publicKeySha256] : [];
  }
  const thumbprint = normalThumbprint(entry.thumbprint);
  return all
    .filter(
      ({ summary }) =>
        summary.sha1Thumbprint === thumbprint || summary.sha256Thumbprint === thumbprint,
    )
    .map(({ summary }) => summary.publicKeySha256);
}

/** Upper-case hex without the colons and spaces with which tools print thumbprints. */
export function normalThumbprint(thumbprint: string): string {
  return thumbprint.replace(/[:\s]/g, "").toUpperCase();
}

function issuersOf(all: readonly KnownCertificate[]): Map<string, KnownCertificate[]> {
  const cas = all.filter(({ summary }) => summary.isCa);
  return new Map(
    all.map((certificate) => [
      certificate.summary.sha256Thumbprint,
      certificate.summary.selfSigned
        ? []
        : cas.filter((ca) => ca !== certificate && signedWithKeyOf(ca.pem, certificate.pem)),
    ]),
  );
}
