/** Weak certificates, and what is judged against the live service and its fleet: 057-069. */
import type { FaultKind } from "./fault-kind";

export const FLEET = {
  "DPS-CERT-057": {
    title: "overlap shorter than the fleet needs",
    severity: "waivable",
    explanation:
      "Each device has to register once with the new certificate while both are admitted. A fleet takes as long as its longest offline device (`fleet.longestOfflineHours`), and DPS takes 1,000 registrations a minute.",
  },
  "DPS-CERT-058": {
    title: "certificate retired while devices may still depend on it",
    severity: "waivable",
    explanation:
      "A device whose leaf only the old certificate admits cannot register again once that is gone. A device of which there is no evidence counts as at risk as well, and is listed as not known; that it is connected is no evidence. How many of each are accepted says `retirement` (default: none); within that it is a warning. A waiver names the devices, so that one more is refused again.",
  },
  "DPS-CERT-059": {
    title: "weak key",
    severity: "waivable",
    explanation: "RSA below 2048 bits and curves below P-256 are within reach of an attacker.",
  },
  "DPS-CERT-060": {
    title: "weak signature",
    severity: "waivable",
    explanation:
      "Signatures over SHA-1 and MD5 can be forged. The signature of a trust anchor by itself is not judged: nobody relies on it.",
  },
  "DPS-CERT-061": {
    title: "DPS instance replaced while it has entries",
    severity: "refusal",
    explanation:
      "The ID scope of an instance is burnt into devices. Another instance has another one.",
  },
  "DPS-CERT-062": {
    title: "hub taken away from the service, its devices not counted",
    severity: "waivable",
    explanation:
      "Devices that are in the hub lose their identity with it, or are assigned to another hub at their next registration. Before the hub goes they are counted; this stands where that could not be done.",
  },
  "DPS-CERT-063": {
    title: "enrollment group taken away while devices use it",
    severity: "refusal",
    explanation:
      "Its devices could not register again. A group is disabled in one change, and taken away in a later one when nobody misses it.",
  },
  "DPS-CERT-064": {
    title: "devices with a symmetric key at their hub",
    severity: "warning",
    explanation:
      "A roll of certificates does not reach them: their identity was not written by a registration with a certificate, or somebody changed it since.",
  },
  "DPS-CERT-065": {
    title: "IoT Edge devices and their children",
    severity: "warning",
    explanation:
      "They come back after a roll only when they are set to: an Edge device's runtime registers again when it is configured to, and a child's parent scope goes with its identity.",
  },
  "DPS-CERT-066": {
    title: "few free CA entries",
    severity: "warning",
    explanation:
      "A DPS instance holds 25 CA certificates. A breach of a root needs a free entry, or two changes: disable and delete first, then upload.",
  },
  "DPS-CERT-067": {
    title: "individual enrollment taken away whose device a group admits",
    severity: "warning",
    explanation:
      "An individual enrollment shadows the group for its registration ID. Without it the group decides.",
  },
  "DPS-CERT-068": {
    title: "another DPS instance linked to the same hub",
    severity: "warning",
    explanation:
      "Hub identities are looked for by device ID. One that the other instance wrote goes when it holds the compromised leaf, or when a group here admitted a device of the same ID and nothing proves its leaf good; one under an ID that only the other instance knows is not found. And a thief may come in through the other instance.",
  },
  "DPS-CERT-069": {
    title: "facts of the fleet that are not complete",
    severity: "warning",
    explanation:
      "A service did not answer, or there is more than a preview reads. What is not known is not taken for nothing.",
  },
} as const satisfies Record<string, FaultKind>;
