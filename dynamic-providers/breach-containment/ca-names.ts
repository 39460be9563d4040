/** Which names of CA certificates have a compromised key. */
import {
  type CompromisedKey,
  isReached,
  reachedKeys,
  reachedThumbprints,
} from "../../certificates/compromised-keys";
import { summarize } from "../../certificates/summary";
import { CaCertificatesClient, type LiveCaCertificate } from "../../clients/ca-certificates";
import { ServiceError } from "../../clients/service-error";
import type { Connection } from "../../clients/target";
import { say } from "../handler";

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
   * These hold another certificate with the same subject: a renewal with the same key, perhaps. The
   * resource manager does not always show the certificate itself.
   */
  unsure: string[];
}

/** Throws `ServiceError` when the resource manager does not answer. */
export async function liveNames(connection: Connection, key: CompromisedKey): Promise<LiveNames> {
  const live = await new CaCertificatesClient(connection).list();
  const thumbprints = reachedThumbprints(key);
  const holding = live.filter((ca) => thumbprints.includes(ca.thumbprint) || showsKey(key, ca));
  const subject = key.pem === undefined ? undefined : summarize(key.pem).subjectCommonName;
  const unsure = live.filter(
    (ca) => !holding.includes(ca) && ca.certificate === undefined && ca.subject === subject,
  );
  return {
    holding: holding.map(({ name }) => name.toLowerCase()),
    unsure: unsure.map(({ name }) => name),
  };
}

/**
 * With the names under which DPS holds a certificate with this key and that nobody declared, and
 * without those that were given to another certificate since. When the resource manager does not
 * answer, every name that ever had the key counts: closing one too many can be taken back.
 */
export async function allNames(searched: Searched, key: CompromisedKey): Promise<CaNames> {
  const certain = certainNames(searched, key);
  const reached = reachedKeys(key);
  const ever = Object.entries(searched.caKeys)
    .filter(([, keys]) => keys.some((one) => reached.includes(one)))
    .map(([name]) => name.toLowerCase());
  try {
    const { holding } = await liveNames(searched.connection, key);
    return new Set([...certain, ...holding]);
  } catch (error) {
    if (!(error instanceof ServiceError)) {
      throw error;
    }
    say(
      `warning: the CA certificates of the DPS could not be listed, so groups that name ${key.subject} otherwise than this stack does are not looked for. ${error.message}`,
    );
    return new Set([...certain, ...ever]);
  }
}

/** By its bytes, where the resource manager shows them: renewals, twins, and what was issued below. */
function showsKey(key: CompromisedKey, { certificate }: LiveCaCertificate): boolean {
  return certificate !== undefined && isReached(key, Buffer.from(certificate, "base64"));
}
