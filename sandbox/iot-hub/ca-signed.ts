/**
 * Devices of the authentication type certificateAuthority: a chain to a verified CA certificate of the
 * hub, and the device ID as the leaf's common name.
 * Source: learn.microsoft.com/azure/iot-hub/authenticate-authorize-x509, "Authenticate identities with
 * X.509 certificates".
 */
import { caCertificatesOf } from "../arm/ca-certificates";
import type { IotHubRecord, Sandbox } from "../common/model";
import {
  readable,
  readCertificate,
  type ChainCertificate,
} from "../dps-device/attestation/certificate";
import { buildPaths } from "../dps-device/attestation/chain";
import { CA_SIGNED_CHAINS_END_AT_THE_HUB } from "./not-known";

/** What proved the device, or why nothing did. */
export function judgeCaSigned(
  sandbox: Sandbox,
  hub: IotHubRecord,
  deviceId: string,
  peerChain: Buffer[],
): { proof: string } | { fault: string } {
  let presented: ChainCertificate[];
  try {
    presented = peerChain.map(readCertificate);
  } catch (error) {
    return { fault: `a certificate that cannot be read: ${String(error)}` };
  }
  const [leaf] = presented;
  if (leaf === undefined) return { fault: "no certificate was presented" };
  const [name, ...more] = leaf.commonNames;
  if (name !== deviceId || more.length > 0) {
    return { fault: `the common name is not the device ID: ${leaf.commonNames.join(" + ")}` };
  }
  const anchors = caCertificatesOf(sandbox, "iot-hub")
    .list(`${hub.name}/`)
    .flatMap(({ certificate, isVerified }) =>
      readable(Buffer.from(certificate, "base64")).map((one) => ({
        certificate: one,
        verified: isVerified,
      })),
    );
  const { paths, faults, reachedUnverified } = buildPaths({
    presented,
    anchors,
    supplements: [],
    switches: { ...sandbox.switches, verifiedCaEndsChain: CA_SIGNED_CHAINS_END_AT_THE_HUB },
    now: sandbox.clock.now(),
  });
  const anchor = paths[0]?.at(-1);
  if (anchor !== undefined) {
    return { proof: `certificate ${leaf.thumbprint} below CA ${anchor.thumbprint}` };
  }
  const unverified = reachedUnverified ? ["the CA certificate is not verified"] : [];
  return { fault: [...unverified, ...faults].join("; ") };
}
