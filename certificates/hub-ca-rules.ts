/** The linked hubs' own CA certificates, which admit devices without DPS. */
import { allKnown, Breaches } from "./compromise";
import type { Declared, KnownCertificate } from "./declared";
import { fault, type Fault } from "./faults";
import type { HubCaFact } from "./fleet-facts";
import { isAbove } from "./slots";
import { describe } from "./summary";
import { displayName } from "./text";

/** Those that have a compromised key, or stand below or above a compromised CA. */
export function hubCaFaults(after: Declared, facts: readonly HubCaFact[]): Fault[] {
  if (after.compromised.length === 0) return [];
  const found = facts.map((fact) => ({ fact, certificate: certificateOf(fact, after) }));
  const declared = {
    ...after,
    certificates: {
      ...after.certificates,
      // No certificate of a configuration can have such a name.
      ...Object.fromEntries(
        found.flatMap(({ fact, certificate }) =>
          certificate === undefined ? [] : [[`${fact.hub}/${fact.name}`, certificate]],
        ),
      ),
    },
  };
  const breaches = new Breaches(undefined, declared);
  const among = allKnown(undefined, declared);
  return found.flatMap(({ fact, certificate }): Fault[] => {
    const name = `CA certificate ${displayName(fact.name)} of hub ${displayName(fact.hub)}`;
    if (certificate === undefined) {
      return [
        fault(
          "DPS-CERT-069",
          "service",
          `facts that are not complete: what ${name} is (SHA-1 ${fact.sha1Thumbprint}), because the resource manager does not show it`,
          "see for yourself, in the portal or with the Azure CLI",
        ),
      ];
    }
    const words = describe(certificate.summary);
    const breach = breaches.of("", certificate);
    if (breach !== undefined) {
      return [
        fault(
          "DPS-CERT-079",
          "compromised",
          `${name}, which ${breach.words}: ${words}`,
          "delete it from the hub: devices of the authentication type certificateAuthority get in below it without DPS",
        ),
      ];
    }
    const low = among.find(
      (each) => breaches.of("", each)?.by === "key" && isAbove(certificate, each, among),
    );
    if (low === undefined) return [];
    return [
      fault(
        "DPS-CERT-079",
        "compromised",
        `${name}, which stands above a compromised certificate, ${describe(low.summary)}: ${words}`,
        "disable the hub's devices of the authentication type certificateAuthority, or give them thumbprints: " +
          "chains through the compromised certificate get in without DPS",
      ),
    ];
  });
}

/** What the resource manager shows, or the declared certificate with its thumbprint. */
function certificateOf(
  { certificate, sha1Thumbprint }: HubCaFact,
  after: Declared,
): KnownCertificate | undefined {
  return (
    certificate ??
    allKnown(undefined, after).find(({ summary }) => summary.sha1Thumbprint === sha1Thumbprint)
  );
}
