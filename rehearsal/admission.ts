/**
 * Whom DPS admits, by its records: looked at without the sandbox's own judgement, and with the same
 * assumptions about what is not known of Azure. Pure.
 */
import { X509Certificate } from "node:crypto";
import type { EntryView, Moment } from "./moments";

/** A certificate that a device has, or a thief. */
export interface Holder {
  registrationId: string;
  /** PEM: the leaf and its intermediates. */
  chain: string;
}

/** Would DPS admit this certificate? Dates are not looked at. */
export function admits(moment: Moment, { registrationId, chain }: Holder): boolean {
  const presented = certificatesIn(chain);
  const leaf = presented[0];
  if (leaf === undefined) {
    return false;
  }
  const individuals = moment.entries.filter(({ kind }) => kind === "individual");
  const own = individuals.find(({ id }) => id.toLowerCase() === registrationId.toLowerCase());
  const byCertificate = moment.switches.disabledIndividualDenies === "certificate";
  if (byCertificate && individuals.some((entry) => !entry.enabled && holds(entry, leaf, moment))) {
    return false;
  }
  if (own !== undefined && !(byCertificate && !own.enabled)) {
    return own.enabled && holds(own, leaf, moment);
  }
  return admitsByGroup(moment, presented);
}

/** PEM blocks, in their order. */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** The first certificate from the leaf upwards that stands in a group decides. */
function admitsByGroup(moment: Moment, presented: X509Certificate[]): boolean {
  const { disabledGroupDenies, groupsWithOneCertificate } = moment.switches;
  const levels = (pathOf(moment, presented) ?? [])
    .slice(1)
    .map((one) =>
      moment.entries.filter((entry) => entry.kind === "group" && holds(entry, one, moment)),
    )
    .filter(({ length }) => length > 0)
    .map((groups) =>
      groupsWithOneCertificate === "disabled"
        ? groups.every(({ enabled }) => enabled)
        : groups.some(({ enabled }) => enabled),
    );
  return levels[0] === true && (disabledGroupDenies === "first-hit" || !levels.includes(false));
}

/** From the leaf up to a verified CA, as far up as certificates are known; undefined: to none. */
function pathOf(
  { caCertificates }: Moment,
  presented: X509Certificate[],
): X509Certificate[] | undefined {
  const end = presented.findIndex((one, at) => {
    const above = presented[at + 1];
    return above === undefined || !isIssuedBy(one, above);
  });
  const path = presented.slice(0, end + 1);
  const verified = caCertificates
    .filter(({ isVerified }) => isVerified)
    .map(({ der }) => new X509Certificate(der));
  for (let top = path.at(-1); top !== undefined && !isIssuedBy(top, top);) {
    const issued = top;
    top = verified.find((ca) => isIssuedBy(issued, ca));
    if (top !== undefined) path.push(top);
  }
  const isVerified = path.slice(1).some((one) => verified.some((ca) => ca.raw.equals(one.raw)));
  return isVerified ? path : undefined;
}

function holds(
  { slots }: EntryView,
  { raw }: X509Certificate,
  { caCertificates }: Moment,
): boolean {
  return slots.some((slot) => {
    const der =
      typeof slot === "string"
        ? caCertificates.find(({ name }) => name.toLowerCase() === slot.toLowerCase())?.der
        : slot;
    return der?.equals(raw) === true;
  });
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
