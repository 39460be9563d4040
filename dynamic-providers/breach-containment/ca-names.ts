/** Which names of CA certificates have a compromised key. */
import {
  type CompromisedKey,
  isReached,
  reachedKeys,
  reachedThumbprints,
} from "../../certificates/compromised-keys";
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
    const live = await new CaCertificatesClient(searched.connection).list();
    const thumbprints = reachedThumbprints(key);
    const holding = live
      .filter((ca) => thumbprints.includes(ca.thumbprint) || showsKey(key, ca))
      .map(({ name }) => name.toLowerCase());
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
