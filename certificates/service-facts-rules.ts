/** What the live service and its neighbours say about a change. */
import { joiningFaults } from "./ca-joining";
import type { Declared } from "./declared";
import { fault, type Fault } from "./faults";
import { type FleetFacts, MOST_CA_CERTIFICATES } from "./fleet-facts";
import { hubCaFaults } from "./hub-ca-rules";
import { own } from "./slots";
import { displayName, listed } from "./text";

/** With fewer free CA entries after the change a breach of a root may need two changes. */
const FEW_FREE = 2;

export function serviceFacts(
  before: Declared | undefined,
  after: Declared,
  facts: FleetFacts,
): Fault[] {
  return [
    ...caEntryFaults(before, after, facts),
    ...(facts.otherServices ?? []).map(({ name, hubs }) =>
      fault(
        "DPS-CERT-068",
        "hubs",
        `DPS instance ${displayName(name)}, which is linked to ${listed(hubs.map(displayName))} as well`,
        "see that none of its devices has the ID of one that is removed here, and that it does not admit the compromised certificate",
      ),
    ),
    ...joiningFaults(before, after, facts.caCertificates),
    ...hubCaFaults(after, facts.hubCaCertificates ?? []),
    ...facts.leftOut.map((what) =>
      fault(
        "DPS-CERT-069",
        "service",
        `facts that are not complete: ${what}`,
        "see for yourself, in the portal or with the Azure CLI",
      ),
    ),
  ];
}

function caEntryFaults(before: Declared | undefined, after: Declared, facts: FleetFacts): Fault[] {
  const live = facts.caCertificates?.map(({ name }) => name);
  if (live === undefined) return [];
  const added = Object.keys(after.caCertificates).filter((name) => !live.includes(name));
  const free = MOST_CA_CERTIFICATES - live.length;
  if (added.length > free) {
    return [
      fault(
        "DPS-CERT-080",
        "caCertificates",
        `${added.length} new CA certificates (${listed(added.map(displayName))}) and ${free} free of ${MOST_CA_CERTIFICATES} entries`,
        "in one change disable the groups of a CA that is to go and take it out of caCertificates, which deletes it at the end; add the new one in a second change",
      ),
    ];
  }
  const removed = Object.keys(before?.caCertificates ?? {}).filter(
    (name) => live.includes(name) && own(after.caCertificates, name) === undefined,
  );
  const left = free - added.length + removed.length;
  if (added.length === 0 || left >= FEW_FREE) return [];
  return [
    fault(
      "DPS-CERT-066",
      "caCertificates",
      `${left} free of ${MOST_CA_CERTIFICATES} entries after this change`,
      "take CA certificates that no group needs out of the service, so that a breach of a root finds a free entry",
    ),
  ];
}
