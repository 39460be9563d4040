/** Names of subjects and issuers, as text. */

/** A name without regard to the order, spacing and case of its parts: DPS and OpenSSL write them differently. */
export function comparableName(name: string): string {
  return name
    .split(/,\s*(?=[A-Za-z0-9.]+=)/)
    .map((part) => part.trim().toLowerCase())
    .sort()
    .join(",");
}
