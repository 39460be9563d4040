/** Slots, CA certificates and rolls: 040-056. */
import type { FaultKind } from "./fault-kind";

export const SLOTS = {
  "DPS-CERT-040": {
    title: "enabled entry with both slots empty",
    severity: "refusal",
    explanation: "No device could register through it.",
  },
  "DPS-CERT-041": {
    title: "same certificate in both slots",
    severity: "refusal",
    explanation: "The second slot is for the next certificate; the same one gives no overlap.",
  },
  "DPS-CERT-042": {
    title: "expired new certificate",
    severity: "refusal",
    explanation: "A certificate that is already expired cannot be rolled to.",
  },
  "DPS-CERT-043": {
    title: "leaf where a CA certificate is needed",
    severity: "refusal",
    explanation:
      "CA entries and the slots of a group hold certificates that issue others (basicConstraints CA:TRUE, RFC 5280 section 4.2.1.9).",
  },
  "DPS-CERT-044": {
    title: "CA certificate as an individual leaf",
    severity: "warning",
    explanation:
      "The key on the device could issue certificates. `openssl req -x509` makes such certificates unless told otherwise.",
  },
  "DPS-CERT-045": {
    title: "common name differs from the registration ID",
    severity: "refusal",
    explanation:
      "DPS takes the registration ID from the leaf's subject common name; another name would make another registration.",
  },
  "DPS-CERT-046": {
    title: "signing certificate that chains to no declared CA",
    severity: "refusal",
    explanation:
      "DPS accepts a group's intermediate only when the chain reaches a verified CA certificate of the service.",
  },
  "DPS-CERT-047": {
    title: "CA reference and signing certificate in one group",
    severity: "refusal",
    explanation:
      "An attestation holds either CA references or signing certificates, so both slots are of one kind.",
  },
  "DPS-CERT-048": {
    title: "only accepted certificate replaced without an overlap",
    severity: "waivable",
    explanation:
      "Until a device has the new certificate it cannot register. Put the new one in the empty slot first, and remove the old one in a later change.",
  },
  "DPS-CERT-049": {
    title: "certificate that is not valid yet",
    severity: "waivable",
    explanation: "Devices that present it before that day are refused.",
  },
  "DPS-CERT-050": {
    title: "expired certificate in a slot",
    severity: "warning",
    explanation: "It admits nobody and takes the slot that the next certificate needs.",
  },
  "DPS-CERT-051": {
    title: "CA removed while it is still referred to",
    severity: "refusal",
    explanation:
      "The group stops referring to a CA, by name or through the chain of a signing certificate, before the CA is deleted.",
  },
  "DPS-CERT-052": {
    title: "CA certificate swapped under its name while groups refer to it",
    severity: "refusal",
    explanation:
      "Groups refer to a CA by name, so a swap cuts off all devices below the old one at once. Declare the new CA under a new name.",
  },
  "DPS-CERT-053": {
    title: "self-attested CA",
    severity: "warning",
    explanation: "Nobody has proven to hold the key of this CA.",
  },
  "DPS-CERT-054": {
    title: "leaf that outlives its issuer",
    severity: "warning",
    explanation: "Its last days cannot be used: the chain ends earlier.",
  },
  "DPS-CERT-055": {
    title: "key used again at an expiration roll",
    severity: "warning",
    explanation: "A roll is the occasion for a new key; a renewal carries the old key's risk on.",
  },
  "DPS-CERT-056": {
    title: "two entries with one device ID",
    severity: "warning",
    explanation: "The device that registers last takes the hub identity over from the other.",
  },
} as const satisfies Record<string, FaultKind>;
