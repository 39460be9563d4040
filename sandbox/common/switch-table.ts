/**
 * What is not known about Azure and is a choice, as named switches: what each decides, between which
 * values, and why nobody knows. Whoever learns how the real service answers changes a default here;
 * a test or a rehearsal sets the other value, so that both stay tried.
 */

import { HUB_SWITCHES } from "./hub-switch-table";

type Value = string | number | boolean;

export interface SwitchDefinition {
  service: "DPS" | "IoT Hub" | "ARM";
  meaning: string;
  /** "whole number" is any from 0. */
  values: readonly Value[] | "whole number";
  default: Value;
  /** Why it is a switch: what is not known, and what the default rests on. */
  because: string;
}

const YES_OR_NO = [true, false] as const;

export const SWITCHES = {
  disabledIndividualDenies: {
    service: "DPS",
    meaning:
      "What a disabled individual enrollment denies: everything that comes under its registration ID, or the certificates in its slots under any.",
    values: ["registration-id", "certificate"],
    default: "registration-id",
    because: 'The documentation says "a disabled individual enrollment for the device".',
  },
  disabledGroupDenies: {
    service: "DPS",
    meaning:
      "Whether the first entry found from the leaf upwards decides alone, or a disabled group anywhere in the chain denies.",
    values: ["first-hit", "anywhere"],
    default: "first-hit",
    because:
      'concepts-x509-attestation, "DPS order of operations with certificates", says the first; how-to-revoke-device-access can be read as the second.',
  },
  groupsWithOneCertificate: {
    service: "DPS",
    meaning:
      "Which of several enrollment groups with one certificate decides: a disabled one among them, or an enabled one; of several enabled ones the first by ID.",
    values: ["disabled", "enabled"],
    default: "disabled",
    because:
      'The documentation says that a certificate "can be specified in only one enrollment entry", and nothing of the case that it is in two.',
  },
  verifiedCaEndsChain: {
    service: "DPS",
    meaning: "Whether a verified CA certificate may end a chain without having been presented.",
    values: YES_OR_NO,
    default: true,
    because: "TLS lets a client omit the root; the documentation's pictures show it being sent.",
  },
  slotCompletesChain: {
    service: "DPS",
    meaning:
      "Whether a signing certificate in a group's slot stands in for one that was not presented.",
    values: YES_OR_NO,
    default: false,
    because:
      'Devices that presented only a leaf got "CA certificate not found." (azure-iot-sdk-c#1900, azure-iot-sdk-csharp#1040).',
  },
  individualWithChain: {
    service: "DPS",
    meaning: "A device with an individual enrollment that presents more than its leaf.",
    values: ["admitted", "refused"],
    default: "admitted",
    because:
      '"Invalid certificate" was reported (azure-iot-sdk-node#547, azure-iot-sdk-python#177), in #547 with a root in the slot, so that the extra certificates need not be the cause.',
  },
  unverifiedCa: {
    service: "DPS",
    meaning:
      "How a chain is refused that reaches a CA certificate which is not verified: 401, or 202 and an operation that fails.",
    values: ["unauthorized", "operation-failed"],
    default: "unauthorized",
    because: "The second was seen in 2018 (azure-iot-sdk-c#437), the first is what others got.",
  },
  verifiedCaDates: {
    service: "DPS",
    meaning: "Whether the dates of the verified CA certificate at a chain's end are looked at.",
    values: ["judged", "ignored"],
    default: "judged",
    because:
      "An expired CA certificate can be uploaded (recorded); nothing says what DPS then does with it.",
  },
  extendedKeyUsage: {
    service: "DPS",
    meaning:
      "Whether a leaf or intermediate with extended key usages has to be for client authentication.",
    values: ["judged", "ignored"],
    default: "judged",
    because: "RFC 5280 4.2.1.12 leaves it to the application; the documentation is silent.",
  },
  criticalNameConstraints: {
    service: "DPS",
    meaning: "A CA certificate with critical name constraints; the sandbox does not evaluate them.",
    values: ["refused", "ignored"],
    default: "refused",
    because:
      "RFC 5280 4.2 has those refuse a critical extension who cannot process it; whether DPS can is not known.",
  },
  weakSignatures: {
    service: "DPS",
    meaning: "A leaf or intermediate that is signed with MD5 or SHA-1.",
    values: ["admitted", "refused"],
    default: "admitted",
    because: "The documentation asks for nothing; what the service's TLS refuses is not known.",
  },
  sameCertificateTwice: {
    service: "DPS",
    meaning: "One certificate in several enrollments.",
    values: ["accepted", "refused"],
    default: "accepted",
    because:
      'The documentation says that it "can be specified in only one enrollment entry", not that the service enforces it.',
  },
  primaryRequired: {
    service: "DPS",
    meaning: "Whether an X.509 attestation must have a primary certificate.",
    values: YES_OR_NO,
    default: true,
    because: "The typed SDKs (C#, Java) demand it, the REST specification does not.",
  },
  keysOmittedInUpdate: {
    service: "DPS",
    meaning:
      "An update of a symmetric-key enrollment without keys: they stay, or new ones are made.",
    values: ["kept", "generated"],
    default: "kept",
    because: "Recorded are a creation without keys and updates with keys, no update without.",
  },
  individualDeleteRemovesRegistration: {
    service: "DPS",
    meaning: "Whether deleting an individual enrollment deletes its registration record.",
    values: YES_OR_NO,
    default: true,
    because: "The documentation names only groups as leaving records behind.",
  },
  registrationsOfDeletedGroup: {
    service: "DPS",
    meaning: "Whether the registration records of a group that was deleted can still be listed.",
    values: ["listed", "not-found"],
    default: "listed",
    because:
      "The documentation says that they stay when the group is deleted, and not how they are found then.",
  },
  pollsWhileAssigning: {
    service: "DPS",
    meaning: 'How many polls are answered "assigning" before a registration completes.',
    values: "whole number",
    default: 0,
    because: "The service takes a second or a few; the sandbox need not.",
  },
  concurrentRegistration: {
    service: "DPS",
    meaning:
      "A device that registers while its last registration is still being assigned: the new one counts, or 409.",
    values: ["replaces", "conflict"],
    default: "replaces",
    because: "The C# SDK's end-to-end tests expect that it may be 409, and not always.",
  },
  deviceSubstatus: {
    service: "DPS",
    meaning:
      "The substatus that a device is told: that of its record, or initialAssignment at every registration.",
    values: ["of-record", "initialAssignment"],
    default: "of-record",
    because:
      "The Azure CLI extension's older live tests expect the second at each registration, its newer ones reprovisionedToInitialAssignment.",
  },
  bulkCounts: {
    service: "DPS",
    meaning:
      "Whether a bulk operation counts as one against the 1,000 operations a minute, or as many as it has entries.",
    values: ["per-entry", "per-call"],
    default: "per-entry",
    because: "The limits say operations; no source says what one is.",
  },
  ...HUB_SWITCHES,
  newCodeEndsEarlierOnes: {
    service: "ARM",
    meaning: "Whether a verification code ends when another one is generated for the certificate.",
    values: YES_OR_NO,
    default: true,
    because: "The documents show one code at a time and do not speak of earlier ones.",
  },
  verifiedSurvivesUpdate: {
    service: "ARM",
    meaning: "Whether a CA stays verified when its body is updated without isVerified.",
    values: YES_OR_NO,
    default: false,
    because: "No recording of such an update.",
  },
  caDeleteNeedsIfMatch: {
    service: "ARM",
    meaning: "Whether a DPS CA certificate is deleted only with If-Match.",
    values: YES_OR_NO,
    default: true,
    because: "The specification asks for it; nobody was seen without.",
  },
  referencedCaDelete: {
    service: "ARM",
    meaning: "Deleting a CA certificate that an enrollment group refers to.",
    values: ["accepted", "refused"],
    default: "accepted",
    because:
      "The documentation for a compromised root has people delete the CA before they edit the group; no trace of such a request was seen (azure-docs#74403).",
  },
  caMustBeCa: {
    service: "ARM",
    meaning: "Whether a certificate that is no CA is refused as a CA certificate at upload.",
    values: YES_OR_NO,
    default: false,
    because: "No source.",
  },
  severalCertificatesRefused: {
    service: "ARM",
    meaning: "Whether PEM text with several certificates is refused at upload.",
    values: YES_OR_NO,
    default: true,
    because: "The portal refuses a full chain (iotedge#2738); not known for the API.",
  },
} as const satisfies Record<string, SwitchDefinition>;
