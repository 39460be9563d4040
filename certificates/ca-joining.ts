/** CA certificates that become part of the stack, against what DPS has under their names. */
import type { Declared } from "./declared";
import { fault, type Fault } from "./faults";
import type { LiveCaFact } from "./fleet-facts";
import { own } from "./slots";
import { type CertificateSummary, describe } from "./summary";
import { pathOf } from "./text";

export interface JoiningCa {
  /** In DPS. */
  name: string;
  certificate: CertificateSummary;
  /** It is in DPS already and is taken over. */
  adopt: boolean;
  hasProof: boolean;
}

/** What stands against it; undefined: nothing does. */
export function joiningFault(
  { name, certificate, adopt, hasProof }: JoiningCa,
  found: Omit<LiveCaFact, "name"> | undefined,
): Fault | undefined {
  const path = pathOf("caCertificates", name, ...(adopt ? ["adopt"] : []));
  if (found === undefined) {
    if (!adopt) return undefined;
    const fix = "remove adopt, and it is uploaded; or give the name that it has in DPS";
    return fault("DPS-CERT-118", path, `no CA certificate \`${name}\` in DPS`, fix);
  }
  if (found.sha1Thumbprint !== certificate.sha1Thumbprint) {
    const words = `another certificate in DPS: ${found.subject}, SHA-1 ${found.sha1Thumbprint}; declared: ${describe(certificate)}, SHA-1 ${certificate.sha1Thumbprint}`;
    return adopt
      ? fault(
          "DPS-CERT-118",
          path,
          words,
          "declare the certificate that is there, or give this one another name",
        )
      : fault("DPS-CERT-160", path, words, "give this one another name");
  }
  if (adopt && !found.isVerified && !hasProof) {
    const words = `${describe(certificate)}, which is not verified in DPS`;
    return fault("DPS-CERT-118", path, words, "give a proof of possession");
  }
  return undefined;
}

/** Of all that come with this change. What the stack is only about to make is judged when it is written. */
export function joiningFaults(
  before: Declared | undefined,
  after: Declared,
  live: readonly LiveCaFact[] | undefined,
): Fault[] {
  if (live === undefined) return [];
  return Object.entries(after.caCertificates).flatMap(([name, ca]) => {
    const certificate = own(after.certificates, ca.certificate);
    const isOld = before !== undefined && own(before.caCertificates, name) !== undefined;
    if (isOld || certificate?.known !== true) return [];
    const { adopt = false, hasProof = false } = ca;
    const found = live.find((each) => each.name.toLowerCase() === name.toLowerCase());
    return joiningFault({ name, certificate: certificate.summary, adopt, hasProof }, found) ?? [];
  });
}
