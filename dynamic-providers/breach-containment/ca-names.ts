/** Which names of CA certificates have a compromised key. */
import {
  type CompromisedKey,
  isReached,
  perhapsReachedKeys,
  reachedKeys,
  reachedThumbprints,
} from "../../certificates/compromised-keys";
import { fault, type Fault } from "../../certificates/faults";
import { summarize } from "../../certificates/summary";
import { displayName } from "../../certificates/text";
import type { Pacing } from "../../clients/calls";
import { CaCertificatesClient, type LiveCaCertificate } from "../../clients/ca-certificates";
import type { Connection } from "../../clients/target";
import { boundedReading } from "../fleet-judgement/bounded";

/** Names in lower case: DPS does not tell them apart by case. */
export type CaNames = ReadonlySet<string>;

interface Searched {
  connection: Connection;
  /** Names, each with the keys it was ever declared to have. */
  caKeys: Record<string, string[]>;
}

/** Names that never had another key than this one: known without asking anybody. */
export function certainNames({ caKeys }: Searched, key: CompromisedKey): CaNames {
  const reached = reachedKeys(key);
  return new Set(
    Object.entries(caKeys).flatMap(([name, [only = "", ...others]]) =>
      others.length === 0 && reached.includes(only) ? [name.toLowerCase()] : [],
    ),
  );
}

/** What the resource manager shows of the names of a key. */
export interface LiveNames {
  /** In lower case: these hold the key, or a certificate issued below it. */
  holding: string[];
  /**
   * These hold another certificate with the same subject, which nobody declared: a renewal with the same
   * key, perhaps. The resource manager does not always show the certificate itself.
   */
  unsure: string[];
}

/** Throws `ServiceError` when the resource manager does not answer. */
export async function liveNames(
  connection: Connection,
  key: CompromisedKey,
  pacing?: Pacing,
): Promise<LiveNames> {
  return namesIn(await new CaCertificatesClient(connection, pacing).list(), key);
}

function namesIn(live: LiveCaCertificate[], key: CompromisedKey): LiveNames {
  const holding = live.filter((ca) => isOfKey(key, ca));
  const subject = key.pem === undefined ? undefined : summarize(key.pem).subjectCommonName;
  const unsure = live.filter(
    (ca) =>
      !holding.includes(ca) &&
      ca.certificate === undefined &&
      ca.subject === subject &&
      key.spared?.includes(ca.thumbprint) !== true,
  );
  return {
    holding: holding.map(({ name }) => name.toLowerCase()),
    unsure: unsure.map(({ name }) => name),
  };
}

/** Names that count as the key's, and what has to be said about the others. */
export interface AllNames {
  names: CaNames;
  /** Sentences about CA certificates that may have the key, and are not closed. */
  unsure: (string | Fault)[];
}

/** What the resource manager lists; or why it does not. */
export type Listing = { live: LiveCaCertificate[] } | { problem: string };

/** How long its answer is waited for, milliseconds: what comes after a containment waits for it. */
const LONGEST_MS = 30_000;

/** The CA certificates of the DPS, asked for once for all keys. */
export async function listCas(connection: Connection): Promise<Listing> {
  const read = boundedReading([], LONGEST_MS);
  const { value, problem } = await read("the CA certificates", () =>
    new CaCertificatesClient(connection).list(),
  );
  return value === undefined ? { problem } : { live: value };
}

/**
 * With the names under which DPS holds a certificate with this key and that nobody declared, and
 * without those that were given to another certificate since. When the resource manager does not
 * answer, every name that ever had the key counts: closing one too many can be taken back.
 */
export async function allNames(
  searched: Searched,
  key: CompromisedKey,
  listing?: Listing,
): Promise<AllNames> {
  const certain = certainNames(searched, key);
  const listed = listing ?? (await listCas(searched.connection));
  if ("live" in listed) {
    const { holding, unsure } = namesIn(listed.live, key);
    return {
      names: new Set([...certain, ...holding]),
      unsure: unsure.map((name) => perhapsTheKey(name, key)),
    };
  }
  const reached = perhapsReachedKeys(key);
  const ever = Object.entries(searched.caKeys)
    .filter(([, keys]) => keys.some((one) => reached.includes(one)))
    .map(([name]) => name.toLowerCase());
  return {
    names: new Set([...certain, ...ever]),
    unsure: [
      `warning: the CA certificates of the DPS could not be listed, so groups that name ${key.subject} otherwise than this stack does may still admit it: the next \`pulumi up\` looks for them. ${listed.problem}`,
    ],
  };
}

function perhapsTheKey(name: string, { subject }: CompromisedKey): Fault {
  return fault(
    "DPS-CERT-078",
    `CA certificate ${displayName(name)} in DPS`,
    `the subject of ${subject}, which is compromised, and another thumbprint; the resource manager does not show its key, so the groups that name it stay open`,
    "name that certificate in certificates: with the same key it is closed at the next `pulumi up`, with another one nothing more is said",
  );
}

/**
 * Has the CA certificate the key, or was it issued below it? By its bytes, where the service shows them:
 * renewals, twins and what nobody declared.
 */
export function isOfKey(
  key: CompromisedKey,
  { thumbprint, certificate }: Pick<LiveCaCertificate, "thumbprint" | "certificate">,
): boolean {
  return (
    reachedThumbprints(key).includes(thumbprint) ||
    (certificate !== undefined && isReached(key, Buffer.from(certificate, "base64")))
  );
}
