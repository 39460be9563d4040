/** When what is declared ends: for whoever watches a stack's outputs. */
import type { Declared } from "./declared";
import { entriesOf, own } from "./slots";
import { pathOf } from "./text";

/**
 * By its place in the configuration (`enrollmentGroups.sensors.primary.ca`) the end of each certificate,
 * ISO 8601 in UTC: of CA certificates of the service, and of what stands in the slots of enabled entries.
 * What does not exist yet is left out.
 */
export function expirationsOf(declared: Declared): Record<string, string> {
  const cas = Object.entries(declared.caCertificates).map(([name, { certificate }]) => ({
    path: `${pathOf("caCertificates", name)}.certificate`,
    certificate: own(declared.certificates, certificate),
  }));
  const slots = entriesOf(declared).flatMap((entry) => (entry.enabled ? entry.slots : []));
  return Object.fromEntries(
    [...cas, ...slots].flatMap(({ path, certificate }) =>
      certificate?.known === true ? [[path, certificate.summary.notAfter]] : [],
    ),
  );
}
