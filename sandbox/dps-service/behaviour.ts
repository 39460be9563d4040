/**
 * What is not known about DPS, as named switches with their assumed settings. Whoever learns how
 * the real service answers changes the setting here, and both sides stay tested.
 */
export interface ProvisioningBehaviour {
  /**
   * What a disabled individual enrollment denies: every certificate presented under its
   * registration ID, or only the certificates in its slots.
   * not known: the documentation says "a disabled individual enrollment for the device".
   */
  disabledIndividualDenies: "registration-id" | "certificate";
  /**
   * Does a disabled enrollment group deny when an enabled one was found further down the chain?
   * "first-hit": the first entry found decides (learn.microsoft.com/azure/iot-dps/
   * concepts-x509-attestation, "DPS order of operations with certificates"). "anywhere": the
   * reading of "how to revoke device access", by which no chain with that certificate may pass.
   */
  disabledGroupDenies: "first-hit" | "anywhere";
  /**
   * May a verified CA certificate of the service end a chain without having been presented? TLS
   * lets a client omit the root. false: the verified certificate itself has to be presented.
   * not known: the documentation's pictures show the root in what the device sends.
   */
  verifiedCaEndsChain: boolean;
  /**
   * May a signing certificate in a group's slot stand in for one that was not presented?
   * not known: devices that presented only a leaf got "CA certificate not found."
   * (azure-iot-sdk-c#1900, azure-iot-sdk-csharp#1040).
   */
  slotCompletesChain: boolean;
  /**
   * An individual enrollment and a device that presents more than its leaf.
   * not known: "Invalid certificate" was reported (azure-iot-sdk-node#547, -python#177), in #547
   * with a root in the slot, so that the extra certificates need not be the cause.
   */
  individualWithChain: "admitted" | "refused";
  /**
   * How a chain is refused that reaches a CA certificate which was uploaded but not verified.
   * "operation-failed" was seen in 2018 (azure-iot-sdk-c#437): 202, then status "failed".
   */
  unverifiedCa: "unauthorized" | "operation-failed";
  /**
   * May one certificate be in several enrollments? The documentation says that it "can be
   * specified in only one enrollment entry". not known: whether the service enforces it.
   */
  sameCertificateTwice: "accepted" | "refused";
  /**
   * Must an attestation have a primary certificate? not known: the typed SDKs (C#, Java) demand it,
   * the REST specification does not.
   */
  primaryRequired: boolean;
  /** How many polls answer "assigning" before an operation completes; the service takes seconds. */
  pollsWhileAssigning: number;
}

export const DEFAULT_BEHAVIOUR: Readonly<ProvisioningBehaviour> = {
  disabledIndividualDenies: "registration-id",
  disabledGroupDenies: "first-hit",
  verifiedCaEndsChain: true,
  slotCompletesChain: false,
  individualWithChain: "admitted",
  unverifiedCa: "unauthorized",
  sameCertificateTwice: "accepted",
  primaryRequired: true,
  pollsWhileAssigning: 0,
};
